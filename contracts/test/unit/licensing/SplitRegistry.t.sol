// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Roles} from "src/core/Roles.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {SumTree} from "src/licensing/libraries/SumTree.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";
import {TreeBuilder} from "test/mocks/TreeBuilder.sol";

contract SplitRegistryTest is RoyaltyBase {
    using TreeBuilder for TreeBuilder.Tree;

    // ---------------------------------------------------------------- vectors

    /// @dev [ROY-5], [ROY-6].
    function testFuzz_a_vector_is_found_again_under_its_canonical_hash(uint256 seed, uint256 count) public {
        // Now and then the largest.
        count = seed % 64 == 0 ? 512 : bound(count, 1, 24);
        (address[] memory payees, uint96[] memory weights, uint96 denom) = _vector(seed, count);
        bytes memory packed;
        for (uint256 i; i < count; ++i) {
            packed = abi.encodePacked(packed, payees[i], weights[i]);
        }
        bytes32 expected = keccak256(abi.encodePacked("CHLOM_SPLIT_V1", denom, packed));
        assertFalse(splits.isValidSplitHash(expected));
        assertEq(uint8(splits.kindOf(expected)), uint8(ISplitRegistry.Kind.None));
        vm.expectEmit(address(splits));
        emit ISplitRegistry.SplitRegistered(expected, denom, count);
        assertEq(splits.registerVector(payees, weights, denom), expected);
        assertTrue(splits.isValidSplitHash(expected));
        assertEq(uint8(splits.kindOf(expected)), uint8(ISplitRegistry.Kind.Vector));
        assertEq(splits.payeeCount(expected), count);
        (address[] memory p, uint96[] memory w, uint96 d) = splits.vectorOf(expected);
        assertEq(abi.encode(p, w, d), abi.encode(payees, weights, denom));
        uint256 index = seed % count;
        (address payee, uint96 weight, uint96 denom_) = splits.entryAt(expected, index);
        assertEq(abi.encode(payee, weight, denom_), abi.encode(payees[index], weights[index], denom));
        vm.recordLogs();
        assertEq(splits.registerVector(payees, weights, denom), expected, "again");
        assertEq(vm.getRecordedLogs().length, 0, "nothing changes");
    }

    /// @dev Invariant I1.
    function testFuzz_I1_weights_that_do_not_sum_to_the_denominator_are_refused(
        uint256 seed,
        uint256 count,
        uint96 denom
    ) public {
        (address[] memory payees, uint96[] memory weights, uint96 sum) = _vector(seed, bound(count, 1, 20));
        vm.assume(sum != denom);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitSum.selector, sum, denom));
        splits.registerVector(payees, weights, denom);
    }

    function test_sums_beyond_96_bits_are_refused() public {
        address[] memory payees = new address[](2);
        uint96[] memory weights = new uint96[](2);
        (payees[0], payees[1]) = (address(1), address(2));
        (weights[0], weights[1]) = (type(uint96).max, 2);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitSum.selector, uint256(1) << 96 | 1, 1));
        splits.registerVector(payees, weights, 1);
    }

    function test_a_vector_has_one_to_512_payees() public {
        vm.expectRevert(ISplitRegistry.SplitEmpty.selector);
        splits.registerVector(new address[](0), new uint96[](0), 0);
        (address[] memory payees, uint96[] memory weights, uint96 denom) = _vector(1, 513);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitTooLarge.selector, 513, 512));
        splits.registerVector(payees, weights, denom);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitLengths.selector, 1, 2));
        splits.registerVector(new address[](1), new uint96[](2), 1);
    }

    function testFuzz_zero_payees_and_zero_weights_are_refused(uint256 seed, uint256 count, uint256 at) public {
        count = bound(count, 1, 20);
        at %= count;
        (address[] memory payees, uint96[] memory weights, uint96 denom) = _vector(seed, count);
        uint96 weight = weights[at];
        weights[at] = 0;
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitWeightZero.selector, at));
        splits.registerVector(payees, weights, denom);
        weights[at] = weight;
        payees[at] = address(0);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitPayeeZero.selector, at));
        splits.registerVector(payees, weights, denom);
    }

    function testFuzz_a_duplicate_or_descending_payee_is_refused(uint256 seed, uint256 count, uint256 at, bool same)
        public
    {
        count = bound(count, 2, 20);
        at = bound(at, 1, count - 1);
        (address[] memory payees, uint96[] memory weights, uint96 denom) = _vector(seed, count);
        address before = payees[at - 1];
        payees[at] = same ? before : address(uint160(before) - 1);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitOrder.selector, at, before, payees[at]));
        splits.registerVector(payees, weights, denom);
    }

    function testFuzz_what_is_not_registered_is_named_so(bytes32 hash, uint256 index) public {
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitUnknown.selector, hash));
        splits.vectorOf(hash);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitUnknown.selector, hash));
        splits.treeOf(hash);
        bytes32 known = rampSplit(3);
        index = bound(index, 3, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitIndex.selector, known, index, 3));
        splits.entryAt(known, index);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitKind.selector, known, ISplitRegistry.Kind.Vector));
        splits.treeOf(known);
    }

    /// @dev [ROY-35].
    function testFuzz_a_receipts_path_leads_to_its_root(uint256 seed, uint256 count, uint256 index, uint112 kept)
        public
    {
        count = bound(count, 1, 60);
        index %= count;
        (address[] memory payees, uint96[] memory weights, uint96 denom) = _vector(seed, count);
        bytes32 hash = splits.registerVector(payees, weights, denom);
        (ISplitRegistry.Allocation[] memory all,, uint256 residual, bytes32 root) = splits.allocate(hash, kept);
        assertLe(residual, count - 1);
        assertEq(_climb(hash, kept, index, count), root);
        (ISplitRegistry.Allocation memory a,,) = splits.allocationProof(hash, kept, index, 0);
        assertEq(abi.encode(a), abi.encode(all[index]));
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitIndex.selector, hash, count, count));
        splits.allocationProof(hash, kept, count, 0);
    }

    /// @dev The root that a payee's amount and path lead to.
    function _climb(bytes32 hash, uint256 kept, uint256 index, uint256 count) private view returns (bytes32 node) {
        (ISplitRegistry.Allocation memory a, bytes32[] memory path,) = splits.allocationProof(hash, kept, index, 0);
        node = keccak256(abi.encodePacked(bytes1(0), abi.encode(index, a.to, a.amount)));
        uint256 used;
        for (uint256 width = count; width > 1; width = (width + 1) / 2) {
            if (index ^ 1 < width) {
                (bytes32 l, bytes32 r) = index & 1 == 0 ? (node, path[used]) : (path[used], node);
                node = keccak256(abi.encodePacked(bytes1(uint8(1)), l, r));
                ++used;
            }
            index >>= 1;
        }
        assertEq(used, path.length);
    }

    // ---------------------------------------------------------------- trees

    /// @dev [ROY-7].
    function testFuzz_every_leaf_of_a_sum_tree_verifies_and_no_other_interval_does(uint256 seed, uint256 count) public {
        count = bound(count, 1, 20);
        TreeBuilder.Tree memory tree = TreeBuilder.random(seed, count);
        bytes32 hash = splits.registerTree(tree.root(), tree.denom, uint32(count));
        assertEq(uint8(splits.kindOf(hash)), uint8(ISplitRegistry.Kind.Tree));
        bytes memory missing = abi.encodeWithSelector(ISplitRegistry.LeafNotInTree.selector, hash);
        for (uint256 i; i < count; ++i) {
            ISplitRegistry.Leaf memory leaf = tree.leaves[i];
            assertEq(_verify(hash, tree, i, leaf), tree.denom);
            if (leaf.start > 0) {
                vm.expectRevert(missing);
                _verify(hash, tree, i, ISplitRegistry.Leaf(leaf.payee, leaf.start - 1, leaf.weight));
            }
            vm.expectRevert(missing);
            _verify(hash, tree, i, ISplitRegistry.Leaf(address(0xbad), leaf.start, leaf.weight));
        }
    }

    /// @dev The proof of leaf `i`, for another leaf.
    function _verify(bytes32 hash, TreeBuilder.Tree memory tree, uint256 i, ISplitRegistry.Leaf memory leaf)
        private
        view
        returns (uint96)
    {
        (, uint256 path, bytes32[] memory siblings, uint96[] memory sums) = tree.proof(i);
        return splits.verifyLeaf(hash, leaf, path, siblings, sums);
    }

    function test_leaves_that_overlap_or_overrun_are_refused() public {
        // A tree whose second leaf claims to start inside of the first: its root is what its maker wants, its proof fails.
        ISplitRegistry.Leaf memory a = ISplitRegistry.Leaf(address(1), 0, 60);
        ISplitRegistry.Leaf memory b = ISplitRegistry.Leaf(address(2), 50, 40);
        bytes32 root = SumTree.nodeHash(SumTree.leafHash(a), 60, SumTree.leafHash(b), 40);
        bytes32 hash = splits.registerTree(root, 100, 2);
        bytes32[] memory siblings = new bytes32[](1);
        uint96[] memory sums = new uint96[](1);
        (siblings[0], sums[0]) = (SumTree.leafHash(a), 60);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafRange.selector, 50, 40, 100));
        splits.verifyLeaf(hash, b, 1, siblings, sums);
        // Weights past the denominator.
        b = ISplitRegistry.Leaf(address(2), 60, 41);
        root = SumTree.nodeHash(SumTree.leafHash(a), 60, SumTree.leafHash(b), 41);
        hash = splits.registerTree(root, 100, 2);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafRange.selector, 60, 41, 100));
        splits.verifyLeaf(hash, b, 1, siblings, sums);
        (siblings[0], sums[0]) = (SumTree.leafHash(b), 41);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafNotInTree.selector, hash));
        splits.verifyLeaf(hash, a, 0, siblings, sums);
        // A leaf of no weight, at the very end.
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafRange.selector, 100, 0, 100));
        splits.verifyLeaf(hash, ISplitRegistry.Leaf(address(3), 100, 0), 0, siblings, sums);
    }

    function test_a_proof_has_a_sum_for_each_sibling_at_most_17_and_one_form() public {
        TreeBuilder.Tree memory tree = TreeBuilder.random(7, 5);
        bytes32 hash = splits.registerTree(tree.root(), tree.denom, 5);
        (ISplitRegistry.Leaf memory leaf, uint256 path, bytes32[] memory siblings, uint96[] memory sums) = tree.proof(2);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitLengths.selector, siblings.length, 1));
        splits.verifyLeaf(hash, leaf, path, siblings, new uint96[](1));
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.ProofTooLong.selector, 18, 17));
        splits.verifyLeaf(hash, leaf, path, new bytes32[](18), new uint96[](18));
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafNotInTree.selector, hash));
        splits.verifyLeaf(hash, leaf, path | 1 << siblings.length, siblings, sums);
    }

    function test_a_tree_has_a_root_and_one_to_100_000_leaves_each_weighing_one() public {
        vm.expectRevert(ISplitRegistry.TreeRootZero.selector);
        splits.registerTree(0, 1, 1);
        vm.expectRevert(ISplitRegistry.SplitEmpty.selector);
        splits.registerTree(bytes32(uint256(1)), 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitTooLarge.selector, 100_001, 100_000));
        splits.registerTree(bytes32(uint256(1)), 200_000, 100_001);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitTooLarge.selector, 6, 5));
        splits.registerTree(bytes32(uint256(1)), 5, 6);
        bytes32 root = bytes32(uint256(1));
        bytes32 hash = splits.registerTree(root, 200_000, 100_000);
        assertEq(hash, keccak256(abi.encodePacked("CHLOM_SPLIT_TREE_V1", root, uint96(200_000), uint32(100_000))));
        (bytes32 r, uint96 d, uint32 l) = splits.treeOf(hash);
        assertEq(abi.encode(r, d, l), abi.encode(root, 200_000, 100_000));
        assertEq(splits.registerTree(root, 200_000, 100_000), hash);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.SplitKind.selector, hash, ISplitRegistry.Kind.Tree));
        splits.payeeCount(hash);
    }

    // ---------------------------------------------------------------- edges

    function _edge(uint256 child, uint256 parent, uint64 n, uint64 d) private {
        vm.prank(SystemAddresses.LICENSE_REGISTRY);
        splits.registerEdge(bytes32(child), bytes32(parent), n, d);
    }

    function testFuzz_only_the_licence_registry_registers_edges(address caller) public {
        vm.assume(caller != SystemAddresses.LICENSE_REGISTRY);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeCaller.selector, caller));
        splits.registerEdge("a", "b", 1, 2);
    }

    function testFuzz_rates_above_one_and_of_nothing_are_refused(uint64 n, uint64 d) public {
        if (d != 0 && n <= d) (n, d) = (d, n == d ? 0 : n);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeRate.selector, n, d));
        _edge(1, 2, n, d);
    }

    /// @dev Invariant I7, [ROY-8]: whatever edges are offered, what is taken is a forest of depth at most 16.
    function testFuzz_I7_edges_are_a_forest(uint256 seed) public {
        for (uint256 i; i < 60; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prank(SystemAddresses.LICENSE_REGISTRY);
            try splits.registerEdge(bytes32(1 + seed % 24), bytes32(1 + (seed >> 64) % 24), 1, 2) {} catch {}
        }
        for (uint256 id = 1; id <= 24; ++id) {
            bytes32 at = bytes32(id);
            uint256 steps;
            uint256 depth = splits.edgeOf(at).depth;
            while (splits.edgeOf(at).denom != 0) {
                at = splits.edgeOf(at).parent;
                assertLe(++steps, 16, "a cycle, or too deep");
            }
            assertEq(steps, depth);
        }
    }

    function test_cycles_second_parents_and_the_17th_edge_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeSelf.selector, bytes32(uint256(1))));
        _edge(1, 1, 1, 2);
        for (uint256 i = 1; i <= 16; ++i) {
            vm.expectEmit(address(splits));
            emit ISplitRegistry.EdgeRegistered(bytes32(i + 1), bytes32(i), 1, 2, uint8(i));
            _edge(i + 1, i, 1, 2);
        }
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeDepth.selector, bytes32(uint256(17)), 16, 16));
        _edge(18, 17, 1, 2);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeExists.selector, bytes32(uint256(5))));
        _edge(5, 1, 1, 2);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeTooLate.selector, bytes32(uint256(1))));
        _edge(1, 17, 1, 2);
        ISplitRegistry.Edge memory e = splits.edgeOf(bytes32(uint256(17)));
        assertEq(abi.encode(e), abi.encode(ISplitRegistry.Edge(bytes32(uint256(16)), 1, 2, 16)));
    }

    // ---------------------------------------------------------------- marks

    bytes32 private constant ROOT = "root";
    bytes32 private constant MID = "mid";
    bytes32 private constant LEAF = "leaf";

    function _line() private {
        bytes32 split = rampSplit(2);
        mintRoot(ROOT, 1_000, split);
        mintUnder(MID, 1_000, split, ROOT, 1, 2);
        mintUnder(LEAF, 1_000, split, MID, 1, 3);
    }

    function _mark(address by, bytes32 root, ISplitRegistry.Mark mark) private {
        vm.prank(by);
        splits.markSubtree(root, mark, 7);
    }

    /// @dev [ROY-9].
    function testFuzz_a_mark_covers_the_subtree_from_its_block_on_and_nothing_before(uint32 wait) public {
        _line();
        uint64 at = uint64(block.timestamp);
        vm.expectEmit(address(splits));
        emit ISplitRegistry.SubtreeMarked(MID, ISplitRegistry.Mark.Suspended, 7, at);
        _mark(licensor, MID, ISplitRegistry.Mark.Suspended);
        skip(uint256(wait) + 1);
        _mark(authority, ROOT, ISplitRegistry.Mark.Revoked);
        uint64 later = uint64(block.timestamp);
        (ISplitRegistry.Mark mark, uint32 reason) = splits.subtreeAt(LEAF, later - 1, later);
        assertEq(abi.encode(mark, reason), abi.encode(ISplitRegistry.Mark.Suspended, 7));
        (mark,) = splits.subtreeAt(LEAF, later, later - 1);
        assertEq(uint8(mark), uint8(ISplitRegistry.Mark.Suspended), "as known then");
        (mark,) = splits.subtreeAt(LEAF, later, later);
        assertEq(uint8(mark), uint8(ISplitRegistry.Mark.Revoked), "the gravest");
        (mark,) = splits.subtreeAt(LEAF, at - 1, later);
        assertEq(uint8(mark), uint8(ISplitRegistry.Mark.None), "not before");
        (mark,) = splits.subtreeAt(ROOT, later - 1, later);
        assertEq(uint8(mark), uint8(ISplitRegistry.Mark.None), "not above");
    }

    function test_only_the_licensor_or_enforcement_marks_and_only_enforcement_lifts_its_own() public {
        _line();
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.MarkCaller.selector, MID, address(this)));
        splits.markSubtree(MID, ISplitRegistry.Mark.Suspended, 0);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.MarkCaller.selector, bytes32("none"), authority));
        _mark(authority, "none", ISplitRegistry.Mark.Suspended);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.MarkSame.selector, MID, ISplitRegistry.Mark.None));
        _mark(licensor, MID, ISplitRegistry.Mark.None);
        _mark(licensor, MID, ISplitRegistry.Mark.Suspended);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.MarkSame.selector, MID, ISplitRegistry.Mark.Suspended));
        _mark(licensor, MID, ISplitRegistry.Mark.Suspended);
        // Enforcement makes it its own.
        _mark(authority, MID, ISplitRegistry.Mark.Suspended);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.MarkCaller.selector, MID, licensor));
        _mark(licensor, MID, ISplitRegistry.Mark.None);
        _mark(authority, MID, ISplitRegistry.Mark.None);
        _mark(licensor, MID, ISplitRegistry.Mark.Revoked);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.MarkForever.selector, MID));
        _mark(authority, MID, ISplitRegistry.Mark.None);
    }

    // ---------------------------------------------------------------- routes

    /// @dev [ROY-13].
    function test_a_route_names_each_licence_its_version_and_whether_it_counts() public {
        _line();
        vm.prank(authority);
        registry.suspend(MID, 1);
        skip(1);
        vm.prank(licensor);
        registry.revoke(ROOT);
        skip(1);
        ISplitRegistry.RouteNode[] memory n = splits.routeAt(LEAF, uint64(block.timestamp));
        assertEq(n.length, 3);
        bytes32 top = keccak256(abi.encode(bytes32(0), ROOT, uint32(1), false));
        bytes32 mid = keccak256(abi.encode(top, MID, uint32(1), true));
        bytes32 leaf = keccak256(abi.encode(mid, LEAF, uint32(1), true));
        assertEq(abi.encode(n[2]), abi.encode(ISplitRegistry.RouteNode(ROOT, 1, false, 0, 0, top, 0)));
        assertEq(abi.encode(n[1]), abi.encode(ISplitRegistry.RouteNode(MID, 1, true, 1, 2, mid, top)));
        assertEq(abi.encode(n[0]), abi.encode(ISplitRegistry.RouteNode(LEAF, 1, true, 1, 3, leaf, mid)));
        // Before: every one active.
        n = splits.routeAt(LEAF, uint64(START));
        assertTrue(n[0].active && n[1].active && n[2].active);
    }

    function testFuzz_a_route_at_a_time_gone_by_never_changes(uint256 seed) public {
        _line();
        skip(1 days);
        uint64 then = uint64(block.timestamp - 1);
        bytes32 before = keccak256(abi.encode(splits.routeAt(LEAF, then)));
        bytes32[3] memory ids = [ROOT, MID, LEAF];
        bytes32 other = rampSplit(3);
        for (uint256 i; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            bytes32 id = ids[seed % 3];
            uint256 act = (seed >> 8) % 5;
            vm.prank(act < 2 ? authority : licensor);
            if (act == 0) {
                try registry.suspend(id, 1) {} catch {}
            } else if (act == 1) {
                try registry.lift(id, 1) {} catch {}
            } else if (act == 2) {
                try registry.modify(id, data(seed % 10_001, other)) {} catch {}
            } else if (act == 3) {
                try registry.revoke(id) {} catch {}
            } else {
                try splits.markSubtree(id, ISplitRegistry.Mark(1 + (seed >> 16) % 2), 0) {} catch {}
            }
            if (seed & 1 << 100 != 0) skip(1 hours);
            assertEq(keccak256(abi.encode(splits.routeAt(LEAF, then))), before);
        }
    }

    // ---------------------------------------------------------------- governance

    function test_only_the_owner_upgrades_and_what_is_stored_stays() public {
        _line();
        _mark(licensor, MID, ISplitRegistry.Mark.Suspended);
        bytes32 before = keccak256(abi.encode(splits.edgeOf(LEAF), splits.routeAt(LEAF, uint64(block.timestamp))));
        address next = address(0x9999);
        deployCodeTo("SplitRegistry.sol:SplitRegistry", next);
        vm.prank(authority);
        vm.expectRevert();
        splits.upgradeToAndCall(next, "");
        byTimelock(address(splits), abi.encodeCall(splits.upgradeToAndCall, (next, "")));
        vm.warp(block.timestamp);
        assertEq(keccak256(abi.encode(splits.edgeOf(LEAF), splits.routeAt(LEAF, uint64(block.timestamp)))), before);
        vm.expectRevert();
        splits.initialize(address(this), address(this));
    }

    // ---------------------------------------------------------------- within

    function _vector(uint256 seed, uint256 count)
        private
        pure
        returns (address[] memory payees, uint96[] memory weights, uint96 denom)
    {
        payees = new address[](count);
        weights = new uint96[](count);
        uint160 at = 1;
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            at += 1 + uint160(seed >> 200);
            payees[i] = address(at);
            weights[i] = uint96(1 + seed % 1e24);
            denom += weights[i];
        }
    }
}
