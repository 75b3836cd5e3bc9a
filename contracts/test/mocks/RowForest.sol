// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";

/// @title RFC 6962's tree by its recursive definition: a second way to roots and paths, for tests
library RowForest {
    function leaf(IPayoutProofs.TableRow memory r) internal pure returns (bytes32) {
        bytes memory head = abi.encodePacked(bytes1(0x00), r.payer, r.licence, r.firstRecord, r.count);
        return keccak256(abi.encodePacked(head, r.revenue, r.royaltyBps, r.owed));
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return _root(leaves, 0, leaves.length);
    }

    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return _path(leaves, 0, leaves.length, index);
    }

    function _root(bytes32[] memory leaves, uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 k = _split(to - from);
        return keccak256(abi.encodePacked(bytes1(0x01), _root(leaves, from, from + k), _root(leaves, from + k, to)));
    }

    function _path(bytes32[] memory leaves, uint256 from, uint256 to, uint256 index)
        private
        pure
        returns (bytes32[] memory out)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = _split(to - from);
        bool left = index < from + k;
        bytes32[] memory inner = left ? _path(leaves, from, from + k, index) : _path(leaves, from + k, to, index);
        out = new bytes32[](inner.length + 1);
        for (uint256 i; i < inner.length; ++i) {
            out[i] = inner[i];
        }
        out[inner.length] = left ? _root(leaves, from + k, to) : _root(leaves, from, from + k);
    }

    /// @dev The greatest power of two below `n`.
    function _split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }
}
