// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPauseFlags} from "../../core/interfaces/IPauseFlags.sol";
import {IRoyaltyLedger, ISettlementSource} from "../../licensing/interfaces/IRoyaltyLedger.sol";
import {PeriodLib} from "../../licensing/libraries/PeriodLib.sol";
import {IADEProofs} from "../interfaces/IADEProofs.sol";
import {ILane} from "../interfaces/ILane.sol";
import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";
import {BlobIds} from "../libraries/BlobIds.sol";
import {RowTree} from "../libraries/RowTree.sol";
import {PayoutChallenges} from "./PayoutChallenges.sol";

/// @title How a batch that stood is paid, and what comes back of it
abstract contract PayoutSettlement is PayoutChallenges {
    /// @notice Rows settle for so long after their batch is final; then what they reserved goes back (decision 0014).
    uint256 public constant SETTLE_WINDOW = 365 days;
    uint256 private constant BPS = 10_000;

    // ---------------------------------------------------------------- finalising

    /// @inheritdoc IADEProofs
    /// @dev Upholds [PAY-40], [PAY-41].
    function finalize(bytes32 batchRoot) external nonReentrant {
        uint64 keptUntil = _batches[batchRoot].keptUntil;
        _finalize(batchRoot);
        if (block.timestamp >= keptUntil) revert DataNotKept(batchRoot, keptUntil);
    }

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-41].
    function finalizeKept(bytes32 batchRoot, bytes calldata header) external nonReentrant {
        _finalize(batchRoot);
        bytes32 id = BlobIds.idOf(_headerOf(batchRoot, header));
        if (!DATA.isAvailableUntil(id, uint64(block.timestamp))) {
            revert DataNotKept(batchRoot, _batches[batchRoot].keptUntil);
        }
    }

    function _finalize(bytes32 batchRoot) private {
        _checkStatus(batchRoot, Status.Open);
        Batch storage b = _batches[batchRoot];
        if (block.timestamp < b.closesAt || block.number < b.closesHeight) {
            revert WindowOpen(b.closesAt, b.closesHeight);
        }
        uint64 paused = PAUSES.pausedUntil(IPauseFlags.Flag.Payouts);
        if (block.number < paused) revert PayoutsPaused(paused);
        b.status = Status.Finalized;
        b.finalizedAt = uint40(block.timestamp);
        _unlock(b.submitter, SLASH_UNITS * b.bond);
        emit Finalized(batchRoot);
    }

    // ---------------------------------------------------------------- settling

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-42], [PAY-43], [PAY-44], [PAY-50]. The ledger refuses a row that was settled.
    function settle(
        bytes32 batchRoot,
        Claim calldata claim,
        TableRow calldata row,
        uint256 index,
        bytes32[] calldata siblings
    ) external nonReentrant returns (uint256 base, uint256 fee) {
        _checkStatus(batchRoot, Status.Finalized);
        Batch storage b = _claimOf(batchRoot, claim);
        if (!RowTree.verify(claim.licensesRoot, RowTree.leafOf(row), index, claim.rows, siblings)) {
            revert RowNotInBatch(batchRoot);
        }
        uint256 revenue = row.revenue * 10 ** uint256(claim.scale);
        if (revenue > type(uint128).max) revert AmountTooLarge(revenue, type(uint128).max);
        uint32 left = b.unsettled - 1;
        b.unsettled = left;
        if (left == 0) _done(batchRoot, claim.period);
        (base, fee) = LEDGER.settle(
            IRoyaltyLedger.Row({
                batch: batchRoot,
                lane: claim.lane,
                period: claim.period,
                token: claim.token,
                payer: row.payer,
                licence: row.licence,
                // Bounded above.
                // forge-lint: disable-next-line(unsafe-typecast)
                revenue: uint128(revenue)
            })
        );
        uint256 rebate = fee * claim.rebateBps / BPS;
        if (rebate == 0) return (base, fee);
        _rebates[b.submitter][claim.token] += rebate;
        emit RebateEarned(batchRoot, b.submitter, claim.token, rebate);
    }

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-34], [PAY-45], [PAY-48].
    function release(bytes32 batchRoot, Claim calldata claim, bytes calldata header) external nonReentrant {
        Batch storage b = _claimOf(batchRoot, claim);
        if (b.released) revert AlreadyReleased(batchRoot);
        b.released = true;
        uint256 standing;
        if (b.status == Status.Finalized) {
            uint256 until = b.finalizedAt + SETTLE_WINDOW;
            if (block.timestamp < until) revert RowsUnsettled(batchRoot, b.unsettled, uint64(until));
            _done(batchRoot, claim.period);
        } else if (b.status == Status.Void) {
            standing = _standing[batchRoot];
        } else if (b.status == Status.Open) {
            uint256 until = uint256(b.keptUntil) + SETTLE_WINDOW;
            if (block.timestamp < until) revert BatchStatus(batchRoot, Status.Open);
            // Its data is gone and nobody brought it back: nothing can convict it, nothing can make it final.
            _unlock(b.submitter, SLASH_UNITS * b.bond);
            _done(batchRoot, claim.period);
            standing = _standing[batchRoot];
        } else if (b.status != Status.Done) {
            revert BatchStatus(batchRoot, b.status);
        }
        ILane.PayerTotal[] memory payers = _headerOf(batchRoot, header).payers;
        uint256 unit = 10 ** uint256(claim.scale);
        for (uint256 i; i < payers.length; ++i) {
            address payer = payers[i].payer;
            if (standing >> i & 1 == 1) {
                LANES.giveBack(payer, claim.lane, claim.period, b.submitter, payers[i].owed * unit);
            }
            LEDGER.release(batchRoot, claim.token, claim.lane, payer);
        }
        emit BatchReleased(batchRoot);
    }

    function _done(bytes32 batchRoot, uint32 period) private {
        _batches[batchRoot].status = Status.Done;
        --_unsettled[period];
        emit BatchDone(batchRoot);
    }

    // ---------------------------------------------------------------- rebates

    /// @inheritdoc IPayoutProofs
    function rebateOf(address submitter, address token) external view returns (uint256) {
        return _rebates[submitter][token];
    }

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-51].
    function claimRebate(address token) external nonReentrant returns (uint256 amount) {
        amount = _rebates[msg.sender][token];
        (,, uint256 has) = FEES.accrued(token);
        if (amount > has) amount = has;
        if (amount == 0) revert NothingOwed(msg.sender, token);
        _rebates[msg.sender][token] -= amount;
        emit RebatePaid(msg.sender, token, amount);
        FEES.payRebate(token, msg.sender, amount);
    }

    // ---------------------------------------------------------------- what is not settled

    /// @inheritdoc ISettlementSource
    /// @dev Of any licence: a batch's rows are not known here, only how many are left. Upholds [PAY-46].
    function hasUnsettledRows(bytes32, uint32 period) external view returns (bool) {
        if (!_isClosed(period)) return true;
        uint32 first = _firstPeriod;
        while (first <= period) {
            if (_unsettled[first] != 0) return true;
            first = _after(first);
        }
        return false;
    }

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-47].
    function passPeriods(uint256 most) external {
        uint32 first = _firstPeriod;
        while (most != 0 && _unsettled[first] == 0 && _isClosed(first)) {
            first = _after(first);
            --most;
        }
        _firstPeriod = first;
        emit PeriodsPassed(first);
    }

    function _isClosed(uint32 period) private view returns (bool) {
        (, uint64 end) = PeriodLib.bounds(period);
        return block.timestamp >= end + BATCH_WINDOW;
    }

    function _after(uint32 period) private pure returns (uint32) {
        (, uint64 end) = PeriodLib.bounds(period);
        return PeriodLib.containing(end);
    }
}
