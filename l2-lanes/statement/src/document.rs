//! The file: lines for people and programs, and the evidence that they follow from. JSON; unknown fields are refused.
//!
//! Amounts are decimal texts of minor units, so that no reader rounds them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use chlom_lane::LaneId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::slots::lane_word;

/// The format that this build writes and reads.
pub const FORMAT: &str = "chlom-statement-1";
/// The most bytes of a file.
pub const MOST_BYTES: usize = 64 << 20;

/// An amount in minor units, or another whole number that must not be rounded: digits within quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units(pub u128);

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = text.parse::<u128>().ok().filter(|value| value.to_string() == text);
        found.map(Self).ok_or_else(|| D::Error::custom(format!("{text:?} is no whole number below 2^128")))
    }
}

impl std::fmt::Display for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What one payee is owed in one token by a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// [`FORMAT`].
    pub format: String,
    /// EIP-155 chain id, as the exporter's node said: the header does not prove it.
    pub chain_id: u64,
    /// RLP of the block's header.
    pub header: Bytes,
    /// Who is paid.
    pub payee: Address,
    /// What is paid in; zero is CHM.
    pub token: Address,
    /// The token's decimals, as the ledger has them.
    pub decimals: u8,
    /// The first period that has lines; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The last period that has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Names whose hashes are ids.
    #[serde(default)]
    pub names: Names,
    /// What was earned, line by line.
    pub lines: Vec<Line>,
    /// The payee's accounts: all that was ever earned by each, whatever the periods of the lines.
    pub accounts: Vec<AccountLine>,
    /// Over all accounts.
    pub total: Total,
    /// What proves it.
    pub evidence: Evidence,
}

/// Names of licences and lanes, for people. An id is the hash of its name, so a wrong one shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// By id: keccak256 of the name.
    #[serde(default)]
    pub licences: BTreeMap<B256, String>,
    /// By id: the first 20 bytes of keccak256 of the name.
    #[serde(default)]
    pub lanes: BTreeMap<LaneId, String>,
}

/// What one licence, lane and period brought a payee by one of its accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// The licence whose split names the payee.
    pub licence: B256,
    /// The licence whose receipts earned it: the same, or one below of which a part passes up.
    pub earned_by: B256,
    /// The lane that settled it.
    pub lane: LaneId,
    /// The period, `yyyymm0w`.
    pub period: u32,
    /// Revenue of those receipts.
    pub revenue: Units,
    /// The royalty of the licence that earned it, basis points.
    pub royalty_bps: u16,
    /// Royalty due of the revenue.
    pub base: Units,
    /// The network's fee on that.
    pub fee: Units,
    /// What of it reached the payee's licence.
    pub inflow: Units,
    /// What of that passed further up.
    pub passed_up: Units,
    /// What the payee's licence kept of it.
    pub kept: Units,
    /// The payee's weight.
    pub weight: Units,
    /// What all weights sum to.
    pub denom: Units,
    /// What the payee is owed of it.
    pub amount: Units,
    /// What of the evidence proves it.
    pub proof: LineProof,
}

/// Places in [`Evidence::routes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineProof {
    /// The payee's route.
    pub route: usize,
    /// The route that earned it.
    pub earned_by: usize,
    /// Which of that route's accruals.
    pub accrual: usize,
}

/// One of the payee's accounts, over all time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountLine {
    /// The licence.
    pub licence: B256,
    /// Place in [`Evidence::routes`].
    pub route: usize,
    /// What the licence kept.
    pub kept: Units,
    /// The payee's weight.
    pub weight: Units,
    /// What all weights sum to.
    pub denom: Units,
    /// What the payee is owed of it in all.
    pub amount: Units,
    /// What it took of that; what enforcement holds counts as taken.
    pub taken: Units,
    /// What it can still take.
    pub due: Units,
}

/// Over all accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Owed in all.
    pub amount: Units,
    /// Taken of that.
    pub taken: Units,
    /// The rest.
    pub due: Units,
}

/// What proves a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Routes, each after the one above it.
    pub routes: Vec<Route>,
    /// Batches of which rows are shown.
    #[serde(default)]
    pub batches: Vec<Batch>,
    /// RLP of trie nodes, by their hashes' order.
    pub nodes: Vec<Bytes>,
}

/// A licence on the way of money, by the terms of some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The licence.
    pub licence: B256,
    /// The version of its split.
    pub split_version: u32,
    /// Whether it counts; one that does not is skipped.
    pub active: bool,
    /// Place of the route above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
    /// The split, where the payee is paid by this route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What the licence's own receipts brought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accruals: Vec<AccrualOf>,
}

/// A split of which the payee has a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Split {
    /// In full: payee and weight, payees ascending.
    Vector(Vec<(Address, Units)>),
    /// A sum tree's root, and the payee's leaves.
    Tree {
        /// The root.
        root: B256,
        /// What all weights sum to.
        denom: Units,
        /// How many leaves it has.
        leaves: u32,
        /// The payee's, ascending.
        own: Vec<OwnLeaf>,
    },
}

/// A leaf of a sum tree and its way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLeaf {
    /// First weight.
    pub start: Units,
    /// How many.
    pub weight: Units,
    /// Bit i set: the node at step i is the right child.
    pub path: U256,
    /// Sibling and sum, from the leaf up.
    pub siblings: Vec<(B256, Units)>,
}

/// What a lane settled of a route's licence in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccrualOf {
    /// The lane.
    pub lane: LaneId,
    /// The period.
    pub period: u32,
    /// All rows of it, where they are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<RowOf>>,
}

/// A batch of which rows are shown: what the chain keeps the hash of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// Hash of its header.
    pub root: B256,
    /// Lane.
    pub lane: LaneId,
    /// Period.
    pub period: u32,
    /// Token.
    pub token: Address,
    /// A minor unit of the lane is 10^scale of the token's.
    pub scale: u8,
    /// Of each fee, to the submitter.
    pub rebate_bps: u16,
    /// Rows of the batch.
    pub rows: u32,
    /// Root over them.
    pub licenses_root: B256,
}

impl Batch {
    /// keccak256(abi.encode(claim)): what PayoutProofs keeps of it. Upholds [PAY-22].
    pub fn claim_hash(&self) -> B256 {
        let words = [
            lane_word(&self.lane),
            U256::from(self.period).into(),
            self.token.into_word(),
            U256::from(self.scale).into(),
            U256::from(self.rebate_bps).into(),
            U256::from(self.rows).into(),
            self.licenses_root,
        ];
        keccak256(words.concat())
    }
}

/// A row of a batch and its way to the root over the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RowOf {
    /// Place in [`Evidence::batches`].
    pub batch: usize,
    /// Place in the batch.
    pub index: u32,
    /// Who owed.
    pub payer: Address,
    /// Index of its first record in the batch.
    pub first_record: u32,
    /// Its receipts.
    pub count: u32,
    /// Their revenue, in the lane's minor unit.
    pub revenue: Units,
    /// The rate that the lane named.
    pub royalty_bps: u16,
    /// The most it could owe, in the lane's minor unit.
    pub owed: Units,
    /// Siblings from the leaf up.
    pub path: Vec<B256>,
}
