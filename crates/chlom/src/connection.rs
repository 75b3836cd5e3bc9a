//! Arguments that every command has which speaks to a node: where it is, and who signs.

use std::path::PathBuf;

use alloy_primitives::Address;
use anyhow::Result;
use chlom_client::{Chain, Signer, keystore};
use clap::Args;

use crate::exit::Usage;

/// Which node.
#[derive(Args, Debug)]
pub(crate) struct NodeArgs {
    /// JSON-RPC of the node to ask.
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", default_value = "http://127.0.0.1:8545")]
    rpc: String,
}

impl NodeArgs {
    /// Where the node is.
    pub(crate) fn url(&self) -> &str {
        &self.rpc
    }

    /// # Errors
    /// When no node answers there.
    pub(crate) fn chain(&self) -> Result<Chain> {
        Ok(Chain::connect(&self.rpc)?)
    }
}

/// Who signs. A key is never an argument: every process of the machine could read it.
#[derive(Args, Debug)]
pub(crate) struct SignerArgs {
    /// Sign with the key in this Web3 secret storage file; the password is asked for.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "from"])]
    keystore: Option<PathBuf>,
    /// Take the keystore's password from the first line of this file, which only its owner may read.
    #[arg(long, value_name = "FILE", requires = "keystore")]
    password_file: Option<PathBuf>,
    /// Sign with the key in this file: 64 hex digits, readable by its owner only (mode 0600).
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    key_file: Option<PathBuf>,
    /// Let the node sign, with an account that it holds: `chlom dev` holds those that it printed.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<Address>,
}

impl SignerArgs {
    /// Who signs, when the arguments say so.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub(crate) fn signer_if_any(&self) -> Result<Option<Signer>> {
        if let Some(path) = &self.keystore {
            let password = match &self.password_file {
                Some(file) => keystore::password_from_file(file),
                None => keystore::password_from_terminal(path),
            };
            let key = password.and_then(|password| keystore::from_keystore(path, &password));
            return Ok(Some(Signer::Key(key.map_err(|e| Usage(e.to_string()))?)));
        }
        if let Some(path) = &self.key_file {
            let key = keystore::from_key_file(path).map_err(|e| Usage(e.to_string()))?;
            return Ok(Some(Signer::Key(key)));
        }
        Ok(self.from.map(Signer::Unlocked))
    }

    /// Who signs.
    ///
    /// # Errors
    /// When the arguments do not say, or the key cannot be used.
    pub(crate) fn signer(&self) -> Result<Signer> {
        let missing = "who signs? --keystore FILE, --key-file FILE, or on a dev chain --from ADDRESS";
        Ok(self.signer_if_any()?.ok_or_else(|| Usage(missing.into()))?)
    }
}
