// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";

/// @title The Merkle tree over a batch's rows (RFC 6962's shape)
/// @notice A leaf is keccak256(0x00 ‖ the row's fields), a node keccak256(0x01 ‖ left ‖ right); the odd one at the end of a level
/// moves up as it is. Upholds [PAY-44].
library RowTree {
    function leafOf(IPayoutProofs.TableRow calldata row) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                bytes1(0x00), row.payer, row.licence, row.firstRecord, row.count, row.revenue, row.royaltyBps, row.owed
            )
        );
    }

    /// @notice Whether `leaf` is the `index`th of `size` under `root`; `siblings` from the leaf up, none where a node has none.
    function verify(bytes32 root, bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata siblings)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        uint256 used;
        uint256 last = size - 1;
        while (last != 0) {
            if (index & 1 != 0 || index != last) {
                if (used == siblings.length) return false;
                bytes32 sibling = siblings[used++];
                leaf = index & 1 != 0 ? _node(sibling, leaf) : _node(leaf, sibling);
            }
            index >>= 1;
            last >>= 1;
        }
        return used == siblings.length && leaf == root;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), left, right));
    }
}
