//! What validators attest beside their votes, and its proof in the next block (ARCHITECTURE §4).
//!
//! With its precommit for height H each validator signs a *vote extension*. Entry 0 of H + 1 carries extensions with CometBFT's
//! signatures over them, at most one of each validator, of validators that committed H, together more than ⅔ of the power of
//! H's set. One pure predicate judges an extension wherever it appears: when it arrives with a vote, when a proposer collects
//! them, and in the block.
//!
//! - [`extension`]: what an extension says; its bytes.
//! - [`sign_bytes`]: the bytes that CometBFT signs for it.
//! - [`evidence`]: the list in entry 0, its bytes and its rules.

pub mod evidence;
pub mod extension;
pub mod sign_bytes;

pub use chlom_primitives::votes::{CommitFlags, Evidence, SignedExtension};
pub use evidence::{Attested, EvidenceError, attested_by, collect_evidence, verify_evidence};
pub use extension::{ExtensionError, VoteExtension, sign_extension, verify_extension};
pub use sign_bytes::extension_sign_bytes;

#[cfg(test)]
mod tests;
