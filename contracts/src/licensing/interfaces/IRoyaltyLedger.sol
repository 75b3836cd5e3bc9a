// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ISplitRegistry} from "./ISplitRegistry.sol";

/// @title The only place where settlement money rests (ARCHITECTURE §6; C5, C11, C12, C27, C44)
/// @notice Payers fund pots; a settler reserves and settles rows; payees pull. Per token and to the unit, at any moment:
/// deposited = free + reserved + owed to payees (held or not) + residual + fees + withdrawn.
/// @dev Token `address(0)` is CHM. Amounts are in the token's minor unit.
interface IRoyaltyLedger {
    // ---------------------------------------------------------------- types

    /// @notice One row of a batch: what one payer's receipts of one licence say. Settled once (nullifier: batch, payer, licence).
    /// @param revenue What the receipts say, in minor units.
    struct Row {
        bytes32 batch;
        bytes20 lane;
        uint32 period;
        address token;
        address payer;
        bytes32 licence;
        uint128 revenue;
    }

    /// @notice Names an account of kept money. `route` = keccak256(abi.encode(parentRoute, licence, splitVersion, true)).
    /// @param generation 0 until the route was closed and paid again.
    struct RouteKey {
        bytes32 licence;
        uint32 splitVersion;
        bytes32 parentRoute;
        uint16 generation;
    }

    /// @notice Money that a route has seen: cumulative inflow, and what of it passed up. kept = inflow − passedUp.
    struct Account {
        uint112 inflow;
        uint112 passedUp;
        uint32 lastPeriod;
    }

    /// @notice What is due of (token, licence, lane, period) so far, at the rates that its first settlement fixed.
    struct Accrual {
        uint128 revenue;
        uint128 base;
        uint96 fee;
        uint96 feeCap;
        uint16 royaltyBps;
        uint16 feeBps;
    }

    /// @notice An escrow hold (REF §7 EscrowHold). What it covers is captured when it would be withdrawn.
    /// @param payee Whom; 0: each payee, in proportion to its weight, rounded up.
    /// @param amount How much; `type(uint128).max`: everything.
    struct Hold {
        bytes32 licence;
        address token;
        address payee;
        uint128 amount;
        bytes32 reasonRef;
        uint64 placedAt;
        uint64 releasedAt;
    }

    struct Payout {
        RouteKey key;
        address token;
        uint32 index;
    }

    struct LeafPayout {
        RouteKey key;
        address token;
        ISplitRegistry.Leaf leaf;
        uint256 path;
        bytes32[] siblings;
        uint96[] sums;
    }

    // ---------------------------------------------------------------- events

    event TokenEnabled(address indexed token, uint8 decimals);
    event TokenDisabled(address indexed token);
    event PotDeposited(
        address indexed payer, bytes20 indexed lane, address indexed token, address from, uint256 amount
    );
    event PotWithdrawn(address indexed payer, bytes20 indexed lane, address indexed token, address to, uint256 amount);
    event PotReserved(bytes32 indexed batch, address indexed payer, bytes20 lane, address token, uint256 amount);
    event PotReleased(bytes32 indexed batch, address indexed payer, bytes20 lane, address token, uint256 amount);
    /// @notice A row settled: the licence's own base and fee by it; `route` is where the rest flowed in.
    event Settled(
        bytes32 indexed licence,
        bytes32 indexed batch,
        address indexed payer,
        bytes20 lane,
        uint32 period,
        address token,
        uint256 revenue,
        uint256 base,
        uint256 fee,
        bytes32 route
    );
    /// @notice What one licence on the way kept of a settlement, and what it passed up.
    event PayoutReceipt(
        bytes32 indexed licence,
        bytes32 indexed route,
        address indexed token,
        uint32 period,
        uint256 inflow,
        uint256 kept,
        uint256 passedUp
    );
    /// @notice A route's preimage, the first time that it receives.
    event RouteOpened(
        bytes32 indexed licence, bytes32 indexed route, bytes32 parentRoute, uint32 splitVersion, uint16 generation
    );
    event RouteClosed(
        bytes32 indexed licence, bytes32 indexed route, address indexed token, uint16 generation, uint256 residual
    );
    event Withdrawn(
        bytes32 indexed licence, address indexed payee, address indexed token, bytes32 route, address to, uint256 amount
    );
    event WithdrawalFailed(bytes32 indexed licence, address indexed token, bytes reason);
    event HoldPlaced(
        uint256 indexed holdId, bytes32 indexed licence, address token, address payee, uint128 amount, bytes32 reasonRef
    );
    event HoldReleased(uint256 indexed holdId);
    event HoldCaptured(uint256 indexed holdId, address indexed payee, uint256 amount);
    event FeesCollected(address indexed token, uint256 amount);

    // ---------------------------------------------------------------- errors

    error TokenNotEnabled(address token);
    error TokenKnown(address token);
    error TokenMissing(address token);
    error TokenDecimals(uint8 decimals, uint8 most);
    /// @notice The token moved another amount than it was told: fee-on-transfer and rebasing tokens are refused.
    error TokenMoved(address token, uint256 expected, uint256 moved);
    /// @notice The ledger holds less of the token than it owes.
    error TokenShort(address token, uint256 held, uint256 owed);
    error ValueMismatch(uint256 sent, uint256 stated);
    error AmountZero();
    error AmountTooLarge(uint256 amount, uint256 most);
    error Unfunded(address payer, uint256 missing);
    error ReservationShort(bytes32 batch, address payer, uint256 reserved, uint256 needed);
    error AlreadySettled(bytes32 batch, address payer, bytes32 licence);
    error NothingDue(bytes32 licence, address payee);
    error NotPayee(address caller, address payee);
    error PayoutsPaused(uint64 untilHeight);
    error RouteUnsettled(bytes32 licence, address settler);
    error RouteUnknown(bytes32 route);
    error LeavesUnclaimed(uint256 claimed, uint256 leaves);
    error HoldUnknown(uint256 holdId);
    error HoldReleasedAlready(uint256 holdId);
    error HoldInForce(uint256 holdId);
    error TooManyHolds(bytes32 licence, uint256 most);
    error RecipientForbidden(address to);
    /// @notice A batch of withdrawals has too little gas left before one: all of it is undone. Send `asked` for each that remains
    /// at worst; what is not used comes back.
    error BatchGas(uint256 index, uint256 left, uint256 asked);
    error TooManySettlers(uint256 most);
    error Reentrancy();

    // ---------------------------------------------------------------- pots

    /// @notice Funds the pot of `payer`; anyone may. Value for CHM, an allowance for a token.
    function deposit(address token, bytes20 lane, address payer, uint256 amount) external payable;
    /// @notice The payer takes back what is free.
    function withdrawPot(address token, bytes20 lane, uint256 amount, address to) external;
    function potOf(address token, bytes20 lane, address payer) external view returns (uint256 free, uint256 reserved);

    // ---------------------------------------------------------------- settlers (the payout contract)

    function reserve(bytes32 batch, address token, bytes20 lane, address payer, uint256 amount) external;
    /// @notice Returns what is left of a batch's reservation.
    function release(bytes32 batch, address token, bytes20 lane, address payer) external returns (uint256 amount);
    /// @notice Pays a row out of its batch's reservation and returns what the row did not need to the pot.
    /// @return base Royalty due by it. @return fee Taken of that.
    function settle(Row calldata row) external returns (uint256 base, uint256 fee);
    function settleBatch(Row[] calldata rows) external;
    function isSettled(bytes32 batch, address payer, bytes32 licence) external view returns (bool);

    // ---------------------------------------------------------------- payees

    /// @notice Pays a payee of a vector what is due; anyone may call, the money goes to the payee.
    function withdraw(Payout calldata p) external returns (uint256 amount);
    /// @notice The payee itself, to another address.
    function withdrawTo(Payout calldata p, address to) external returns (uint256 amount);
    function withdrawLeaf(LeafPayout calldata p) external returns (uint256 amount);
    /// @notice Several; one that fails is reported and stops no other. Before each about 925,000 gas must be left, or all is
    /// undone (`BatchGas`).
    function withdrawBatch(Payout[] calldata ps) external returns (uint256[] memory amounts);
    /// @notice What a released hold had captured.
    function withdrawReleased(uint256 holdId, address payee) external returns (uint256 amount);
    function withdrawable(Payout calldata p) external view returns (uint256 amount, uint256 held);

    // ---------------------------------------------------------------- reading

    function accrualOf(address token, bytes32 licence, bytes20 lane, uint32 period)
        external
        view
        returns (Accrual memory);
    function accountOf(address token, RouteKey calldata key) external view returns (Account memory);
    function takenOf(address token, RouteKey calldata key, uint256 indexOrStart) external view returns (uint256);
    /// @notice The key of the route of `licence` for `period` (its first, before any close).
    function routeKeyOf(bytes32 licence, uint32 period) external view returns (RouteKey memory);
    /// @notice REF §8.1 PayoutReceipt of a vector's route, worked out now: who is owed what of it in all. `merkleRoot`:
    /// that of `ISplitRegistry.allocate`.
    function payoutReceipt(address token, RouteKey calldata key)
        external
        view
        returns (ISplitRegistry.Allocation[] memory allocations, uint256 kept, uint256 residual, bytes32 merkleRoot);
    /// @notice A payee's amount with its Merkle path to `payoutReceipt`'s root, and the storage slot (for `eth_getProof`) of
    /// the account it follows from.
    function payoutProof(address token, RouteKey calldata key, uint256 index)
        external
        view
        returns (ISplitRegistry.Allocation memory allocation, bytes32[] memory path, bytes32 accountSlot);
    /// @notice Everything of `token` that has come in and not gone out.
    function accounted(address token) external view returns (uint256);
    function feesOwed(address token) external view returns (uint256);

    // ---------------------------------------------------------------- holds, closing, fees, governance

    function placeHold(bytes32 licence, address token, address payee, uint128 amount, bytes32 reasonRef)
        external
        returns (uint256 holdId);
    function releaseHold(uint256 holdId) external;
    function holdOf(uint256 holdId) external view returns (Hold memory);
    /// @notice Sweeps the residual of a route that is superseded, 60 days past its last period and without unsettled rows.
    function closeRoute(address token, RouteKey calldata key) external returns (uint256 residual);
    /// @notice Sends the fees so far to FeeRouter; anyone may.
    function collectFees(address token) external returns (uint256 amount);
    function enableToken(address token, uint8 decimals) external;
    /// @notice Stops new money of it; what is here can be settled and withdrawn.
    function disableToken(address token) external;
    /// @notice Copies from PauseFlags until when payouts are paused. PauseFlags calls it at every change; anyone may.
    function notePause() external;
    /// @notice Who holds the role SETTLER: at most eight, each asked before a route closes.
    function settlers() external view returns (address[] memory);
}

/// @title What a settler answers before a route closes
interface ISettlementSource {
    /// @return Whether rows of `licence`, or of any licence below it in the override forest, in periods up to `period` are still
    /// to be settled or could still be submitted: what the ones below settle flows into its account too.
    function hasUnsettledRows(bytes32 licence, uint32 period) external view returns (bool);
}
