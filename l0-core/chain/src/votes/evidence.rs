//! The vote extensions of the last commit, as entry 0 carries them.

use alloy_primitives::B256;
use chlom_crypto::ConsensusKey;
use chlom_primitives::votes::{CommitFlags, Evidence, SignedExtension};

use super::extension::{ExtensionError, VoteExtension, verify_extension};
use crate::{blobs::Statement, staking::ValidatorSet};

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

/// Judges the extensions of the commit of `height` (the block's parent), made by `set`. Upholds [VOT-3] and [VOT-4].
///
/// # Errors
/// See [`EvidenceError`].
pub fn verify_evidence(
    evidence: &Evidence,
    chain_id: &str,
    height: u64,
    set: &ValidatorSet,
    flags: &CommitFlags,
) -> Result<Attested, EvidenceError> {
    if height == 0 {
        let none = *evidence == Evidence::default();
        return if none { Ok(Attested::default()) } else { Err(EvidenceError::FirstHeight) };
    }
    if evidence.round != flags.round {
        return Err(EvidenceError::Round { got: evidence.round, want: flags.round });
    }
    let unordered = |pair: &&[SignedExtension]| pair[0].consensus_key >= pair[1].consensus_key;
    if let Some(pair) = evidence.extensions.windows(2).find(unordered) {
        return Err(EvidenceError::Order { key: pair[1].consensus_key });
    }
    let judge = |signed| judge(signed, chain_id, height, set, flags);
    let statements = evidence.extensions.iter().map(judge).collect::<Result<Vec<_>, _>>()?;
    let power = statements.iter().fold(0_u64, |sum, statement| sum.saturating_add(statement.power));
    let total_power = set.total_power();
    if u128::from(power).saturating_mul(3) <= u128::from(total_power).saturating_mul(2) {
        return Err(EvidenceError::Power { power, total: total_power });
    }
    Ok(Attested { statements, total_power })
}

/// One extension by itself.
fn judge(
    signed: &SignedExtension,
    chain_id: &str,
    height: u64,
    set: &ValidatorSet,
    flags: &CommitFlags,
) -> Result<Statement, EvidenceError> {
    let key = signed.consensus_key;
    let member = set.iter().find(|member| member.consensus_key == key);
    let member = member.ok_or(EvidenceError::Stranger { key })?;
    if !flags.committed.contains(&key) {
        return Err(EvidenceError::NotCommitted { key });
    }
    let consensus_key = ConsensusKey::try_from(key).map_err(|_| EvidenceError::Stranger { key })?;
    let SignedExtension { extension, signature, .. } = signed;
    let VoteExtension { blobs } =
        verify_extension(chain_id, height, flags.round, &consensus_key, extension, signature)
            .map_err(|why| EvidenceError::Extension { key, why })?;
    Ok(Statement { consensus_key: key, power: member.power, blobs })
}

/// The extensions out of those offered that [`verify_evidence`] accepts, by key: what a proposer puts into its block.
/// Extensions that fail are left out: late precommits reach a proposer unjudged.
pub fn collect_evidence(
    chain_id: &str,
    height: u64,
    set: &ValidatorSet,
    flags: &CommitFlags,
    mut offered: Vec<SignedExtension>,
) -> Evidence {
    offered.retain(|signed| judge(signed, chain_id, height, set, flags).is_ok());
    offered.sort_by_key(|signed| signed.consensus_key);
    offered.dedup_by_key(|signed| signed.consensus_key);
    Evidence { round: flags.round, extensions: offered }
}

/// What a committed block's evidence said, for whoever executes it again: it was judged before it was decided, so the
/// signatures are not looked at.
///
/// # Errors
/// See [`EvidenceError`]: a committed block with such evidence is damaged.
pub fn attested_by(evidence: &Evidence, set: &ValidatorSet) -> Result<Attested, EvidenceError> {
    let statement = |signed: &SignedExtension| {
        let key = signed.consensus_key;
        let member = set.iter().find(|member| member.consensus_key == key);
        let member = member.ok_or(EvidenceError::Stranger { key })?;
        let VoteExtension { blobs } =
            VoteExtension::decode(&signed.extension).map_err(|why| EvidenceError::Extension { key, why })?;
        Ok(Statement { consensus_key: key, power: member.power, blobs })
    };
    let statements = evidence.extensions.iter().map(statement).collect::<Result<_, _>>()?;
    Ok(Attested { statements, total_power: set.total_power() })
}
