//! What CometBFT would bring of the last commit, made in process: the one validator of a dev chain signs the very bytes that
//! CometBFT signs, and the application judges them as it judges any others.

use alloy_primitives::B256;
use chlom_app::LastCommit;
use chlom_chain::votes::{CommitFlags, VoteExtension, sign_extension};
use chlom_crypto::ValidatorKey;
use chlom_primitives::L0_CHAIN_ID;
use chlom_store::StateView;

/// What a validator holds of published data.
pub trait Holdings: Send {
    /// Blobs that await attestation in this state, and whose part this node holds and has verified; at most
    /// [`chlom_chain::blobs::attest::MOST_BLOBS`] are told.
    fn attestable(&mut self, state: &StateView) -> Vec<B256>;
}

/// The validator of a dev chain.
pub struct Attester {
    /// Its consensus key.
    pub key: ValidatorKey,
    /// What it can attest.
    pub holdings: Box<dyn Holdings>,
}

impl Attester {
    /// The commit of `height`, whose state is `state`: round 0, committed by this validator. Nothing at height 0.
    pub(crate) fn last_commit(&mut self, height: u64, state: &StateView) -> LastCommit {
        if height == 0 {
            return LastCommit::default();
        }
        let extension = VoteExtension::of(self.holdings.attestable(state));
        let signed = sign_extension(&self.key, L0_CHAIN_ID, height, 0, &extension);
        let flags = CommitFlags { round: 0, committed: vec![signed.consensus_key] };
        LastCommit { flags, extensions: vec![signed] }
    }
}
