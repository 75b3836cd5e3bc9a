// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IRoyaltyLedger} from "../interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";
import {RoyaltyMath} from "../libraries/RoyaltyMath.sol";
import {SplitStore} from "../libraries/SplitStore.sol";
import {LedgerHolds} from "./LedgerHolds.sol";

/// @title Payees' withdrawals
/// @notice Upholds [ROY-17], [ROY-21], [ROY-22]: a payee is paid the floor of its part of all that was kept, less what it took.
abstract contract LedgerPayouts is LedgerHolds {
    /// @dev Gas for one of several withdrawals: enough for eight holds; a receiver that burns it all harms itself.
    uint256 private constant BATCH_ITEM_GAS = 900_000;
    /// @dev What must be left before each: a call is given 63/64 of it at most.
    uint256 private constant BATCH_ITEM_ASKED = BATCH_ITEM_GAS * 64 / 63 + 10_000;

    // ---------------------------------------------------------------- actions

    /// @inheritdoc IRoyaltyLedger
    function withdraw(Payout calldata p) external nonReentrant whilePayoutsOpen returns (uint256 amount) {
        return _withdraw(p, address(0));
    }

    /// @inheritdoc IRoyaltyLedger
    function withdrawTo(Payout calldata p, address to) external nonReentrant whilePayoutsOpen returns (uint256 amount) {
        if (to == address(0)) revert RecipientForbidden(to);
        return _withdraw(p, to);
    }

    /// @inheritdoc IRoyaltyLedger
    /// @dev Each is a call of its own, guarded and undone by itself. All are undone when the gas does not reach for each: else
    /// whoever sends just enough for the transaction to succeed would leave payees unpaid.
    function withdrawBatch(Payout[] calldata ps) external returns (uint256[] memory amounts) {
        amounts = new uint256[](ps.length);
        for (uint256 i; i < ps.length; ++i) {
            if (gasleft() < BATCH_ITEM_ASKED) revert BatchGas(i, gasleft(), BATCH_ITEM_ASKED);
            // One `Payout` as it stands in the call's data: static, six words.
            bytes calldata p;
            assembly ("memory-safe") {
                p.offset := add(ps.offset, mul(i, 192))
                p.length := 192
            }
            (bool ok, bytes memory answer) =
                address(this).call{gas: BATCH_ITEM_GAS}(abi.encodePacked(this.withdraw.selector, p));
            if (ok) amounts[i] = uint256(bytes32(answer));
            else emit WithdrawalFailed(ps[i].key.licence, ps[i].token, answer);
        }
    }

    /// @inheritdoc IRoyaltyLedger
    /// @dev A leaf claims once for each amount kept, also when that brings nothing: closing needs every leaf at the last one.
    function withdrawLeaf(LeafPayout calldata p) external nonReentrant whilePayoutsOpen returns (uint256 amount) {
        (bytes32 accountKey, uint256 kept, bytes32 route) = _keptOf(p.token, p.key);
        bytes32 splitHash = _splitOf(p.key);
        Part memory part = Part(p.leaf.payee, p.leaf.weight, 0);
        part.denom = SPLITS.verifyLeaf(splitHash, p.leaf, p.path, p.siblings, p.sums);
        uint256 due = _takeLeaf(accountKey, kept, p.key.licence, p.leaf, part.denom);
        if (due == 0) return 0;
        if (_liveOn(p.key.licence, p.token) != 0) part.weight = _weightMet(splitHash, p.leaf);
        return _pay(p.key.licence, p.token, route, part, part.payee, due);
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IRoyaltyLedger
    function withdrawable(Payout calldata p) external view returns (uint256 amount, uint256 held) {
        (bytes32 accountKey, uint256 kept,) = _keptOf(p.token, p.key);
        TakenRecord memory taken = _taken[_takenKey(accountKey, p.index)];
        if (taken.tag == 0) taken.tag = _tagOf(p.key, p.index);
        Part memory part;
        (part.payee, part.weight, part.denom,) = SplitStore.entry(taken.tag, p.index);
        amount = RoyaltyMath.share(kept, part.weight, part.denom) - taken.amount;
        held = _wouldCapture(p.key.licence, p.token, part, amount);
        amount -= held;
    }

    /// @inheritdoc IRoyaltyLedger
    function takenOf(address token, RouteKey calldata key, uint256 indexOrStart) external view returns (uint256) {
        bytes32 takenKey = _takenKey(_keyOf(token, key), indexOrStart);
        // One of them is zero: a split is a vector or a tree.
        return uint256(_taken[takenKey].amount) + _leaves[takenKey].amount;
    }

    /// @inheritdoc IRoyaltyLedger
    function accountOf(address token, RouteKey calldata key) external view returns (Account memory) {
        AccountRecord memory a = _accounts[_keyOf(token, key)];
        return Account(a.inflow, a.passedUp, a.lastPeriod & ~CLOSED);
    }

    // ---------------------------------------------------------------- within

    /// @param to Zero: the payee, and then anyone may call; else only the payee may.
    function _withdraw(Payout calldata p, address to) private returns (uint256 amount) {
        (bytes32 accountKey, uint256 kept, bytes32 route) = _keptOf(p.token, p.key);
        TakenRecord storage record = _taken[_takenKey(accountKey, p.index)];
        TakenRecord memory taken = record;
        if (taken.tag == 0) taken.tag = _tagOf(p.key, p.index);
        Part memory part;
        (part.payee, part.weight, part.denom,) = SplitStore.entry(taken.tag, p.index);
        if (to == address(0)) to = part.payee;
        else if (msg.sender != part.payee) revert NotPayee(msg.sender, part.payee);
        uint256 all = RoyaltyMath.share(kept, part.weight, part.denom);
        uint256 due = all - taken.amount;
        if (due == 0) revert NothingDue(p.key.licence, part.payee);
        // A share is at most what is kept, and that is an inflow: it fits 112 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        (record.amount, record.tag) = (uint112(all), taken.tag);
        return _pay(p.key.licence, p.token, route, part, to, due);
    }

    /// @dev Writes that a leaf has taken its share of `kept`. @return due What it had not taken before.
    function _takeLeaf(
        bytes32 accountKey,
        uint256 kept,
        bytes32 licence,
        ISplitRegistry.Leaf calldata leaf,
        uint96 denom
    ) private returns (uint256 due) {
        LeafRecord storage taken = _leaves[_takenKey(accountKey, leaf.start)];
        if (taken.atKept == kept) revert NothingDue(licence, leaf.payee);
        uint256 all = RoyaltyMath.share(kept, leaf.weight, denom);
        due = all - taken.amount;
        // A share is at most what is kept, and that is an inflow: both fit 112 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        (taken.amount, taken.atKept) = (uint112(all), uint112(kept));
        _tally(accountKey, kept, leaf.weight, due);
    }

    /// @dev The tag of a route's vector, which must have an entry `index`. Versions of a licence's split never change, so the
    /// tag may be kept beside what the payee took.
    function _tagOf(RouteKey calldata key, uint256 index) internal view returns (uint144 tag) {
        bytes32 splitHash = _splitOf(key);
        tag = SplitStore.tagOf(splitHash);
        (,,, uint256 count) = SplitStore.entry(tag, index);
        // A licence names a registered split only: what is no vector is a tree.
        if (count == 0) revert ISplitRegistry.SplitKind(splitHash, ISplitRegistry.Kind.Tree);
        if (index >= count) revert ISplitRegistry.SplitIndex(splitHash, index, count);
    }

    function _splitOf(RouteKey calldata key) internal view returns (bytes32) {
        return LICENCES.splitHashOf(key.licence, key.splitVersion);
    }

    /// @dev What the account that `key` names has kept in all.
    function _keptOf(address token, RouteKey calldata key)
        internal
        view
        returns (bytes32 accountKey, uint256 kept, bytes32 route)
    {
        route = _routeOf(key.parentRoute, key.licence, key.splitVersion);
        accountKey = _accountKey(token, route, key.generation);
        AccountRecord memory a = _accounts[accountKey];
        if (a.lastPeriod == 0) revert RouteUnknown(route);
        kept = a.inflow - a.passedUp;
    }

    function _keyOf(address token, RouteKey calldata key) internal pure returns (bytes32) {
        return _accountKey(token, _routeOf(key.parentRoute, key.licence, key.splitVersion), key.generation);
    }

    function _takenKey(bytes32 accountKey, uint256 indexOrStart) private pure returns (bytes32) {
        return _key(accountKey, bytes32(indexOrStart));
    }

    /// @dev Counts a leaf as having taken at `kept`. Leaves are disjoint and each counts once at one amount kept, so their
    /// weights reach the denominator exactly when all have.
    function _tally(bytes32 accountKey, uint256 kept, uint96 weight, uint256 due) private {
        TallyRecord storage record = _tallies[accountKey];
        TallyRecord memory t = record;
        if (t.kept != kept) (t.kept, t.weight, t.leaves) = (uint112(kept), 0, 0);
        // Disjoint intervals of [0, denom); shares of what is kept.
        // forge-lint: disable-next-line(unsafe-typecast)
        (t.weight, t.leaves, t.taken) = (t.weight + weight, t.leaves + 1, t.taken + uint112(due));
        (record.kept, record.weight, record.leaves, record.taken) = (t.kept, t.weight, t.leaves, t.taken);
    }
}
