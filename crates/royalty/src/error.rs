//! Refusals, named as the contracts' custom errors are, with the same values.

use alloy_primitives::{Address, B256};

/// More than there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{amount} is more than {most}, the most that there is room for")]
pub struct AmountTooLarge {
    /// What was to be added.
    pub amount: u128,
    /// The most that could have been.
    pub most: u128,
}

/// A number that names no week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no period: yyyymm0w, with w from 1 to 5 and a day of it in that month")]
pub struct PeriodMalformed(pub u32);

/// A rate above 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bps} basis points are more than 10,000")]
pub struct RateTooHigh {
    /// The rate, in basis points.
    pub bps: u128,
}

/// Why a split vector is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Nobody to pay.
    #[error("a split needs a payee")]
    SplitEmpty,
    /// More payees than a vector holds.
    #[error("{payees} payees are more than {most}: register a sum tree")]
    SplitTooLarge {
        /// Payees given.
        payees: usize,
        /// The most.
        most: usize,
    },
    /// The zero address.
    #[error("payee {index} is the zero address")]
    SplitPayeeZero {
        /// Place in the vector.
        index: usize,
    },
    /// A payee that gets nothing.
    #[error("payee {index} has no weight")]
    SplitWeightZero {
        /// Place in the vector.
        index: usize,
    },
    /// Payees ascend strictly: one form, nobody twice.
    #[error("payee {index}, {given}, does not come after {before}")]
    SplitOrder {
        /// Place in the vector.
        index: usize,
        /// The payee before.
        before: Address,
        /// The payee at `index`.
        given: Address,
    },
    /// Weights that are not the whole (I1).
    #[error("weights sum to {sum}, not to {denom}")]
    SplitSum {
        /// What they sum to; `u128::MAX` past 128 bits.
        sum: u128,
        /// What they should.
        denom: u128,
    },
    /// A denominator past 96 bits.
    #[error("{0}")]
    Denom(#[from] AmountTooLarge),
}

/// Why a sum tree, or a leaf of one, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More leaves than a tree holds, or none.
    #[error("a tree has 1 to {most} leaves, not {leaves}")]
    SplitTooLarge {
        /// Leaves given.
        leaves: usize,
        /// The most.
        most: usize,
    },
    /// The zero address.
    #[error("the payee of leaf {index} is the zero address")]
    SplitPayeeZero {
        /// Place in the tree.
        index: usize,
    },
    /// An interval that is empty or overruns the whole.
    #[error("[{start}, {start} + {weight}) is no interval of [0, {denom})")]
    LeafRange {
        /// First weight.
        start: u128,
        /// How many.
        weight: u128,
        /// The whole.
        denom: u128,
    },
    /// The path does not lead from the leaf to the root with the sums stated.
    #[error("the leaf is not in this tree at this place")]
    LeafNotInTree,
    /// A path longer than any tree is deep.
    #[error("a path of {given} steps is longer than {most}")]
    ProofTooLong {
        /// Steps given.
        given: usize,
        /// The most.
        most: usize,
    },
    /// Siblings and sums differ in number.
    #[error("{siblings} siblings with {sums} sums")]
    SplitLengths {
        /// Sibling hashes.
        siblings: usize,
        /// Sibling sums.
        sums: usize,
    },
    /// A denominator past 96 bits.
    #[error("{0}")]
    Denom(#[from] AmountTooLarge),
}

/// Why the forest refuses a licence, an edge or a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForestError {
    /// An id is used once for ever.
    #[error("licence {0} exists")]
    Exists(B256),
    /// Nobody minted it.
    #[error("licence {0} is unknown")]
    LicenseUnknown(B256),
    /// No such split, or no such version of a licence's split.
    #[error("split {0} is unknown")]
    SplitUnknown(B256),
    /// A licence below itself.
    #[error("licence {0} cannot be its own parent")]
    EdgeSelf(B256),
    /// A share above 1, or of nothing.
    #[error("{numer}/{denom} is no share")]
    EdgeRate {
        /// Numerator.
        numer: u64,
        /// Denominator.
        denom: u64,
    },
    /// The forest is at most 16 edges deep.
    #[error("licence {parent} is at depth {depth} already, of {most}")]
    EdgeDepth {
        /// The licence above.
        parent: B256,
        /// Its depth.
        depth: u8,
        /// The most.
        most: u8,
    },
    /// A licence's rate above 1 (C31).
    #[error("{0}")]
    RoyaltyTooHigh(#[from] RateTooHigh),
    /// A later checkpoint acts on its own time or later.
    #[error("effective from {effective_from}, before {earliest}")]
    EffectiveInPast {
        /// When it should act.
        effective_from: u64,
        /// The earliest that it can.
        earliest: u64,
    },
    /// A revoked licence or subtree stays revoked.
    #[error("{0} is revoked for ever")]
    RevokedForever(B256),
}

/// Why the ledger refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A token that governance did not enable.
    #[error("token {0} is not enabled")]
    TokenNotEnabled(Address),
    /// Enabling twice.
    #[error("token {0} is known")]
    TokenKnown(Address),
    /// More decimals than fee caps have room for, or others than the token had.
    #[error("{decimals} decimals: {most} are the most, or what the token had before")]
    TokenDecimals {
        /// Given.
        decimals: u8,
        /// The most, or those it had.
        most: u8,
    },
    /// Nothing to move.
    #[error("the amount is zero")]
    AmountZero,
    /// A sum outgrew its width.
    #[error("{0}")]
    AmountTooLarge(#[from] AmountTooLarge),
    /// The pot lacks `missing`.
    #[error("the pot of {payer} lacks {missing}")]
    Unfunded {
        /// Whose pot.
        payer: Address,
        /// How much it lacks.
        missing: u128,
    },
    /// The batch reserved less than the row can owe.
    #[error("batch {batch} has {reserved} of {payer} reserved, the row needs {needed}")]
    ReservationShort {
        /// The batch.
        batch: B256,
        /// Whose money.
        payer: Address,
        /// What is left of the reservation.
        reserved: u128,
        /// What the row needs.
        needed: u128,
    },
    /// A row settles once.
    #[error("batch {batch}: the row of {payer} and {licence} was settled")]
    AlreadySettled {
        /// The batch.
        batch: B256,
        /// The payer.
        payer: Address,
        /// The licence.
        licence: B256,
    },
    /// A number that names no week.
    #[error("{0}")]
    PeriodMalformed(#[from] PeriodMalformed),
    /// Terms and routes are those at the period's start, which must have passed to be known.
    #[error("period {period} begins at {start}")]
    PeriodNotBegun {
        /// The period.
        period: u32,
        /// When it begins, in seconds.
        start: u64,
    },
    /// No money is due of a licence that is not in force.
    #[error("licence {0} was not in force at the period's start")]
    LicenceInactive(B256),
    /// The registry knows no such licence.
    #[error("licence {0} is unknown")]
    LicenseUnknown(B256),
    /// The registry knows no such split.
    #[error("licence {licence} has no split of version {version}")]
    SplitUnknown {
        /// The licence.
        licence: B256,
        /// The version of its split.
        version: u32,
    },
    /// A vector's entry asked of a tree, or the reverse.
    #[error("licence {licence}: the split of version {version} is of the other kind")]
    SplitKind {
        /// The licence.
        licence: B256,
        /// The version of its split.
        version: u32,
    },
    /// No such place in the vector.
    #[error("payee {index} of {payees}")]
    SplitIndex {
        /// Place asked for.
        index: u32,
        /// How many there are.
        payees: usize,
    },
    /// A leaf that does not verify.
    #[error("{0}")]
    Leaf(#[from] TreeError),
    /// Everything was taken.
    #[error("nothing of licence {licence} is due to {payee}")]
    NothingDue {
        /// The licence.
        licence: B256,
        /// The payee.
        payee: Address,
    },
    /// The licence still pays by this route.
    #[error("route {route} of licence {licence} is in force")]
    RouteInForce {
        /// The licence.
        licence: B256,
        /// The route.
        route: B256,
    },
    /// Batches of its last period can still come.
    #[error("route was paid for period {last_period}: it closes after {until}")]
    RouteTooRecent {
        /// The last period that paid.
        last_period: u32,
        /// Seconds; it may close after.
        until: u64,
    },
    /// Rows are still to be settled.
    #[error("rows of licence {0} are unsettled")]
    RouteUnsettled(B256),
    /// A route that no money came by, or a generation that is not open.
    #[error("route {0} has no open account")]
    RouteUnknown(B256),
    /// A tree's residual shows once all leaves have claimed.
    #[error("{claimed} of {leaves} leaves have claimed")]
    LeavesUnclaimed {
        /// Leaves that claimed all that is due.
        claimed: u32,
        /// Leaves in all.
        leaves: u32,
    },
    /// No such hold.
    #[error("hold {0} is unknown")]
    HoldUnknown(u64),
    /// What it captured can be withdrawn after its release.
    #[error("hold {0} is in force")]
    HoldInForce(u64),
    /// Releasing twice.
    #[error("hold {0} is released")]
    HoldReleasedAlready(u64),
    /// Withdrawals look at every hold, so they are few.
    #[error("licence {licence} has {most} holds, the most")]
    TooManyHolds {
        /// The licence.
        licence: B256,
        /// The most.
        most: usize,
    },
}
