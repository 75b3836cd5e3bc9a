// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ISettlementSource} from "../../licensing/interfaces/IRoyaltyLedger.sol";
import {IADEProofs} from "./IADEProofs.sol";
import {IDataAvailability} from "./IDataAvailability.sol";
import {ILane} from "./ILane.sol";

/// @title Payout proofs: a batch is submitted with a bond, stands for T, and is settled row by row (ARCHITECTURE §6)
/// @notice A batch is known by keccak256 of its header. It is right or provably wrong in one transaction. Amounts in headers
/// and rows are in the lane's minor unit; in pots, allowances and authorisations in the token's.
interface IPayoutProofs is IADEProofs, ISettlementSource {
    // ---------------------------------------------------------------- types

    /// @notice Open: can be challenged. Void: proven wrong. Finalized: its rows settle. Done: nothing of it settles any more.
    enum Status {
        None,
        Open,
        Void,
        Finalized,
        Done
    }

    /// @notice How a payer consents to its total: by its signature (ECDSA, or ERC-1271 of a contract) over
    /// `PayerAuthorisation(bytes32 batchRoot,uint256 total)`, or, with `standing`, out of its
    /// allowance in LaneRegistry.
    struct PayerAuthorisation {
        bool standing;
        bytes signature;
    }

    /// @param closesAt Second and @param closesHeight height from which it can finalise. @param released Whether what was left of
    /// its reservations went back. @param bond Unit b; ten times that is locked while the batch is open. @param unsettled Rows
    /// still to settle. @param order Among all batches, from 1. @param finalizedAt Seconds; 0 before. @param keptUntil Second up
    /// to which the blob was attested when the batch came.
    struct Batch {
        address submitter;
        Status status;
        uint40 closesAt;
        uint40 closesHeight;
        bool released;
        uint96 bond;
        uint32 unsettled;
        uint40 order;
        uint40 finalizedAt;
        uint40 keptUntil;
        bytes32 claimHash;
    }

    /// @notice What settling needs to know of a batch; `claimHash` = keccak256(abi.encode(claim)). `BatchAccepted` carries it.
    /// @param scale The token's minor units in one of the lane's, as a power of ten. @param rebateBps Of the fee, if timely.
    struct Claim {
        bytes20 lane;
        uint32 period;
        address token;
        uint8 scale;
        uint16 rebateBps;
        uint32 rows;
        bytes32 licensesRoot;
    }

    /// @notice A table row, leaf of `licensesRoot`: keccak256(0x00 ‖ payer ‖ licence ‖ firstRecord ‖ count ‖ revenue ‖ royaltyBps ‖
    /// owed), each in its own width.
    struct TableRow {
        address payer;
        bytes32 licence;
        uint32 firstRecord;
        uint32 count;
        uint128 revenue;
        uint16 royaltyBps;
        uint128 owed;
    }

    /// @notice What became of a void batch's slash. `order`: of the earliest commitment revealed; 0: none.
    struct Award {
        uint40 voidAt;
        uint40 voidHeight;
        bool paid;
        address winner;
        uint64 order;
    }

    struct Commitment {
        uint40 time;
        uint40 height;
        uint64 order;
    }

    /// @notice CHM of an account here: free, and locked behind its open batches.
    struct Collateral {
        uint128 free;
        uint128 locked;
    }

    // ---------------------------------------------------------------- events

    /// @notice All that a watcher needs to find and check a batch.
    event BatchAccepted(
        bytes32 indexed batchRoot, bytes20 indexed lane, uint32 indexed period, uint32 number, Claim claim, bytes header
    );
    /// @notice `kind` as in `ILane.Verdict`.
    event BatchVoided(bytes32 indexed batchRoot, address indexed submitter, uint8 kind, uint256 slashed);
    event BatchDone(bytes32 indexed batchRoot);
    event BatchReleased(bytes32 indexed batchRoot);
    event ChallengeCommitted(bytes32 indexed commitment, uint64 order);
    event ChallengeRevealed(bytes32 indexed batchRoot, address indexed watcher, uint64 order);
    event AwardPaid(bytes32 indexed batchRoot, address indexed winner, uint256 reward, uint256 forfeited);
    event CollateralAdded(address indexed account, address indexed from, uint256 amount);
    event CollateralWithdrawn(address indexed account, address indexed to, uint256 amount);
    event RebateEarned(bytes32 indexed batchRoot, address indexed submitter, address indexed token, uint256 amount);
    event RebatePaid(address indexed submitter, address indexed token, uint256 amount);
    event PeriodsPassed(uint32 first);

    // ---------------------------------------------------------------- errors

    /// @notice REF's `submit` carries no data; use `submit(bytes, PayerAuthorisation[])`.
    error HeaderRequired();
    error SubmitPaused(uint64 untilHeight);
    error BatchKnown(bytes32 batchRoot);
    error BatchStatus(bytes32 batchRoot, Status status);
    error ParametersVersion(uint32 given, uint32 inForce);
    error PeriodNotBegun(uint32 period, uint64 start);
    error PeriodOver(uint32 period, uint64 until);
    error AsOfNotPast(uint64 asOf, uint64 time);
    error PredecessorStale(bytes32 given, bytes32 last);
    error NumberWrong(uint32 given, uint32 next);
    /// @notice `what`: `LENGTH`, `FORMAT`, `LANE`, `PERIOD`, `ROWS`, `COMMITMENT`, as ASCII.
    error BlobMismatch(bytes32 what);
    error BlobUnavailable(bytes32 id, IDataAvailability.Status status);
    error BlobExpiresEarly(bytes32 id, uint64 expiresAt, uint64 needed);
    error TooManyRows(uint256 rows, uint256 most);
    error PayerCount(uint256 given, uint256 most);
    error PayersNotAscending(uint256 index);
    error AuthorisationCount(uint256 given, uint256 payers);
    error AuthorisationInvalid(address payer);
    error AmountTooLarge(uint256 amount, uint256 most);
    error CollateralShort(address account, uint256 free, uint256 needed);
    error HeaderMismatch(bytes32 batchRoot, bytes32 given);
    error CommitmentUnknown(bytes32 commitment);
    /// @notice Made in this very block, or after the batch was void.
    error CommitmentTooNew(bytes32 commitment);
    error CommitmentExpired(bytes32 commitment);
    error NotEarlier(bytes32 batchRoot, uint64 order, uint64 best);
    error WindowOpen(uint64 closesAt, uint64 closesHeight);
    /// @notice Nothing finalises without available data: publish the blob again.
    error DataNotKept(bytes32 batchRoot, uint64 keptUntil);
    error PayoutsPaused(uint64 untilHeight);
    error ClaimMismatch(bytes32 batchRoot);
    error RowNotInBatch(bytes32 batchRoot);
    error RevealOpen(bytes32 batchRoot);
    error AlreadyPaid(bytes32 batchRoot);
    error AlreadyReleased(bytes32 batchRoot);
    error RowsUnsettled(bytes32 batchRoot, uint256 rows, uint64 until);
    error NothingOwed(address account, address token);

    // ---------------------------------------------------------------- collateral

    /// @notice Anyone adds to anyone's.
    function addCollateral(address account) external payable;
    /// @notice Of the caller's free collateral; rewards arrive there too.
    function withdrawCollateral(uint256 amount, address to) external;
    function collateralOf(address account) external view returns (Collateral memory);

    // ---------------------------------------------------------------- a batch's life

    /// @notice What a payer signs (EIP-712). `total`: in the token's minor unit.
    function authorisationDigest(bytes32 batchRoot, uint256 total) external view returns (bytes32);

    /// @param header Canonical bytes (spec/lanes.md). @param authorisations One a payer, in the header's order.
    function submit(bytes calldata header, PayerAuthorisation[] calldata authorisations)
        external
        returns (bytes32 batchRoot);
    /// @notice `commitment` = keccak256(abi.encode(batchRoot, keccak256(fraudProof), watcher, salt)). It lives for ten minutes
    /// and 250 heights, whichever is later; committing again while it lives changes nothing.
    function commitChallenge(bytes32 commitment) external;
    /// @notice As REF's `challenge`, revealing the caller's commitment: voids an open batch, or competes for the reward of one
    /// void already.
    function challenge(bytes32 batchRoot, bytes calldata fraudProof, bytes32 salt) external;
    /// @notice Once no commitment can be revealed any more: pays the winner, and the rest to the Claims Pool.
    function payAward(bytes32 batchRoot, bytes calldata header) external;
    /// @notice As `finalize`, for a window that outlasted its data: shows that the blob is available again.
    function finalizeKept(bytes32 batchRoot, bytes calldata header) external;
    /// @notice Pays one row, once; anyone may.
    function settle(
        bytes32 batchRoot,
        Claim calldata claim,
        TableRow calldata row,
        uint256 index,
        bytes32[] calldata siblings
    ) external returns (uint256 base, uint256 fee);
    /// @notice Returns what is left of the reservations: of a void batch at any time; of a finalised one when every row has
    /// settled, or a year after, which ends it; of an open one that nobody could finalise a year after its data's expiry, which
    /// ends it and frees its collateral.
    function release(bytes32 batchRoot, Claim calldata claim, bytes calldata header) external;
    function batchOf(bytes32 batchRoot) external view returns (Batch memory);
    /// @notice What the judge asks: who submitted, which payers (bit i: the header's i-th) consented by allowance, its place
    /// among all batches (0: never accepted), and whether it is void.
    function consentOf(bytes32 batchRoot)
        external
        view
        returns (address submitter, uint256 standing, uint40 order, bool isVoid);
    function awardOf(bytes32 batchRoot) external view returns (Award memory);
    function commitmentOf(bytes32 commitment) external view returns (Commitment memory);
    /// @notice The header hash that the next batch names as its predecessor.
    function lastBatchOf(bytes20 lane) external view returns (bytes32);
    /// @notice When it came, in seconds.
    function lastSubmissionAt(bytes20 lane) external view returns (uint40);
    function nextNumber(bytes20 lane, uint32 period) external view returns (uint32);
    /// @notice Unit b for a batch that can owe `total` of the lane's minor units.
    function bondFor(uint256 total, uint8 decimals, uint80 chmPerUnit) external pure returns (uint256);

    // ---------------------------------------------------------------- rebates, periods

    function rebateOf(address submitter, address token) external view returns (uint256);
    /// @notice Pays what the caller has earned, as far as the treasury's share of the fees has it.
    function claimRebate(address token) external returns (uint256 amount);
    /// @notice Steps over at most `most` periods of which nothing can come any more, so that a route's closing need not.
    function passPeriods(uint256 most) external;
}
