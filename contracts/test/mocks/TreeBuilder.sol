// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {SumTree} from "src/licensing/libraries/SumTree.sol";

/// @title Builds sum trees as an off-chain maker does: pairs, the odd node at the end of a level moves up
library TreeBuilder {
    struct Tree {
        ISplitRegistry.Leaf[] leaves;
        uint96 denom;
    }

    function random(uint256 seed, uint256 count) internal pure returns (Tree memory tree) {
        tree.leaves = new ISplitRegistry.Leaf[](count);
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint96 weight = uint96(1 + seed % 1e6);
            // Few payees, so that some have several leaves.
            tree.leaves[i] = ISplitRegistry.Leaf(address(uint160(0x20000 + (seed >> 64) % 7)), tree.denom, weight);
            tree.denom += weight;
        }
    }

    function root(Tree memory tree) internal pure returns (bytes32) {
        (bytes32[] memory hashes, uint96[] memory sums) = _leaves(tree);
        uint256 width = hashes.length;
        while (width > 1) width = _fold(hashes, sums, width);
        return hashes[0];
    }

    function proof(Tree memory tree, uint256 index)
        internal
        pure
        returns (ISplitRegistry.Leaf memory leaf, uint256 path, bytes32[] memory siblings, uint96[] memory siblingSums)
    {
        leaf = tree.leaves[index];
        (bytes32[] memory hashes, uint96[] memory sums) = _leaves(tree);
        uint256 width = hashes.length;
        bytes32[] memory foundHashes = new bytes32[](20);
        uint96[] memory foundSums = new uint96[](20);
        uint256 count;
        while (width > 1) {
            uint256 other = index ^ 1;
            if (other < width) {
                (foundHashes[count], foundSums[count]) = (hashes[other], sums[other]);
                if (index & 1 == 1) path |= 1 << count;
                ++count;
            }
            width = _fold(hashes, sums, width);
            index >>= 1;
        }
        siblings = new bytes32[](count);
        siblingSums = new uint96[](count);
        for (uint256 i; i < count; ++i) {
            (siblings[i], siblingSums[i]) = (foundHashes[i], foundSums[i]);
        }
    }

    function _leaves(Tree memory tree) private pure returns (bytes32[] memory hashes, uint96[] memory sums) {
        hashes = new bytes32[](tree.leaves.length);
        sums = new uint96[](tree.leaves.length);
        for (uint256 i; i < hashes.length; ++i) {
            (hashes[i], sums[i]) = (SumTree.leafHash(tree.leaves[i]), tree.leaves[i].weight);
        }
    }

    function _fold(bytes32[] memory hashes, uint96[] memory sums, uint256 width) private pure returns (uint256 next) {
        for (uint256 i; i + 1 < width; i += 2) {
            hashes[next] = SumTree.nodeHash(hashes[i], sums[i], hashes[i + 1], sums[i + 1]);
            sums[next++] = sums[i] + sums[i + 1];
        }
        if (width % 2 == 1) (hashes[next], sums[next]) = (hashes[width - 1], sums[width - 1]);
        next += width % 2;
    }
}
