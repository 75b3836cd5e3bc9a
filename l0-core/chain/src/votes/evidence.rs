//! The vote extensions of the last commit, as entry 0 carries them.

use alloy_primitives::{B256, Bytes, FixedBytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use chlom_crypto::ConsensusKey;

use super::extension::{ExtensionError, VoteExtension, verify_extension};
use crate::{blobs::Statement, staking::ValidatorSet};

/// One validator's extension with CometBFT's signature over it.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SignedExtension {
    /// Ed25519 key of the validator.
    pub consensus_key: B256,
    /// Bytes of a [`VoteExtension`].
    pub extension: Bytes,
    /// Over [`super::extension_sign_bytes`].
    pub signature: FixedBytes<64>,
}

/// The extensions of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Evidence {
    /// The commit's round.
    pub round: u32,
    /// By consensus key, ascending, each once.
    pub extensions: Vec<SignedExtension>,
}

/// What consensus says of the last commit: its round, and who is flagged as having committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitFlags {
    /// The commit's round.
    pub round: u32,
    /// Keys of the validators that committed, in any order.
    pub committed: Vec<B256>,
}

/// Evidence that has been judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attested {
    /// What each validator says, with its power.
    pub statements: Vec<Statement>,
    /// Power of the whole set.
    pub total_power: u64,
}

/// Why evidence is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The first height has no commit below it.
    #[error("the block at height 1 carries vote extensions")]
    FirstHeight,
    /// Another round than the commit's.
    #[error("vote extensions of round {got}, the last commit is of round {want}")]
    Round {
        /// Round found.
        got: u32,
        /// The commit's.
        want: u32,
    },
    /// Not strictly ascending by key.
    #[error("the validators of vote extensions do not ascend at {key}")]
    Order {
        /// The first key that does not.
        key: B256,
    },
    /// Not in the set of the height.
    #[error("{key} is not in the validator set of the last height")]
    Stranger {
        /// Whose extension it is.
        key: B256,
    },
    /// Not flagged as having committed.
    #[error("{key} did not commit the last height")]
    NotCommitted {
        /// Whose extension it is.
        key: B256,
    },
    /// The extension itself is refused.
    #[error("the extension of {key}: {why}")]
    Extension {
        /// Whose it is.
        key: B256,
        /// What is wrong.
        why: ExtensionError,
    },
    /// Two thirds of power or less.
    #[error("vote extensions of power {power} of {total}: more than two thirds are needed")]
    Power {
        /// Power of those present.
        power: u64,
        /// Power of the set.
        total: u64,
    },
}

impl Evidence {
    /// Judges the extensions of the commit of `height` (the block's parent), made by `set`. Upholds [VOT-3] and [VOT-4].
    ///
    /// # Errors
    /// See [`EvidenceError`].
    pub fn verify(
        &self,
        chain_id: &str,
        height: u64,
        set: &ValidatorSet,
        flags: &CommitFlags,
    ) -> Result<Attested, EvidenceError> {
        if height == 0 {
            return if *self == Self::default() {
                Ok(Attested::default())
            } else {
                Err(EvidenceError::FirstHeight)
            };
        }
        if self.round != flags.round {
            return Err(EvidenceError::Round { got: self.round, want: flags.round });
        }
        if let Some(pair) =
            self.extensions.windows(2).find(|pair| pair[0].consensus_key >= pair[1].consensus_key)
        {
            return Err(EvidenceError::Order { key: pair[1].consensus_key });
        }
        let total_power = set.total_power();
        let mut statements = Vec::with_capacity(self.extensions.len());
        let mut power = 0_u64;
        for signed in &self.extensions {
            let statement = self.judge(chain_id, height, set, flags, signed)?;
            power = power.saturating_add(statement.power);
            statements.push(statement);
        }
        if u128::from(power).saturating_mul(3) <= u128::from(total_power).saturating_mul(2) {
            return Err(EvidenceError::Power { power, total: total_power });
        }
        Ok(Attested { statements, total_power })
    }

    fn judge(
        &self,
        chain_id: &str,
        height: u64,
        set: &ValidatorSet,
        flags: &CommitFlags,
        signed: &SignedExtension,
    ) -> Result<Statement, EvidenceError> {
        let key = signed.consensus_key;
        let member = set.iter().find(|member| member.consensus_key == key);
        let member = member.ok_or(EvidenceError::Stranger { key })?;
        if !flags.committed.contains(&key) {
            return Err(EvidenceError::NotCommitted { key });
        }
        let refused = |why| EvidenceError::Extension { key, why };
        let VoteExtension { blobs } = ConsensusKey::try_from(key)
            .map_err(|_| EvidenceError::Stranger { key })
            .and_then(|consensus_key| {
                verify_extension(
                    chain_id,
                    height,
                    self.round,
                    &consensus_key,
                    &signed.extension,
                    &signed.signature,
                )
                .map_err(refused)
            })?;
        Ok(Statement { consensus_key: key, power: member.power, blobs })
    }

    /// The extensions out of those offered that [`Evidence::verify`] accepts, by key: what a proposer puts into its block.
    /// Extensions that fail are left out: late precommits reach a proposer unjudged.
    pub fn collect(
        chain_id: &str,
        height: u64,
        set: &ValidatorSet,
        flags: &CommitFlags,
        mut offered: Vec<SignedExtension>,
    ) -> Self {
        let mut evidence = Self { round: flags.round, extensions: Vec::new() };
        offered.sort_by_key(|signed| signed.consensus_key);
        offered.retain(|signed| evidence.judge(chain_id, height, set, flags, signed).is_ok());
        offered.dedup_by_key(|signed| signed.consensus_key);
        evidence.extensions = offered;
        evidence
    }
}
