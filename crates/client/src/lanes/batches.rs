//! A payout proof's life: submitted, final or void, settled, done.

use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use chlom_crypto::AccountKey;
use chlom_lane::{Header, Row};
use chlom_primitives::address::PAYOUT_PROOFS;

use super::Lane;
use crate::{Chain, ClientError, Request, contracts::payout_proofs::IPayoutProofs};

pub use IPayoutProofs::{Batch, Claim, PayerAuthorisation, TableRow};

/// How a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Never accepted.
    None,
    /// Can be challenged.
    Open,
    /// Proven wrong.
    Void,
    /// Its rows settle.
    Finalized,
    /// Nothing of it settles any more.
    Done,
}

impl Status {
    /// As the contract numbers it.
    pub fn of(batch: &Batch) -> Self {
        match batch.status {
            1 => Self::Open,
            2 => Self::Void,
            3 => Self::Finalized,
            4 => Self::Done,
            _ => Self::None,
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::Void => "void",
            Self::Finalized => "finalized",
            Self::Done => "done",
        }
    }
}

impl Lane<'_> {
    /// Hash of the last accepted header; zero before the first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn last_batch(&self) -> Result<B256, ClientError> {
        self.chain.view(PAYOUT_PROOFS, &IPayoutProofs::lastBatchOfCall { lane: self.word() })
    }

    /// Number of the next batch of a period.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn next_number(&self, period: u32) -> Result<u32, ClientError> {
        self.chain.view(PAYOUT_PROOFS, &IPayoutProofs::nextNumberCall { lane: self.word(), period })
    }
}

/// What the chain keeps of a batch; [`Status::None`] of one that it never took.
///
/// # Errors
/// [`ClientError`].
pub fn batch(chain: &Chain, root: B256) -> Result<Batch, ClientError> {
    chain.view(PAYOUT_PROOFS, &IPayoutProofs::batchOfCall { batchRoot: root })
}

/// Id of a batch's blob.
pub fn blob_id(header: &Header) -> B256 {
    chlom_chain::blobs::blob_id(&super::word(header.lane), header.period.code(), &header.blob.merkle_root)
}

/// What settling needs of an accepted batch: worked out from its header and the lane's parameters, and compared with what the chain keeps.
/// `None` when the chain keeps another.
///
/// # Errors
/// [`ClientError`].
pub fn claim_of(chain: &Chain, header: &Header) -> Result<Option<Claim>, ClientError> {
    let (_, terms) = Lane::new(chain, header.lane).parameters_at(header.period.start())?;
    let claim = |rebate: u16| Claim {
        lane: super::word(header.lane),
        period: header.period.code(),
        token: terms.token,
        scale: terms.tokenDecimals.saturating_sub(terms.decimals),
        rebateBps: rebate,
        rows: header.rows,
        licensesRoot: header.licenses_root,
    };
    // The hash that the chain keeps says which of the two it is: in time for the rebate, or not.
    let kept = batch(chain, header.batch_root())?.claimHash;
    Ok([terms.rebateBps, 0].map(claim).into_iter().find(|claim| claim_hash(claim) == kept))
}

/// What a batch's judge asks: which payers consented by allowance.
///
/// # Errors
/// [`ClientError`].
pub fn consent_of(chain: &Chain, root: B256) -> Result<IPayoutProofs::consentOfReturn, ClientError> {
    chain.view(PAYOUT_PROOFS, &IPayoutProofs::consentOfCall { batchRoot: root })
}

/// Unit b for a batch that can owe `total` of the lane's minor units, wei of CHM; ten of them are locked.
///
/// # Errors
/// [`ClientError`].
pub fn bond_for(
    chain: &Chain,
    total: u128,
    terms: &super::registry::Parameters,
) -> Result<U256, ClientError> {
    let call = IPayoutProofs::bondForCall {
        total: U256::from(total),
        decimals: terms.decimals,
        chmPerUnit: terms.chmPerUnit,
    };
    chain.view(PAYOUT_PROOFS, &call)
}

/// What a payer signs for a batch (EIP-712), worked out here: no node can have it sign anything else. `total` is in the
/// token's minor unit.
pub fn authorisation_digest(chain_id: u64, root: B256, total: U256) -> B256 {
    let domain = (
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
        keccak256("CHLOM PayoutProofs"),
        keccak256("1"),
        U256::from(chain_id),
        PAYOUT_PROOFS,
    );
    let authorisation = (keccak256("PayerAuthorisation(bytes32 batchRoot,uint256 total)"), root, total);
    let (domain, authorisation) = (keccak256(domain.abi_encode()), keccak256(authorisation.abi_encode()));
    keccak256([&[0x19, 0x01][..], domain.as_slice(), authorisation.as_slice()].concat())
}

/// A payer's consent by its signature. `total` is in the token's minor unit.
pub fn authorise(key: &AccountKey, chain_id: u64, root: B256, total: U256) -> PayerAuthorisation {
    let signature = key.sign_hash(authorisation_digest(chain_id, root, total));
    PayerAuthorisation { standing: false, signature: signature.as_bytes().to_vec().into() }
}

/// A payer's consent out of its allowance.
pub fn standing() -> PayerAuthorisation {
    PayerAuthorisation { standing: true, signature: Bytes::new() }
}

/// Submits a batch. Authorisations are in the header's order of payers, one each.
pub fn submit(header: &Header, authorisations: Vec<PayerAuthorisation>) -> Request {
    let what = format!("submitting batch {} of {}", header.number, header.period.code());
    let call = IPayoutProofs::submit_1Call { header: header.encode().into(), authorisations };
    Request::call(what, PAYOUT_PROOFS, &call)
}

/// Makes a batch final whose window is over; anyone may.
pub fn finalize(root: B256) -> Request {
    let call = IPayoutProofs::finalizeCall { batchRoot: root };
    Request::call(format!("finalising batch {root}"), PAYOUT_PROOFS, &call)
}

/// As [`finalize`], of a batch whose window outlasted its data.
pub fn finalize_kept(root: B256, header: Bytes) -> Request {
    let call = IPayoutProofs::finalizeKeptCall { batchRoot: root, header };
    Request::call(format!("finalising batch {root}"), PAYOUT_PROOFS, &call)
}

/// Settles a row of a final batch; anyone may. `index` is its place in the table, `path` from its leaf up.
pub fn settle(root: B256, claim: &Claim, row: &Row, index: u32, path: Vec<B256>) -> Request {
    let call = IPayoutProofs::settleCall {
        batchRoot: root,
        claim: claim.clone(),
        row: table_row(row),
        index: U256::from(index),
        siblings: path,
    };
    Request::call(format!("settling row {index} of batch {root}"), PAYOUT_PROOFS, &call)
}

/// Returns what a batch's reservations hold still: of a void one at any time, of a final one once its rows settled or a year
/// after.
pub fn release(root: B256, claim: &Claim, header: Bytes) -> Request {
    let call = IPayoutProofs::releaseCall { batchRoot: root, claim: claim.clone(), header };
    Request::call(format!("releasing batch {root}"), PAYOUT_PROOFS, &call)
}

/// What the chain keeps of a claim.
pub fn claim_hash(claim: &Claim) -> B256 {
    keccak256(claim.abi_encode())
}

/// Which of these rows have settled, in their order.
///
/// # Errors
/// [`ClientError`].
pub fn are_settled(chain: &Chain, root: B256, rows: &[Row]) -> Result<Vec<bool>, ClientError> {
    use crate::contracts::royalty_ledger::IRoyaltyLedger::isSettledCall;
    let call = |row: &Row| isSettledCall { batch: root, payer: row.payer, licence: row.licence };
    let calls: Vec<_> = rows.iter().map(call).collect();
    chain.view_all(chlom_primitives::address::ROYALTY_LEDGER, &calls)
}

/// A row as the contract takes it.
pub fn table_row(row: &Row) -> TableRow {
    TableRow {
        payer: row.payer,
        licence: row.licence,
        firstRecord: row.first_record,
        count: row.count,
        revenue: row.revenue,
        royaltyBps: row.royalty_bps,
        owed: row.owed,
    }
}
