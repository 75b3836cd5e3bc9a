//! One file of `contracts/artifacts`: what the sources give, included in the binary. Parsed when asked for, never kept:
//! genesis reads each once, and a running node none.

use alloy_primitives::{Bytes, hex};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What forge built of one contract.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// Creation code, without constructor arguments.
    pub bytecode: Bytes,
    /// The ABI, as JSON.
    pub abi: &'a RawValue,
}

/// A committed artefact that cannot be read: this build is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("artefact {name}: {why}; run `make contracts`")]
pub struct ArtifactError {
    /// The contract.
    pub name: &'static str,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Deserialize)]
struct File<'a> {
    name: &'a str,
    bytecode: &'a str,
    #[serde(borrow)]
    abi: &'a RawValue,
}

impl<'a> Artifact<'a> {
    /// # Errors
    /// When the text is no artefact of that contract.
    pub fn parse(name: &'static str, text: &'a str) -> Result<Self, ArtifactError> {
        let broken = |why: String| ArtifactError { name, why };
        let file: File<'a> = serde_json::from_str(text).map_err(|e| broken(e.to_string()))?;
        if file.name != name {
            return Err(broken(format!("the file is of {}", file.name)));
        }
        let bytecode = hex::decode(file.bytecode).map_err(|e| broken(e.to_string()))?;
        Ok(Self { bytecode: bytecode.into(), abi: file.abi })
    }
}
