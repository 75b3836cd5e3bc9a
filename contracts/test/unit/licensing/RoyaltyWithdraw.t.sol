// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger, ISettlementSource} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {Roles} from "src/core/Roles.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";
import {TreeBuilder} from "test/mocks/TreeBuilder.sol";
import {FeeToken, LyingToken, ReentrantToken, ShrinkingToken} from "test/mocks/HostileTokens.sol";
import {Burner, Reentrant, Refuser} from "test/mocks/HostileReceivers.sol";

contract Source is ISettlementSource {
    bool public unsettled;
    bool public broken;

    function set(bool unsettled_, bool broken_) external {
        (unsettled, broken) = (unsettled_, broken_);
    }

    function hasUnsettledRows(bytes32, uint32) external view returns (bool) {
        require(!broken, "broken");
        return unsettled;
    }
}

/// @title Withdrawals, holds, trees, closing, fees
contract RoyaltyWithdrawTest is RoyaltyBase {
    using TreeBuilder for TreeBuilder.Tree;

    bytes32 private constant ROOT = "root";
    bytes32 private constant LEAF = "leaf";

    function _payee(uint256 index) private pure returns (address) {
        return address(uint160(0x1000 + index + 1));
    }

    // ---------------------------------------------------------------- vectors

    /// @dev [ROY-17]; theorems T1, T12: whatever is paid when, payees get the floors and at most m − 1 units stay.
    function testFuzz_T1_T12_payees_get_the_floors_of_all_that_was_kept(
        uint64[5] memory revenues,
        uint256 seed,
        uint256 m,
        bool chm
    ) public {
        m = bound(m, 1, 20);
        address asset = chm ? CHM : address(token);
        mintRoot(ROOT, 10_000, rampSplit(m));
        uint256 net;
        for (uint256 i; i < 5; ++i) {
            net += _payNet(asset, uint256(revenues[i]) + 1);
            seed = uint256(keccak256(abi.encode(seed)));
            _withdrawOne(asset, seed % m);
        }
        _withdrawAll(asset, m);
        _checkFloors(asset, m, net);
    }

    function _withdrawOne(address asset, uint256 index) private {
        IRoyaltyLedger.Payout memory p = payoutOf(asset, ROOT, index);
        (uint256 amount, uint256 held) = ledger.withdrawable(p);
        assertEq(held, 0);
        if (amount == 0) {
            vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.NothingDue.selector, ROOT, _payee(index)));
        }
        uint256 paid = ledger.withdraw(p);
        if (amount != 0) assertEq(paid, amount);
    }

    function _checkFloors(address asset, uint256 m, uint256 net) private view {
        uint256 paid;
        uint256 denom = m * (m + 1) / 2;
        for (uint256 i; i < m; ++i) {
            assertEq(balanceOf(asset, _payee(i)), net * (i + 1) / denom);
            assertEq(ledger.takenOf(asset, keyOf(ROOT), i), balanceOf(asset, _payee(i)));
            paid += balanceOf(asset, _payee(i));
        }
        assertLe(net - paid, m - 1);
        (ISplitRegistry.Allocation[] memory all, uint256 kept, uint256 residual,) =
            ledger.payoutReceipt(asset, keyOf(ROOT));
        assertEq(all.length, m);
        assertEq(kept, net);
        assertEq(residual, net - paid);
    }

    function test_theorem_12_residual_is_at_most_m_minus_1() public {
        // The worst case: m payees of weight 1 of m, and m·q + (m − 1) units.
        uint256 m = 64;
        address[] memory payees = new address[](m);
        uint96[] memory weights = new uint96[](m);
        for (uint256 i; i < m; ++i) {
            (payees[i], weights[i]) = (_payee(i), 1);
        }
        bytes32 split = splitOf(payees, weights);
        (,, uint256 residual,) = splits.allocate(split, m * 1e9 + m - 1);
        assertEq(residual, m - 1);
    }

    function _withdrawAll(address asset, uint256 m) private {
        IRoyaltyLedger.Payout[] memory ps = new IRoyaltyLedger.Payout[](m);
        for (uint256 i; i < m; ++i) {
            ps[i] = payoutOf(asset, ROOT, i);
        }
        ledger.withdrawBatch(ps);
    }

    /// @dev [ROY-21].
    function testFuzz_only_the_payee_sends_its_money_elsewhere(address caller, uint64 revenue) public {
        vm.assume(caller != _payee(0) && caller != address(ledger));
        mintRoot(ROOT, 10_000, rampSplit(1));
        pay(CHM, ROOT, uint256(revenue) + 1);
        IRoyaltyLedger.Payout memory p = payoutOf(CHM, ROOT, 0);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.NotPayee.selector, caller, _payee(0)));
        ledger.withdrawTo(p, caller == address(0) ? address(1) : caller);
        vm.prank(_payee(0));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RecipientForbidden.selector, address(0)));
        ledger.withdrawTo(p, address(0));
        vm.prank(_payee(0));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RecipientForbidden.selector, address(ledger)));
        ledger.withdrawTo(p, address(ledger));
        vm.prank(_payee(0));
        uint256 amount = ledger.withdrawTo(p, address(0xd00d));
        assertEq(address(0xd00d).balance, amount);
        // By anyone for the payee: to the payee.
        pay(CHM, ROOT, uint256(revenue) + 1e6);
        vm.prank(caller);
        amount = ledger.withdraw(p);
        assertEq(_payee(0).balance, amount);
    }

    function test_what_is_not_there_is_not_paid() public {
        mintRoot(ROOT, 10_000, rampSplit(2));
        IRoyaltyLedger.Payout memory p = payoutOf(CHM, ROOT, 0);
        bytes32 route = keccak256(abi.encode(bytes32(0), ROOT, uint32(1), true));
        bytes memory unknown = abi.encodeWithSelector(IRoyaltyLedger.RouteUnknown.selector, route);
        vm.expectRevert(unknown);
        ledger.withdraw(p);
        pay(CHM, ROOT, 1e6);
        p.index = 2;
        bytes32 hash = rampSplit(2);
        bytes memory index = abi.encodeWithSelector(ISplitRegistry.SplitIndex.selector, hash, 2, 2);
        vm.expectRevert(index);
        ledger.withdraw(p);
        vm.expectRevert(index);
        ledger.withdrawable(p);
        p.index = 0;
        p.key.generation = 1;
        vm.expectRevert(unknown);
        ledger.withdraw(p);
        p.key.generation = 0;
        p.key.splitVersion = 2;
        vm.expectPartialRevert(IRoyaltyLedger.RouteUnknown.selector);
        ledger.withdraw(p);
        p = payoutOf(address(token), ROOT, 0);
        vm.expectRevert(unknown);
        ledger.withdraw(p);
    }

    /// @dev Theorem T8 of the ledger: a new version of a split divides only what its periods bring.
    function test_a_new_split_version_leaves_the_old_ones_money_alone() public {
        vm.warp(START);
        mintRoot(ROOT, 10_000, rampSplit(1));
        skip(8 days);
        bytes32 next = singleSplit(address(0xd00d));
        vm.prank(licensor);
        registry.modify(ROOT, data(10_000, next));
        skip(30 days);
        pay(CHM, ROOT, 1e6);
        payIn(PERIOD + 2, CHM, ROOT, 1e6);
        ledger.withdraw(payoutOf(CHM, ROOT, 0));
        ledger.withdraw(IRoyaltyLedger.Payout(ledger.routeKeyOf(ROOT, PERIOD + 2), CHM, 0));
        assertEq(_payee(0).balance, address(0xd00d).balance);
    }

    function test_one_that_fails_stops_no_other_and_says_why() public {
        address[] memory payees = new address[](4);
        uint96[] memory weights = new uint96[](4);
        payees[0] = address(new Refuser());
        payees[1] = address(new Burner());
        payees[2] = address(new Reentrant());
        payees[3] = address(type(uint160).max);
        (weights[0], weights[1], weights[2], weights[3]) = (1, 1, 1, 1);
        // Ascending, whatever their addresses are.
        for (uint256 i; i < 4; ++i) {
            for (uint256 j = i + 1; j < 4; ++j) {
                if (payees[j] < payees[i]) (payees[i], payees[j]) = (payees[j], payees[i]);
            }
        }
        mintRoot(ROOT, 10_000, splitOf(payees, weights));
        pay(CHM, ROOT, 4e6);
        IRoyaltyLedger.Payout[] memory ps = new IRoyaltyLedger.Payout[](5);
        for (uint256 i; i < 4; ++i) {
            ps[i] = payoutOf(CHM, ROOT, i);
            if (payees[i].code.length != 0) {
                try Reentrant(payable(payees[i])).aim(ps[i]) {} catch {}
            }
        }
        ps[4] = ps[3];
        uint256[] memory amounts = ledger.withdrawBatch(ps);
        assertEq(amounts[4], 0, "twice");
        for (uint256 i; i < 4; ++i) {
            uint256 expected = payees[i] == address(type(uint160).max) || _isReentrant(payees[i]) ? 995_000 : 0;
            assertEq(amounts[i], expected);
            assertEq(payees[i].balance, expected);
        }
        assertEq(ledger.accounted(CHM), address(ledger).balance);
    }

    /// @dev [ROY-21]: the least gas with which a batch of withdrawals succeeds is enough for every one of them.
    function testFuzz_a_batch_that_succeeds_had_gas_for_each(uint256 gas) public {
        mintRoot(ROOT, 10_000, rampSplit(3));
        pay(CHM, ROOT, 6_000_000);
        IRoyaltyLedger.Payout[] memory ps = new IRoyaltyLedger.Payout[](3);
        for (uint256 i; i < 3; ++i) {
            ps[i] = payoutOf(CHM, ROOT, i);
        }
        gas = bound(gas, 50_000, 1_500_000);
        uint256 asked = uint256(900_000) * 64 / 63 + 10_000;
        (bool done, bytes memory answer) =
            address(ledger).call{gas: gas}(abi.encodeCall(IRoyaltyLedger.withdrawBatch, (ps)));
        if (done) {
            for (uint256 i; i < 3; ++i) {
                assertEq(_payee(i).balance, 995_000 * (i + 1));
            }
            assertEq(abi.decode(answer, (uint256[])).length, 3);
        } else {
            for (uint256 i; i < 3; ++i) {
                assertEq(_payee(i).balance, 0, "nobody");
            }
            if (answer.length != 0) {
                assertEq(bytes4(answer), IRoyaltyLedger.BatchGas.selector);
                uint256 left;
                uint256 stated;
                assembly ("memory-safe") {
                    left := mload(add(answer, 0x44))
                    stated := mload(add(answer, 0x64))
                }
                assertLt(left, asked);
                assertEq(stated, asked);
            }
        }
        if (gas > 1_200_000) assertTrue(done, "what is enough is enough");
    }

    function _isReentrant(address a) private view returns (bool) {
        return a.code.length != 0 && keccak256(a.code) == keccak256(type(Reentrant).runtimeCode);
    }

    // ---------------------------------------------------------------- holds

    /// @dev [ROY-24], [ROY-25], [ROY-26].
    function testFuzz_a_hold_captures_its_quota_of_each_payee_and_pays_after_release(
        uint64 first,
        uint64 second,
        uint128 amount,
        bool everything,
        bool one
    ) public {
        amount = everything ? type(uint128).max : uint128(bound(amount, 1, 1e20));
        mintRoot(ROOT, 10_000, rampSplit(3));
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.placeHold(ROOT, CHM, address(0), amount, "case");
        vm.prank(authority);
        uint256 id = ledger.placeHold(ROOT, CHM, one ? _payee(1) : address(0), amount, "case");
        uint256 net = _payNet(uint256(first) + 100);
        _withdrawAll(CHM, 3);
        net += _payNet(uint256(second) + 100);
        _checkForecast();
        _withdrawAll(CHM, 3);
        for (uint256 i; i < 3; ++i) {
            uint256 quota = everything ? amount : (uint256(amount) * (i + 1) + 5) / 6;
            if (one) quota = i == 1 ? amount : 0;
            uint256 due = net * (i + 1) / 6;
            assertEq(_payee(i).balance, due - (due < quota ? due : quota));
            vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.HoldInForce.selector, id));
            ledger.withdrawReleased(id, _payee(i));
        }
        vm.prank(authority);
        ledger.releaseHold(id);
        for (uint256 i; i < 3; ++i) {
            _release(id, i);
            assertEq(_payee(i).balance, net * (i + 1) / 6, "all of it in the end");
        }
        vm.prank(authority);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.HoldReleasedAlready.selector, id));
        ledger.releaseHold(id);
    }

    function _checkForecast() private {
        (uint256 free, uint256 held) = ledger.withdrawable(payoutOf(CHM, ROOT, 1));
        uint256 before = _payee(1).balance;
        ledger.withdraw(payoutOf(CHM, ROOT, 1));
        assertEq(_payee(1).balance - before, free);
        assertTrue(held != 0 || free != 0);
    }

    function _release(uint256 id, uint256 i) private {
        bytes memory nothing = abi.encodeWithSelector(IRoyaltyLedger.NothingDue.selector, ROOT, _payee(i));
        try ledger.withdrawReleased(id, _payee(i)) {}
        catch (bytes memory why) {
            assertEq(why, nothing);
        }
        vm.expectRevert(nothing);
        ledger.withdrawReleased(id, _payee(i));
    }

    function _payNet(address asset, uint256 revenue) private returns (uint256) {
        (uint256 base, uint256 fee) = pay(asset, ROOT, revenue);
        return base - fee;
    }

    function _payNet(uint256 revenue) private returns (uint256) {
        (uint256 base, uint256 fee) = pay(CHM, ROOT, revenue);
        return base - fee;
    }

    /// @dev [ROY-27].
    function test_what_one_hold_lets_go_the_others_still_in_force_capture() public {
        mintRoot(ROOT, 10_000, rampSplit(3));
        vm.startPrank(authority);
        uint256 part = ledger.placeHold(ROOT, CHM, address(0), 600, "a");
        uint256 all = ledger.placeHold(ROOT, CHM, address(0), type(uint128).max, "b");
        vm.stopPrank();
        pay(CHM, ROOT, 6_000);
        _withdrawAll(CHM, 3);
        // The newest captured everything: the older one has nothing yet.
        vm.prank(authority);
        ledger.releaseHold(all);
        assertEq(ledger.withdrawReleased(all, _payee(1)), 5_970 * 2 / 6 - 200);
        vm.prank(authority);
        ledger.releaseHold(part);
        assertEq(ledger.withdrawReleased(part, _payee(1)), 200);
        assertEq(_payee(1).balance, 5_970 * 2 / 6);
    }

    function test_eight_holds_at_once_on_known_tokens_of_something() public {
        vm.startPrank(authority);
        vm.expectRevert(IRoyaltyLedger.AmountZero.selector);
        ledger.placeHold(ROOT, CHM, address(0), 0, "");
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenNotEnabled.selector, address(7)));
        ledger.placeHold(ROOT, address(7), address(0), 1, "");
        for (uint256 i = 1; i <= 8; ++i) {
            vm.expectEmit(address(ledger));
            emit IRoyaltyLedger.HoldPlaced(i, ROOT, CHM, address(9), 5, "x");
            assertEq(ledger.placeHold(ROOT, CHM, address(9), 5, "x"), i);
        }
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TooManyHolds.selector, ROOT, 8));
        ledger.placeHold(ROOT, CHM, address(9), 5, "x");
        ledger.placeHold(ROOT, address(token), address(9), 5, "x");
        ledger.placeHold(LEAF, CHM, address(9), 5, "x");
        // Any of them can go, whatever its place.
        ledger.releaseHold(4);
        ledger.releaseHold(8);
        ledger.releaseHold(1);
        for (uint256 i; i < 3; ++i) {
            ledger.placeHold(ROOT, CHM, address(9), 5, "x");
        }
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TooManyHolds.selector, ROOT, 8));
        ledger.placeHold(ROOT, CHM, address(9), 5, "x");
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.HoldUnknown.selector, 99));
        ledger.releaseHold(99);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.HoldUnknown.selector, 0));
        ledger.holdOf(0);
        IRoyaltyLedger.Hold memory h = ledger.holdOf(4);
        assertEq(h.releasedAt, block.timestamp);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- trees

    function _leafPayout(TreeBuilder.Tree memory tree, uint256 i)
        private
        view
        returns (IRoyaltyLedger.LeafPayout memory p)
    {
        (p.leaf, p.path, p.siblings, p.sums) = tree.proof(i);
        p.key = keyOf(ROOT);
        p.token = CHM;
    }

    function _mintTree(uint256 seed, uint256 leaves) private returns (TreeBuilder.Tree memory tree) {
        tree = TreeBuilder.random(seed, leaves);
        vm.warp(START);
        mintRoot(ROOT, 10_000, splits.registerTree(tree.root(), tree.denom, uint32(leaves)));
        skip(30 days);
    }

    /// @dev [ROY-22].
    function testFuzz_leaves_of_a_tree_take_the_floors_of_their_intervals(uint256 seed, uint256 leaves, uint64 revenue)
        public
    {
        leaves = bound(leaves, 1, 24);
        TreeBuilder.Tree memory tree = _mintTree(seed, leaves);
        uint256 net = _payNet(uint256(revenue) + 1);
        for (uint256 i; i < leaves; i += 2) {
            IRoyaltyLedger.LeafPayout memory p = _leafPayout(tree, i);
            ledger.withdrawLeaf(p);
            vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.NothingDue.selector, ROOT, p.leaf.payee));
            ledger.withdrawLeaf(p);
        }
        net += _payNet(uint256(revenue) + 1e6);
        uint256 paid;
        for (uint256 i; i < leaves; ++i) {
            ledger.withdrawLeaf(_leafPayout(tree, i));
            uint256 taken = ledger.takenOf(CHM, keyOf(ROOT), tree.leaves[i].start);
            assertEq(taken, net * tree.leaves[i].weight / tree.denom);
            paid += taken;
        }
        assertLe(net - paid, leaves - 1);
        _refusesAsVector();
    }

    function _refusesAsVector() private {
        IRoyaltyLedger.Payout memory p = payoutOf(CHM, ROOT, 0);
        bytes32 hash = registry.splitHashOf(ROOT, 1);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitKind.selector, hash, ISplitRegistry.Kind.Tree));
        ledger.withdraw(p);
    }

    function test_a_proportional_hold_adds_up_the_leaves_of_a_payee() public {
        TreeBuilder.Tree memory tree;
        tree.leaves = new ISplitRegistry.Leaf[](3);
        tree.leaves[0] = ISplitRegistry.Leaf(address(0xa11), 0, 20);
        tree.leaves[1] = ISplitRegistry.Leaf(address(0xb0b), 20, 50);
        tree.leaves[2] = ISplitRegistry.Leaf(address(0xa11), 70, 30);
        tree.denom = 100;
        mintRoot(ROOT, 10_000, splits.registerTree(tree.root(), 100, 3));
        vm.prank(authority);
        uint256 id = ledger.placeHold(ROOT, CHM, address(0), 100, "x");
        uint256 net = _payNet(10_000);
        ledger.withdrawLeaf(_leafPayout(tree, 0));
        assertEq(address(0xa11).balance, net / 5 - 20);
        ledger.withdrawLeaf(_leafPayout(tree, 2));
        assertEq(address(0xa11).balance, net / 2 - 50);
        ledger.withdrawLeaf(_leafPayout(tree, 1));
        assertEq(address(0xb0b).balance, net / 2 - 50);
        vm.prank(authority);
        ledger.releaseHold(id);
        assertEq(ledger.withdrawReleased(id, address(0xa11)), 50);
    }

    /// @dev [ROY-25]: a leaf of another tree is another leaf, though it starts where one began that was counted.
    function test_a_proportional_hold_counts_the_leaves_of_each_tree_of_the_licence() public {
        TreeBuilder.Tree memory small = _treeOf(1, 9, 0);
        TreeBuilder.Tree memory large = _treeOf(4, 2, 4);
        vm.warp(START);
        mintRoot(ROOT, 10_000, splits.registerTree(small.root(), 10, 2));
        bytes32 next = splits.registerTree(large.root(), 10, 3);
        vm.warp(START + 7 days);
        vm.prank(licensor);
        registry.modify(ROOT, data(10_000, next));
        vm.warp(START + 30 days);
        vm.prank(authority);
        uint256 id = ledger.placeHold(ROOT, CHM, address(0), 100, "x");
        uint256 net = _payNet(10_000);
        ledger.withdrawLeaf(_leafPayout(small, 0));
        assertEq(address(0xa11).balance, net / 10 - 10);
        (uint256 base, uint256 fee) = payIn(PERIOD + 1, CHM, ROOT, 10_000);
        IRoyaltyLedger.LeafPayout memory p = _leafPayout(large, 0);
        p.key = ledger.routeKeyOf(ROOT, PERIOD + 1);
        ledger.withdrawLeaf(p);
        assertEq(address(0xa11).balance, net / 10 + (base - fee) * 4 / 10 - 40);
        (p.leaf, p.path, p.siblings, p.sums) = large.proof(2);
        ledger.withdrawLeaf(p);
        uint256 all = net / 10 + (base - fee) * 4 / 10 * 2;
        assertEq(address(0xa11).balance, all - 80, "eight tenths of the hold, not nine");
        vm.prank(authority);
        ledger.releaseHold(id);
        assertEq(ledger.withdrawReleased(id, address(0xa11)), 80);
    }

    function _treeOf(uint96 a, uint96 b, uint96 again) private pure returns (TreeBuilder.Tree memory tree) {
        tree.leaves = new ISplitRegistry.Leaf[](again == 0 ? 2 : 3);
        tree.leaves[0] = ISplitRegistry.Leaf(address(0xa11), 0, a);
        tree.leaves[1] = ISplitRegistry.Leaf(address(0xb0b), a, b);
        if (again != 0) tree.leaves[2] = ISplitRegistry.Leaf(address(0xa11), a + b, again);
        tree.denom = a + b + again;
    }

    /// @dev [ROY-25]: neither does a split of another denominator make a payee's quota less.
    function test_a_hold_keeps_to_the_largest_share_that_a_payee_has_had() public {
        vm.warp(START);
        mintRoot(ROOT, 10_000, _twoPayees(1, 1));
        vm.warp(START + 7 days);
        bytes32 next = _twoPayees(1, 99);
        vm.prank(licensor);
        registry.modify(ROOT, data(10_000, next));
        vm.warp(START + 30 days);
        vm.prank(authority);
        uint256 part = ledger.placeHold(ROOT, CHM, address(0), 1_000, "x");
        vm.prank(authority);
        uint256 all = ledger.placeHold(ROOT, CHM, address(0), type(uint128).max, "x");
        pay(CHM, ROOT, 400);
        payIn(PERIOD + 1, CHM, ROOT, 1_000_000);
        ledger.withdraw(payoutOf(CHM, ROOT, 0));
        ledger.withdraw(IRoyaltyLedger.Payout(ledger.routeKeyOf(ROOT, PERIOD + 1), CHM, 0));
        assertEq(_payee(0).balance, 0);
        vm.prank(authority);
        ledger.releaseHold(all);
        // Half of the older hold, though a hundredth is the payee's share now.
        uint256 captured = uint256(400 - 2) / 2 + (1_000_000 - 5_000) / 100;
        assertEq(ledger.withdrawReleased(all, _payee(0)), captured - 500);
        vm.prank(authority);
        ledger.releaseHold(part);
        assertEq(ledger.withdrawReleased(part, _payee(0)), 500);
    }

    function _twoPayees(uint96 a, uint96 b) private returns (bytes32) {
        address[] memory payees = new address[](2);
        uint96[] memory weights = new uint96[](2);
        (payees[0], payees[1], weights[0], weights[1]) = (_payee(0), _payee(1), a, b);
        return splitOf(payees, weights);
    }

    // ---------------------------------------------------------------- closing

    /// @dev Supersedes ROOT's split on day 8 and goes past every window.
    function _supersede() private returns (IRoyaltyLedger.RouteKey memory key) {
        key = keyOf(ROOT);
        bytes32 next = singleSplit(address(0xd00d));
        vm.prank(licensor);
        registry.modify(ROOT, data(10_000, next));
    }

    function _routeOf(IRoyaltyLedger.RouteKey memory key) private pure returns (bytes32) {
        return keccak256(abi.encode(key.parentRoute, key.licence, key.splitVersion, true));
    }

    /// @dev [ROY-28], [ROY-29].
    function testFuzz_a_closed_route_gives_its_residual_and_a_later_row_begins_a_generation(uint64 revenue, uint256 m)
        public
    {
        m = bound(m, 1, 12);
        mintRoot(ROOT, 10_000, rampSplit(m));
        uint256 net = _payNet(uint256(revenue) + 1);
        IRoyaltyLedger.RouteKey memory key = _supersede();
        skip(68 days);
        uint256 floors;
        for (uint256 i; i < m; ++i) {
            floors += net * (i + 1) / (m * (m + 1) / 2);
        }
        vm.expectEmit(address(ledger));
        emit IRoyaltyLedger.RouteClosed(ROOT, _routeOf(key), CHM, 0, net - floors);
        assertEq(ledger.closeRoute(CHM, key), net - floors);
        assertEq(address(treasury).balance, net - floors);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RouteUnknown.selector, _routeOf(key)));
        ledger.closeRoute(CHM, key);
        // A late row of its period: a new generation, and the old one's payees are paid as before.
        uint256 late = _payNet(uint256(revenue) + 7);
        assertEq(ledger.accountOf(CHM, key).inflow, net);
        key.generation = 1;
        assertEq(ledger.accountOf(CHM, key).inflow, late);
        _withdrawAll(CHM, m);
        for (uint256 i; i < m; ++i) {
            uint256 denom = m * (m + 1) / 2;
            assertEq(_payee(i).balance, net * (i + 1) / denom);
            (uint256 due,) = ledger.withdrawable(IRoyaltyLedger.Payout(key, CHM, uint32(i)));
            assertEq(due, late * (i + 1) / denom);
            if (due != 0) ledger.withdraw(IRoyaltyLedger.Payout(key, CHM, uint32(i)));
        }
        skip(68 days);
        ledger.closeRoute(CHM, key);
        assertEq(ledger.accounted(CHM), ledger.feesOwed(CHM));
    }

    function test_a_route_closes_only_once_superseded_late_and_settled() public {
        Source source = new Source();
        vm.prank(address(timelock));
        ledger.grantRoles(address(source), Roles.SETTLER);
        vm.warp(START);
        mintRoot(ROOT, 10_000, rampSplit(3));
        skip(20 days);
        pay(CHM, ROOT, 1e6);
        IRoyaltyLedger.RouteKey memory key = keyOf(ROOT);
        bytes memory inForce = abi.encodeWithSelector(ISplitRegistry.RouteInForce.selector, ROOT, _routeOf(key));
        vm.expectRevert(inForce);
        ledger.closeRoute(CHM, key);
        _supersede();
        uint256 superseded = block.timestamp;
        vm.expectRevert(inForce);
        ledger.closeRoute(CHM, key);
        vm.warp(superseded + 67 days - 1);
        vm.expectRevert(inForce);
        ledger.closeRoute(CHM, key);
        vm.warp(superseded + 67 days);
        source.set(true, false);
        bytes memory unsettled = abi.encodeWithSelector(IRoyaltyLedger.RouteUnsettled.selector, ROOT, address(source));
        vm.expectRevert(unsettled);
        ledger.closeRoute(CHM, key);
        source.set(false, true);
        vm.expectRevert(unsettled);
        ledger.closeRoute(CHM, key);
        source.set(false, false);
        ledger.closeRoute(CHM, key);
    }

    function test_a_route_that_received_for_a_recent_period_stays_open() public {
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(10_000, rampSplit(2));
        d.endTs = uint64(START + 10 days);
        mintAs(ROOT, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        // Expired, woken for a few days, expired again: in force at neither end, yet it received lately.
        vm.warp(START + 60 days);
        d.endTs = uint64(START + 62 days);
        vm.prank(licensor);
        registry.modify(ROOT, d);
        vm.warp(START + 100 days);
        uint32 period = 20251005;
        payIn(period, CHM, ROOT, 1e6);
        IRoyaltyLedger.RouteKey memory key = ledger.routeKeyOf(ROOT, period);
        uint64 until = uint64(START + 61 days + 60 days);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.RouteTooRecent.selector, period, until));
        ledger.closeRoute(CHM, key);
        // It was in force when the next one began.
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.RouteInForce.selector, ROOT, _routeOf(key)));
        ledger.closeRoute(CHM, key);
        vm.warp(START + 62 days + 67 days);
        ledger.closeRoute(CHM, key);
    }

    /// @dev [ROY-28]: in force neither now nor 67 days ago, and nothing received lately; but a period between takes batches still.
    function test_a_route_that_an_open_period_between_pays_by_stays_open() public {
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(10_000, rampSplit(2));
        d.endTs = uint64(START + 9 days);
        mintAs(ROOT, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        vm.warp(START + 30 days);
        pay(CHM, ROOT, 1e6);
        IRoyaltyLedger.RouteKey memory key = keyOf(ROOT);
        // In force again from 3 to 9 October: the period 20251002 begins on the 8th.
        vm.warp(START + 32 days);
        d.endTs = uint64(START + 38 days);
        vm.prank(licensor);
        registry.modify(ROOT, d);
        bytes memory inForce = abi.encodeWithSelector(ISplitRegistry.RouteInForce.selector, ROOT, _routeOf(key));
        vm.warp(START + 67 days + 10 days);
        vm.expectRevert(inForce);
        ledger.closeRoute(CHM, key);
        uint256 open = START + 44 days + 60 days;
        vm.warp(open - 1);
        vm.expectRevert(inForce);
        ledger.closeRoute(CHM, key);
        vm.warp(open);
        // 67 days ago is the start of that period.
        vm.expectRevert(inForce);
        ledger.closeRoute(CHM, key);
        vm.warp(open + 1 days);
        ledger.closeRoute(CHM, key);
    }

    /// @dev [ROY-28]: a licence that wakes within a period pays by its route then, too.
    function test_a_route_that_a_licence_woke_for_within_an_open_period_stays_open() public {
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(10_000, rampSplit(2));
        d.endTs = uint64(START + 9 days);
        mintAs(ROOT, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        vm.warp(START + 30 days);
        pay(CHM, ROOT, 1e6);
        IRoyaltyLedger.RouteKey memory key = keyOf(ROOT);
        // 10 to 12 October: at no period's start.
        vm.warp(START + 39 days);
        d.endTs = uint64(START + 41 days);
        vm.prank(licensor);
        registry.modify(ROOT, d);
        vm.warp(START + 44 days + 60 days - 1);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.RouteInForce.selector, ROOT, _routeOf(key)));
        ledger.closeRoute(CHM, key);
        skip(1);
        ledger.closeRoute(CHM, key);
    }

    function testFuzz_a_tree_closes_once_every_leaf_took_at_the_last_amount(
        uint256 seed,
        uint256 leaves,
        uint64 revenue
    ) public {
        leaves = bound(leaves, 2, 16);
        TreeBuilder.Tree memory tree = _mintTree(seed, leaves);
        // Few units at times: some leaves have nothing due, and claim all the same.
        uint256 net = _payNet(uint256(revenue) % 1e7 + 1);
        for (uint256 i; i < leaves; ++i) {
            ledger.withdrawLeaf(_leafPayout(tree, i));
        }
        net += _payNet(5);
        IRoyaltyLedger.RouteKey memory key = _supersede();
        skip(68 days);
        uint256 claimed;
        for (uint256 i; i < leaves; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.LeavesUnclaimed.selector, claimed, leaves));
            ledger.closeRoute(CHM, key);
            ledger.withdrawLeaf(_leafPayout(tree, i));
            ++claimed;
        }
        uint256 floors;
        for (uint256 i; i < leaves; ++i) {
            floors += net * tree.leaves[i].weight / tree.denom;
        }
        assertEq(ledger.closeRoute(CHM, key), net - floors);
        IRoyaltyLedger.LeafPayout memory p = _leafPayout(tree, 0);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.NothingDue.selector, ROOT, p.leaf.payee));
        ledger.withdrawLeaf(p);
    }

    function test_a_tree_that_lies_about_its_leaves_cannot_close_before_all_have_taken() public {
        TreeBuilder.Tree memory tree = TreeBuilder.random(3, 4);
        // Its maker says one leaf; weights say four.
        mintRoot(ROOT, 10_000, splits.registerTree(tree.root(), tree.denom, 1));
        _payNet(1e9);
        ledger.withdrawLeaf(_leafPayout(tree, 0));
        IRoyaltyLedger.RouteKey memory key = _supersede();
        skip(68 days);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.LeavesUnclaimed.selector, 1, 1));
        ledger.closeRoute(CHM, key);
    }

    // ---------------------------------------------------------------- tokens

    /// @dev [ROY-31].
    function test_tokens_that_move_another_amount_are_refused() public {
        FeeToken fee = new FeeToken();
        _enable(address(fee));
        fee.mint(address(this), 1e9);
        fee.approve(address(ledger), 1e9);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenMoved.selector, address(fee), 1e6, 1e6 - 1e4));
        ledger.deposit(address(fee), LANE, payer, 1e6);
        LyingToken liar = new LyingToken();
        _enable(address(liar));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenMoved.selector, address(liar), 5, 0));
        ledger.deposit(address(liar), LANE, payer, 5);
        assertEq(ledger.accounted(address(liar)), 0);
    }

    function test_a_token_that_lost_some_takes_no_new_money_to_fill_the_hole() public {
        ShrinkingToken t = new ShrinkingToken();
        _enable(address(t));
        t.mint(address(this), 100);
        t.approve(address(ledger), 100);
        ledger.deposit(address(t), LANE, payer, 60);
        t.shrink(address(ledger), 10);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenShort.selector, address(t), 50, 60));
        ledger.deposit(address(t), LANE, payer, 40);
        // What is left can be taken.
        vm.prank(payer);
        ledger.withdrawPot(address(t), LANE, 50, payer);
        vm.prank(payer);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        ledger.withdrawPot(address(t), LANE, 10, payer);
    }

    function test_a_reentrant_token_finds_every_door_closed() public {
        ReentrantToken t = new ReentrantToken(address(ledger));
        _enable(address(t));
        t.mint(address(this), 100);
        t.approve(address(ledger), 100);
        ledger.deposit(address(t), LANE, payer, 60);
        assertEq(t.attempts(), 1);
        assertEq(t.answer(), abi.encodeWithSelector(IRoyaltyLedger.Reentrancy.selector));
    }

    function _enable(address t) private {
        vm.prank(address(timelock));
        ledger.enableToken(t, 6);
    }

    function test_tokens_are_the_owners_to_enable_with_code_and_sound_decimals() public {
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.enableToken(address(token), 6);
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.disableToken(address(token));
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenKnown.selector, address(token)));
        ledger.enableToken(address(token), 6);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenMissing.selector, address(77)));
        ledger.enableToken(address(77), 6);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenDecimals.selector, 19, 18));
        ledger.enableToken(address(this), 19);
        ledger.disableToken(address(token));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenNotEnabled.selector, address(token)));
        ledger.disableToken(address(token));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenDecimals.selector, 7, 6));
        ledger.enableToken(address(token), 7);
        ledger.enableToken(address(token), 6);
        vm.stopPrank();
    }

    function test_a_disabled_token_takes_no_new_money_and_pays_what_it_has() public {
        mintRoot(ROOT, 10_000, rampSplit(1));
        fund(address(token), 2e6);
        IRoyaltyLedger.Row memory row = rowOf("x", address(token), ROOT, 1e6);
        reserveFor(row);
        vm.prank(address(timelock));
        ledger.disableToken(address(token));
        bytes memory refused = abi.encodeWithSelector(IRoyaltyLedger.TokenNotEnabled.selector, address(token));
        vm.expectRevert(refused);
        ledger.deposit(address(token), LANE, payer, 1);
        vm.prank(settler);
        vm.expectRevert(refused);
        ledger.reserve("y", address(token), LANE, payer, 1);
        settleRow(row);
        ledger.withdraw(payoutOf(address(token), ROOT, 0));
        vm.prank(payer);
        ledger.withdrawPot(address(token), LANE, 1e6, payer);
        row = rowOf("z", address(99), ROOT, 0);
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenNotEnabled.selector, address(99)));
        ledger.settle(row);
    }

    // ---------------------------------------------------------------- fees, settlers, upgrades

    /// @dev [ROY-36].
    function testFuzz_fees_go_to_the_router_whole(uint64 revenue, bool chm) public {
        address asset = chm ? CHM : address(token);
        mintRoot(ROOT, 10_000, rampSplit(1));
        vm.expectRevert(IRoyaltyLedger.AmountZero.selector);
        ledger.collectFees(asset);
        (, uint256 fee) = pay(asset, ROOT, uint256(revenue) + 1e6);
        assertEq(ledger.collectFees(asset), fee);
        assertEq(feeRouter.totalReceived(asset), fee);
        assertEq(balanceOf(asset, address(feeRouter)), fee);
        assertEq(ledger.feesOwed(asset), 0);
        assertEq(ledger.accounted(asset), balanceOf(asset, address(ledger)));
    }

    /// @dev [ROY-23].
    function testFuzz_the_list_of_settlers_is_who_has_the_role(uint256 seed) public {
        for (uint256 i; i < 60; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            address who = address(uint160(0x5000 + seed % 12));
            uint256 roles = seed & 1 << 20 != 0 ? Roles.SETTLER : Roles.SETTLER | Roles.ENFORCER;
            if (seed & 1 << 21 != 0) {
                bool full = ledger.settlers().length == 8 && !ledger.hasAnyRole(who, Roles.SETTLER);
                vm.prank(address(timelock));
                if (full) vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TooManySettlers.selector, 8));
                ledger.grantRoles(who, roles);
            } else if (seed & 1 << 22 != 0) {
                vm.prank(address(timelock));
                ledger.revokeRoles(who, roles);
            } else {
                vm.prank(who);
                ledger.renounceRoles(roles);
            }
            address[] memory list = ledger.settlers();
            uint256 holders = ledger.hasAnyRole(settler, Roles.SETTLER) ? 1 : 0;
            for (uint256 j; j < 12; ++j) {
                if (ledger.hasAnyRole(address(uint160(0x5000 + j)), Roles.SETTLER)) ++holders;
            }
            assertEq(list.length, holders);
            for (uint256 j; j < list.length; ++j) {
                assertTrue(ledger.hasAnyRole(list[j], Roles.SETTLER));
            }
        }
    }

    /// @dev [ROY-23]: whoever loses the role, in whatever way, settles no more, also who was given it last; the others do.
    function testFuzz_who_lost_the_role_settles_no_more(bool renounces, bool first, bool again) public {
        address[2] memory both = [settler, address(0x5e77)];
        vm.prank(address(timelock));
        ledger.grantRoles(both[1], Roles.SETTLER | Roles.ENFORCER);
        address gone = both[first ? 0 : 1];
        address stays = both[first ? 1 : 0];
        _settlesAs(gone, true);
        _settlesAs(stays, true);
        if (renounces) {
            vm.prank(gone);
            ledger.renounceRoles(Roles.SETTLER);
        } else {
            vm.prank(address(timelock));
            ledger.revokeRoles(gone, Roles.SETTLER);
        }
        _settlesAs(gone, false);
        _settlesAs(stays, true);
        _settlesAs(address(0), false);
        if (again) {
            vm.prank(address(timelock));
            ledger.grantRoles(gone, Roles.SETTLER);
            _settlesAs(gone, true);
            _settlesAs(stays, true);
        }
    }

    function _settlesAs(address who, bool may) private {
        vm.startPrank(who);
        IRoyaltyLedger.Row[] memory none = new IRoyaltyLedger.Row[](0);
        if (!may) vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.settleBatch(none);
        if (!may) vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.reserve("batch", CHM, LANE, payer, 0);
        if (!may) vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.release("batch", CHM, LANE, payer);
        vm.stopPrank();
    }

    function test_only_the_timelock_upgrades_and_every_unit_stays() public {
        mintRoot(ROOT, 10_000, rampSplit(3));
        pay(CHM, ROOT, 1e9);
        ledger.withdraw(payoutOf(CHM, ROOT, 1));
        bytes32 before = _digest();
        address next = address(0x9999);
        deployCodeTo("RoyaltyLedger.sol:RoyaltyLedger", next);
        vm.prank(authority);
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.upgradeToAndCall(next, "");
        byTimelock(address(ledger), abi.encodeCall(ledger.upgradeToAndCall, (next, "")));
        assertEq(_digest(), before);
        ledger.withdraw(payoutOf(CHM, ROOT, 0));
        vm.expectRevert();
        ledger.initialize(address(this), address(this), address(this));
    }

    function _digest() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                ledger.accountOf(CHM, keyOf(ROOT)),
                ledger.accounted(CHM),
                ledger.feesOwed(CHM),
                ledger.takenOf(CHM, keyOf(ROOT), 1),
                ledger.accrualOf(CHM, ROOT, LANE, PERIOD),
                ledger.settlers()
            )
        );
    }

    // ---------------------------------------------------------------- receipts

    /// @dev [ROY-35]: the slot holds the account the amounts follow from.
    function test_a_payout_proof_names_the_slot_of_its_account() public {
        mintRoot(ROOT, 10_000, rampSplit(5));
        pay(CHM, ROOT, 123_456_789);
        IRoyaltyLedger.RouteKey memory key = keyOf(ROOT);
        (ISplitRegistry.Allocation memory a, bytes32[] memory path, bytes32 slot) = ledger.payoutProof(CHM, key, 4);
        uint256 word = uint256(vm.load(address(ledger), slot));
        uint256 kept = uint112(word) - uint112(word >> 112);
        assertEq(kept, keptOf(CHM, ROOT));
        assertEq(a.amount, kept * 5 / 15);
        assertEq(path.length, 1, "the odd one moves up twice");
        vm.expectPartialRevert(ISplitRegistry.SplitIndex.selector);
        ledger.payoutProof(CHM, key, 5);
        IRoyaltyLedger.RouteKey memory unknown;
        vm.expectPartialRevert(IRoyaltyLedger.RouteUnknown.selector);
        ledger.payoutReceipt(CHM, unknown);
    }
}
