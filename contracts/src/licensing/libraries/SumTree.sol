// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";

/// @title Sum trees: a split by the root of a Merkle tree whose nodes carry sums
/// @notice A node commits to its children's hashes and sums, so a leaf's path fixes the weights on its left: a leaf verifies
/// at one start only, and leaves that verify never overlap. Upholds [ROY-7].
library SumTree {
    /// @notice Levels that 100,000 leaves need.
    uint256 internal constant MAX_DEPTH = 17;

    function leafHash(ISplitRegistry.Leaf memory leaf) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), leaf.payee, leaf.start, leaf.weight));
    }

    function nodeHash(bytes32 left, uint96 leftSum, bytes32 right, uint96 rightSum) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), left, leftSum, right, rightSum));
    }

    /// @notice The root that a leaf and its path give, the sum at that root, and the weights on the leaf's left.
    /// @dev Sums stay below 2⁹⁶·18; a partial sum past `denom` can only end past it, so it is refused before it is hashed.
    /// @return ok Whether the sums stayed within `denom`.
    function climb(
        ISplitRegistry.Leaf calldata leaf,
        uint96 denom,
        uint256 path,
        bytes32[] calldata siblings,
        uint96[] calldata sums
    ) internal pure returns (bool ok, bytes32 root, uint256 sum, uint256 left) {
        root = leafHash(leaf);
        sum = leaf.weight;
        for (uint256 i; i < siblings.length; ++i) {
            uint256 total = sum + sums[i];
            if (total > denom) return (false, root, total, left);
            // sum < total ≤ denom: both fit 96 bits.
            if ((path >> i) & 1 == 1) {
                left += sums[i];
                // forge-lint: disable-next-line(unsafe-typecast)
                root = nodeHash(siblings[i], sums[i], root, uint96(sum));
            } else {
                // forge-lint: disable-next-line(unsafe-typecast)
                root = nodeHash(root, uint96(sum), siblings[i], sums[i]);
            }
            sum = total;
        }
        ok = true;
    }
}
