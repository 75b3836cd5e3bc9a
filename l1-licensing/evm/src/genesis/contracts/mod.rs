//! The system contracts of genesis (ARCHITECTURE §3): which, where, and what governs them.
//!
//! - [`list`]: every contract with its address, its implementation's and its arguments.
//! - [`artifact`]: what forge built, as committed in `contracts/artifacts`.
//! - [`governance`]: who owns and who acts, from `config.chlom.governance`.
//! - [`allocate`]: the accounts, by running the creation code where it will live.

mod allocate;
mod artifact;
mod governance;
mod list;

pub(super) use allocate::allocate;
pub use artifact::{Artifact, ArtifactError};
pub use governance::Governance;
pub use list::{SYSTEM_CONTRACTS, SystemContract};

#[cfg(test)]
mod tests;
