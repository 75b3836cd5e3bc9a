//! How a wrong batch dies: a commitment, then the proof.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolValue;
use chlom_lane::{Header, fraud::Proof};
use chlom_primitives::address::PAYOUT_PROOFS;

use crate::{
    Chain, ClientError, Request,
    contracts::{fraud_judge::IDataAvailability, fraud_judge::IFraudJudge, payout_proofs::IPayoutProofs},
};

pub use IPayoutProofs::{Award, Commitment};

/// The bytes that `challenge` takes. `commitments`: one a row of the blob; `proofs`: the KZG proof of each of the proof's cells,
/// in their order.
pub fn encode_proof(header: &Header, proof: &Proof, commitments: &[[u8; 48]], proofs: &[[u8; 48]]) -> Bytes {
    let cells = proof.cells.iter().zip(proofs).map(|(cell, kzg)| IDataAvailability::Cell {
        row: cell.row,
        column: cell.column,
        data: cell.data.clone().into(),
        proof: kzg.to_vec().into(),
    });
    IFraudJudge::FraudProof {
        header: header.encode().into(),
        kind: proof.kind as u8,
        commitments: commitments.concat().into(),
        cells: cells.collect(),
        evidence: proof.evidence.clone().into(),
    }
    .abi_encode()
    .into()
}

/// keccak256(abi.encode(batch root, keccak256(fraud proof), watcher, salt)): what is committed to, in a block before the proof.
pub fn commitment(root: B256, fraud_proof: &[u8], watcher: Address, salt: B256) -> B256 {
    keccak256((root, keccak256(fraud_proof), watcher, salt).abi_encode())
}

/// Commits to a proof. Twice changes nothing while the first lives.
pub fn commit(commitment: B256) -> Request {
    let call = IPayoutProofs::commitChallengeCall { commitment };
    Request::call("committing to a fraud proof", PAYOUT_PROOFS, &call)
}

/// Challenges with a proof, revealing the sender's commitment.
pub fn challenge(root: B256, fraud_proof: Bytes, salt: B256) -> Request {
    let call = IPayoutProofs::challenge_1Call { batchRoot: root, fraudProof: fraud_proof, salt };
    Request::call(format!("challenging batch {root}"), PAYOUT_PROOFS, &call)
}

/// Challenges without a commitment: nobody is rewarded.
pub fn challenge_unrewarded(root: B256, fraud_proof: Bytes) -> Request {
    let call = IPayoutProofs::challenge_0Call { batchRoot: root, fraudProof: fraud_proof };
    Request::call(format!("challenging batch {root}"), PAYOUT_PROOFS, &call)
}

/// Has a void batch's award paid once no commitment can count any more; anyone may.
pub fn pay_award(root: B256, header: Bytes) -> Request {
    let call = IPayoutProofs::payAwardCall { batchRoot: root, header };
    Request::call(format!("paying the award of batch {root}"), PAYOUT_PROOFS, &call)
}

/// What became of a void batch's slash.
///
/// # Errors
/// [`ClientError`].
pub fn award(chain: &Chain, root: B256) -> Result<Award, ClientError> {
    chain.view(PAYOUT_PROOFS, &IPayoutProofs::awardOfCall { batchRoot: root })
}

/// When a commitment was made; order 0: never, or revealed.
///
/// # Errors
/// [`ClientError`].
pub fn commitment_of(chain: &Chain, commitment: B256) -> Result<Commitment, ClientError> {
    chain.view(PAYOUT_PROOFS, &IPayoutProofs::commitmentOfCall { commitment })
}
