// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";

/// @title The Merkle tree over a payout receipt's allocations (REF §8.1)
/// @notice A leaf is keccak256(0x00 ‖ abi.encode(index, to, amount)), a node keccak256(0x01 ‖ left ‖ right); the odd one at
/// the end of a level moves up as it is. Upholds [ROY-35].
library ReceiptTree {
    function root(ISplitRegistry.Allocation[] memory allocations) internal pure returns (bytes32) {
        bytes32[] memory level = _leaves(allocations);
        uint256 width = level.length;
        while (width > 1) width = _fold(level, width);
        return level[0];
    }

    /// @notice The siblings from the leaf up; a level where the node has none gives none.
    function path(ISplitRegistry.Allocation[] memory allocations, uint256 index)
        internal
        pure
        returns (bytes32[] memory siblings)
    {
        bytes32[] memory level = _leaves(allocations);
        uint256 width = level.length;
        siblings = new bytes32[](256);
        uint256 count;
        while (width > 1) {
            uint256 sibling = index ^ 1;
            if (sibling < width) siblings[count++] = level[sibling];
            width = _fold(level, width);
            index >>= 1;
        }
        assembly ("memory-safe") {
            mstore(siblings, count)
        }
    }

    function _leaves(ISplitRegistry.Allocation[] memory allocations) private pure returns (bytes32[] memory level) {
        level = new bytes32[](allocations.length);
        for (uint256 i; i < level.length; ++i) {
            level[i] =
                keccak256(abi.encodePacked(bytes1(0x00), abi.encode(i, allocations[i].to, allocations[i].amount)));
        }
    }

    /// @dev Replaces a level by the one above it.
    function _fold(bytes32[] memory level, uint256 width) private pure returns (uint256 next) {
        for (uint256 i; i + 1 < width; i += 2) {
            level[next++] = keccak256(abi.encodePacked(bytes1(0x01), level[i], level[i + 1]));
        }
        if (width % 2 == 1) level[next++] = level[width - 1];
    }
}
