// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Roles} from "../../core/Roles.sol";
import {IRoyaltyLedger} from "../interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";
import {RoyaltyMath} from "../libraries/RoyaltyMath.sol";
import {LedgerSettlement} from "./LedgerSettlement.sol";

/// @title Escrow holds: what would be withdrawn is captured, up to a quota, and paid after release (REF §7, C27)
/// @notice Upholds [ROY-24] to [ROY-27]. Payers never notice a hold.
abstract contract LedgerHolds is LedgerSettlement {
    /// @dev Whose money a withdrawal would pay: `weight` of `denom`. Of a payee of a tree all its leaves that were met while held
    /// (`_weightMet`).
    struct Part {
        address payee;
        uint96 weight;
        uint96 denom;
    }

    uint256 internal constant MAX_LIVE_HOLDS = 8;
    uint256 private constant ID_BITS = 32;

    // ---------------------------------------------------------------- actions

    /// @inheritdoc IRoyaltyLedger
    function placeHold(bytes32 licence, address token, address payee, uint128 amount, bytes32 reasonRef)
        external
        onlyRoles(Roles.ENFORCER)
        returns (uint256 holdId)
    {
        TokenRecord storage t = _tokens[token];
        if (t.status == UNKNOWN) revert TokenNotEnabled(token);
        if (amount == 0) revert AmountZero();
        bytes32 key = _key(licence, _word(token));
        uint256 live = _liveHolds[key];
        if (live >> (ID_BITS * (MAX_LIVE_HOLDS - 1)) != 0) revert TooManyHolds(licence, MAX_LIVE_HOLDS);
        holdId = ++_lastHold;
        ++t.liveHolds;
        // The oldest is the leftmost: it captures last, the newest first.
        _liveHolds[key] = live << ID_BITS | holdId;
        Hold storage hold = _holds[holdId];
        (hold.licence, hold.token, hold.payee) = (licence, token, payee);
        (hold.amount, hold.reasonRef, hold.placedAt) = (amount, reasonRef, uint64(block.timestamp));
        emit HoldPlaced(holdId, licence, token, payee, amount, reasonRef);
    }

    /// @inheritdoc IRoyaltyLedger
    function releaseHold(uint256 holdId) external onlyRoles(Roles.ENFORCER) {
        Hold storage hold = _known(holdId);
        if (hold.releasedAt != 0) revert HoldReleasedAlready(holdId);
        hold.releasedAt = uint64(block.timestamp);
        bytes32 key = _key(hold.licence, _word(hold.token));
        uint256 live = _liveHolds[key];
        uint256 place;
        // It is in force, so it is in the list.
        while (uint32(live >> place) != holdId) place += ID_BITS;
        uint256 right = live & ((1 << place) - 1);
        _liveHolds[key] = (live >> place >> ID_BITS) << place | right;
        --_tokens[hold.token].liveHolds;
        emit HoldReleased(holdId);
    }

    /// @inheritdoc IRoyaltyLedger
    function holdOf(uint256 holdId) external view returns (Hold memory) {
        return _known(holdId);
    }

    /// @inheritdoc IRoyaltyLedger
    /// @dev Upholds [ROY-27]: what one hold lets go, the others still in force may capture, each up to its own quota.
    function withdrawReleased(uint256 holdId, address payee)
        external
        nonReentrant
        whilePayoutsOpen
        returns (uint256 amount)
    {
        Hold storage hold = _known(holdId);
        if (hold.releasedAt == 0) revert HoldInForce(holdId);
        CaptureRecord storage c = _captures[holdId][payee];
        uint256 owed = c.owed;
        (bytes32 licence, address token) = (hold.licence, hold.token);
        if (owed == 0) revert NothingDue(licence, payee);
        c.owed = 0;
        return _pay(licence, token, 0, Part(payee, c.weight, c.denom), payee, owed);
    }

    // ---------------------------------------------------------------- paying

    /// @dev Pays `due`, already written as taken, less what holds capture of it.
    function _pay(bytes32 licence, address token, bytes32 route, Part memory part, address to, uint256 due)
        internal
        returns (uint256 amount)
    {
        amount = due - _capture(licence, token, part, due);
        if (amount == 0) return 0;
        emit Withdrawn(licence, part.payee, token, route, to, amount);
        _send(token, to, amount);
    }

    /// @dev Lets the holds in force take their part of `due`. @return captured What they took of it.
    function _capture(bytes32 licence, address token, Part memory part, uint256 due)
        internal
        returns (uint256 captured)
    {
        uint256 live = _liveOn(licence, token);
        for (; live != 0 && captured < due; live >>= ID_BITS) {
            captured += _captureBy(uint32(live), part, due - captured);
        }
    }

    /// @dev What `_capture` would take.
    function _wouldCapture(bytes32 licence, address token, Part memory part, uint256 due)
        internal
        view
        returns (uint256 captured)
    {
        uint256 live = _liveOn(licence, token);
        for (; live != 0 && captured < due; live >>= ID_BITS) {
            (uint256 room,,) = _room(uint32(live), part);
            captured += due - captured < room ? due - captured : room;
        }
    }

    /// @dev Upholds [ROY-42]. The payee's weight in a tree by the leaves that were met so far, this one among them. Whose a leaf is follows from
    /// the tree, so this is kept per tree: not per hold, licence or token.
    function _weightMet(bytes32 tree, ISplitRegistry.Leaf calldata leaf) internal returns (uint96 weight) {
        mapping(bytes32 => uint96) storage weights = _weightsMet;
        bytes32 payeeKey = _key(tree, _word(leaf.payee));
        bytes32 leafKey = _key(tree, bytes32(uint256(leaf.start)));
        weight = weights[payeeKey];
        if (_leavesMet[leafKey]) return weight;
        _leavesMet[leafKey] = true;
        // Leaves are disjoint: at most the denominator.
        weight += leaf.weight;
        weights[payeeKey] = weight;
    }

    /// @dev Ids of the holds in force on (licence, token), packed. Most tokens have none at all: then one word is read, which
    /// the payment writes anyway.
    function _liveOn(bytes32 licence, address token) internal view returns (uint256) {
        return _tokens[token].liveHolds == 0 ? 0 : _liveHolds[_key(licence, _word(token))];
    }

    function _captureBy(uint256 holdId, Part memory part, uint256 left) private returns (uint256 take) {
        (uint256 room, uint96 weight, uint96 denom) = _room(holdId, part);
        take = left < room ? left : room;
        if (take == 0) return 0;
        CaptureRecord storage c = _captures[holdId][part.payee];
        // `take` is accounted money: below 2¹¹². The sums are checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        (c.owed, c.captured) = (c.owed + uint128(take), c.captured + uint128(take));
        (c.weight, c.denom) = (weight, denom);
        emit HoldCaptured(holdId, part.payee, take);
    }

    /// @dev What a hold may still take of a payee, and the payee's share as this hold knows it: the largest it ever captured by,
    /// so that no later split makes its quota less.
    function _room(uint256 holdId, Part memory part) private view returns (uint256 room, uint96 weight, uint96 denom) {
        Hold storage hold = _holds[holdId];
        if (hold.payee != address(0) && hold.payee != part.payee) return (0, 0, 0);
        CaptureRecord storage c = _captures[holdId][part.payee];
        (weight, denom) = (c.weight, c.denom);
        if (uint256(weight) * part.denom <= uint256(part.weight) * denom) (weight, denom) = (part.weight, part.denom);
        uint256 quota = hold.amount;
        if (quota == type(uint128).max) return (type(uint256).max, weight, denom);
        if (hold.payee == address(0)) quota = RoyaltyMath.quota(quota, weight, denom);
        uint256 captured = c.captured;
        room = quota > captured ? quota - captured : 0;
    }

    function _known(uint256 holdId) private view returns (Hold storage hold) {
        hold = _holds[holdId];
        if (hold.placedAt == 0) revert HoldUnknown(holdId);
    }
}
