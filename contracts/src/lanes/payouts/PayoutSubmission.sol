// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {PeriodLib} from "../../licensing/libraries/PeriodLib.sol";
import {IPauseFlags} from "../../core/interfaces/IPauseFlags.sol";
import {IDataAvailability} from "../interfaces/IDataAvailability.sol";
import {ILane} from "../interfaces/ILane.sol";
import {ILaneRegistry} from "../interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";
import {BlobIds} from "../libraries/BlobIds.sol";
import {PayoutConsent} from "./PayoutConsent.sol";

/// @title How a batch comes in
abstract contract PayoutSubmission is PayoutConsent {
    uint256 public constant MAX_PAYERS = 128;
    /// @notice A period takes batches until so long after its end (ARCHITECTURE §6).
    uint256 public constant BATCH_WINDOW = 60 days;
    /// @dev A period that began earlier takes none: the longest has seven days.
    uint256 internal constant OLDEST = BATCH_WINDOW + 7 days;

    // ---------------------------------------------------------------- submit

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-24].
    function submit(bytes calldata header, PayerAuthorisation[] calldata authorisations)
        external
        nonReentrant
        returns (bytes32 batchRoot)
    {
        uint64 paused = PAUSES.pausedUntil(IPauseFlags.Flag.LaneSubmit);
        if (block.number < paused) revert SubmitPaused(paused);
        batchRoot = keccak256(header);
        if (_batches[batchRoot].status != Status.None) revert BatchKnown(batchRoot);
        ILane.Header memory h = _headerOf(batchRoot, header);
        Claim memory claim = _admit(batchRoot, h, authorisations);
        emit PayoutProofSubmitted(batchRoot, msg.sender, _batches[batchRoot].bond);
        emit BatchAccepted(batchRoot, h.lane, h.period, h.number, claim, header);
    }

    /// @dev Everything that a header must stand, then the batch is written down.
    function _admit(bytes32 batchRoot, ILane.Header memory h, PayerAuthorisation[] calldata authorisations)
        private
        returns (Claim memory claim)
    {
        (ILaneRegistry.Parameters memory p, uint64 end) = _termsOf(h);
        _follow(batchRoot, h);
        uint256 bond = bondFor(_reserve(batchRoot, h, p, authorisations), p.decimals, p.chmPerUnit);
        if (bond > type(uint96).max) revert AmountTooLarge(bond, type(uint96).max);
        _lock(msg.sender, SLASH_UNITS * bond);
        claim = Claim({
            lane: h.lane,
            period: h.period,
            token: p.token,
            scale: p.tokenDecimals - p.decimals,
            rebateBps: block.timestamp <= uint256(end) + p.timely ? p.rebateBps : 0,
            rows: h.rows,
            licensesRoot: h.licensesRoot
        });
        _accept(batchRoot, h, p, bond, keccak256(abi.encode(claim)));
    }

    /// @dev Period and time, and what the lane's parameters ask. Upholds [PAY-11], [PAY-12], [PAY-13].
    function _termsOf(ILane.Header memory h) private view returns (ILaneRegistry.Parameters memory p, uint64 end) {
        uint64 start;
        (start, end) = PeriodLib.bounds(h.period);
        if (block.timestamp < start) revert PeriodNotBegun(h.period, start);
        if (block.timestamp >= end + BATCH_WINDOW) revert PeriodOver(h.period, end + uint64(BATCH_WINDOW));
        if (h.asOf >= block.timestamp) revert AsOfNotPast(h.asOf, uint64(block.timestamp));
        uint32 version;
        (version, p) = LANES.submissionTerms(h.lane, start, msg.sender);
        if (h.parameters != version) revert ParametersVersion(h.parameters, version);
    }

    /// @dev The lane's one sequence. Upholds [PAY-14].
    function _follow(bytes32 batchRoot, ILane.Header memory h) private {
        LaneRecord storage lane = _lanes[h.lane];
        if (h.predecessor != lane.last) revert PredecessorStale(h.predecessor, lane.last);
        uint32 next = _numbers[h.lane][h.period] + 1;
        if (h.number != next) revert NumberWrong(h.number, next);
        _numbers[h.lane][h.period] = next;
        (lane.last, lane.submittedAt) = (batchRoot, uint40(block.timestamp));
    }

    /// @dev Each payer's consent and money. Upholds [PAY-15], [PAY-16], [PAY-17], [PAY-19].
    function _reserve(
        bytes32 batchRoot,
        ILane.Header memory h,
        ILaneRegistry.Parameters memory p,
        PayerAuthorisation[] calldata authorisations
    ) private returns (uint256 total) {
        uint256 count = h.payers.length;
        if (count == 0 || count > MAX_PAYERS) revert PayerCount(count, MAX_PAYERS);
        if (authorisations.length != count) revert AuthorisationCount(authorisations.length, count);
        ILaneRegistry.Draw[] memory draws = new ILaneRegistry.Draw[](count);
        uint256 standing;
        address before;
        for (uint256 i; i < count; ++i) {
            ILane.PayerTotal memory payer = h.payers[i];
            if (payer.payer <= before) revert PayersNotAscending(i);
            before = payer.payer;
            total += payer.owed;
            uint256 owed = payer.owed * _unitOf(p);
            if (authorisations[i].standing) {
                standing |= 1 << i;
                (draws[i].payer, draws[i].amount) = (before, owed);
            } else {
                _checkSignature(before, batchRoot, owed, authorisations[i].signature);
            }
            _reserveOne(batchRoot, h.lane, p.token, before, owed);
        }
        if (standing == 0) return total;
        _standing[batchRoot] = standing;
        // In one call. Who signed has no payer in `draws`.
        LANES.draw(h.lane, h.period, msg.sender, draws);
    }

    function _unitOf(ILaneRegistry.Parameters memory p) private pure returns (uint256) {
        return 10 ** uint256(p.tokenDecimals - p.decimals);
    }

    function _reserveOne(bytes32 batchRoot, bytes20 lane, address token, address payer, uint256 owed) private {
        LEDGER.reserve(batchRoot, token, lane, payer, owed);
    }

    /// @dev Writes the batch down once its blob is known to be kept. Upholds [PAY-22].
    function _accept(
        bytes32 batchRoot,
        ILane.Header memory h,
        ILaneRegistry.Parameters memory p,
        uint256 bond,
        bytes32 claimHash
    ) private {
        uint256 closesAt = block.timestamp + p.window;
        Batch storage b = _batches[batchRoot];
        b.submitter = msg.sender;
        b.status = Status.Open;
        b.closesAt = uint40(closesAt);
        b.closesHeight = uint40(block.number + p.windowBlocks);
        // Bounded by the caller.
        // forge-lint: disable-next-line(unsafe-typecast)
        b.bond = uint96(bond);
        b.unsettled = h.rows;
        b.order = ++_lastOrder;
        b.keptUntil = uint40(_checkBlob(h, p.blobRows, closesAt + p.margin));
        b.claimHash = claimHash;
        ++_unsettled[h.period];
    }

    /// @dev The blob is there, is the header's to the byte, and stays. Upholds [PAY-10].
    function _checkBlob(ILane.Header memory h, uint256 mostRows, uint256 until)
        private
        view
        returns (uint64 expiresAt)
    {
        bytes memory given = h.blobHeader;
        if (given.length != 109) revert BlobMismatch("LENGTH");
        bytes32 head;
        bytes32 fold;
        bytes16 foldRest;
        assembly ("memory-safe") {
            head := mload(add(given, 0x20))
            fold := mload(add(given, 0x3d))
            foldRest := mload(add(given, 0x5d))
        }
        // version 1 byte, lane 20, period 4, rows 2, columns 2, commitment 48, root 32
        if (uint256(head) >> 248 != 1 || uint16(uint256(head) >> 24) != 64) revert BlobMismatch("FORMAT");
        if (bytes20(head << 8) != h.lane) revert BlobMismatch("LANE");
        if (uint32(uint256(head) >> 56) != h.period) revert BlobMismatch("PERIOD");
        uint256 rows = uint16(uint256(head) >> 40);
        if (rows > mostRows) revert TooManyRows(rows, mostRows);
        bytes32 id = BlobIds.idOf(h);
        IDataAvailability.Blob memory blob = DATA.blob(id);
        if (blob.status != IDataAvailability.Status.Available) revert BlobUnavailable(id, blob.status);
        if (blob.rows != rows) revert BlobMismatch("ROWS");
        if (keccak256(blob.kzgCommitment) != keccak256(abi.encodePacked(fold, foldRest))) {
            revert BlobMismatch("COMMITMENT");
        }
        expiresAt = blob.expiresAt;
        if (expiresAt < until) revert BlobExpiresEarly(id, expiresAt, uint64(until));
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IPayoutProofs
    function lastBatchOf(bytes20 lane) external view returns (bytes32) {
        return _lanes[lane].last;
    }

    /// @inheritdoc IPayoutProofs
    function lastSubmissionAt(bytes20 lane) external view returns (uint40) {
        return _lanes[lane].submittedAt;
    }

    /// @inheritdoc IPayoutProofs
    function nextNumber(bytes20 lane, uint32 period) external view returns (uint32) {
        return _numbers[lane][period] + 1;
    }

    /// @inheritdoc IPayoutProofs
    function consentOf(bytes32 batchRoot)
        external
        view
        returns (address submitter, uint256 standing, uint40 order, bool isVoid)
    {
        Batch storage b = _batches[batchRoot];
        return (b.submitter, _standing[batchRoot], b.order, b.status == Status.Void);
    }

    /// @inheritdoc IPayoutProofs
    function batchOf(bytes32 batchRoot) external view returns (Batch memory) {
        return _batches[batchRoot];
    }
}
