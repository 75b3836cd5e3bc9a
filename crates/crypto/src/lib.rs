//! Who signed what, and which data was committed to.
//!
//! - [`signature`]: one ECDSA signature on secp256k1, checked as Ethereum checks it, to the address that made it.
//! - [`recover`](mod@recover): from a transaction's bytes to a [`chlom_primitives::Tx`] that carries its sender, one by
//!   one or many in parallel; EIP-7702 authorities.
//! - [`account`]: secret keys of accounts, for whoever signs transactions on this node.
//! - [`validator`]: Ed25519 keys of validators, as CometBFT has them.
//! - [`kzg`]: blobs as squares of cells under KZG commitments: encode, prove, verify, rebuild (`spec/da.md`).
//! - [`sampling`]: which cells of a square a light client asks for, and how sure the answers make it.
//!
//! Nothing here draws entropy: a caller that makes a key brings the bytes. ECDSA nonces are those of RFC 6979, so
//! signing is a function of key and message.

pub mod account;
pub mod kzg;
pub mod recover;
pub mod sampling;
pub mod signature;
pub mod validator;

pub use account::{AccountKey, AccountKeyError};
pub use recover::{
    RecoverError, recover, recover_authorities, recover_authority, recover_batch, recover_tx,
    with_authorities,
};
pub use signature::{SignatureError, recover_signer};
pub use validator::{ConsensusKey, ConsensusKeyError, ValidatorKey};
