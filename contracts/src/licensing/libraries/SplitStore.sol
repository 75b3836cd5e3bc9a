// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {SystemAddresses} from "../../core/SystemAddresses.sol";

/// @title Where splits are kept: as code, at an address that follows from the split's hash
/// @notice A reader that knows the hash reads an entry with one cold access, asking no contract. What is stored, behind a STOP
/// byte: hash (32) ‖ denom (12) ‖ then, for a vector, 32 bytes an entry (payee 20, weight 12), and for a tree root (32) ‖
/// leaves (4).
/// @dev The address follows from the hash's first 18 bytes, its *tag*, which fits beside an amount in one slot. Two hashes
/// with one tag cannot both be stored, since the address is taken once; so a tag names one split for ever.
library SplitStore {
    uint256 private constant HEAD = 44;
    uint256 private constant ENTRY = 32;
    uint256 private constant TREE = 36;

    function tagOf(bytes32 splitHash) internal pure returns (uint144) {
        // The first 18 bytes on purpose.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint144(bytes18(splitHash));
    }

    function pointerOf(uint144 tag) internal pure returns (address) {
        return SSTORE2.predictDeterministicAddress(bytes32(uint256(tag)), SystemAddresses.SPLIT_REGISTRY);
    }

    /// @notice Hash and denominator of what is stored under `tag`, and how many bytes follow; zeros when nothing is.
    function head(uint144 tag) internal view returns (bytes32 splitHash, uint96 denom, uint256 rest) {
        address pointer = pointerOf(tag);
        uint256 size = pointer.code.length;
        if (size == 0) return (0, 0, 0);
        bytes32 tail;
        assembly ("memory-safe") {
            extcodecopy(pointer, 0x00, 1, HEAD)
            splitHash := mload(0x00)
            tail := mload(0x20)
        }
        denom = uint96(bytes12(tail));
        rest = size - 1 - HEAD;
    }

    /// @notice Payees of a vector that `rest` bytes hold; `false` for a tree.
    function vectorLength(uint256 rest) internal pure returns (bool isVector, uint256 count) {
        return (rest % ENTRY == 0, rest / ENTRY);
    }

    /// @notice One entry of the vector under `tag`. `count` is 0 when there is no vector; `payee` is zero past its end.
    function entry(uint144 tag, uint256 index)
        internal
        view
        returns (address payee, uint96 weight, uint96 denom, uint256 count)
    {
        address pointer = pointerOf(tag);
        uint256 size = pointer.code.length;
        if (size <= 1 + HEAD || (size - 1 - HEAD) % ENTRY != 0) return (address(0), 0, 0, 0);
        count = (size - 1 - HEAD) / ENTRY;
        if (index >= count) return (address(0), 0, 0, count);
        bytes32 head_;
        bytes32 word;
        uint256 offset = 1 + HEAD + index * ENTRY;
        assembly ("memory-safe") {
            extcodecopy(pointer, 0x00, 33, 12)
            head_ := mload(0x00)
            extcodecopy(pointer, 0x00, offset, 32)
            word := mload(0x00)
        }
        denom = uint96(bytes12(head_));
        payee = address(bytes20(word));
        weight = uint96(uint256(word));
    }

    /// @notice Every entry of a vector, as words of payee (20 bytes) and weight (12).
    function entries(uint144 tag, uint256 count) internal view returns (bytes32[] memory words) {
        address pointer = pointerOf(tag);
        words = new bytes32[](count);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(words, 0x20), 45, shl(5, count))
        }
    }

    function tree(uint144 tag) internal view returns (bytes32 root, uint32 leaves) {
        bytes memory stored = SSTORE2.read(pointerOf(tag), HEAD, HEAD + TREE);
        assembly ("memory-safe") {
            root := mload(add(stored, 0x20))
            leaves := shr(224, mload(add(stored, 0x40)))
        }
    }

    /// @dev By SplitRegistry only: the address follows from who writes.
    function write(bytes32 splitHash, uint96 denom, bytes memory rest) internal {
        SSTORE2.writeDeterministic(abi.encodePacked(splitHash, denom, rest), bytes32(uint256(tagOf(splitHash))));
    }
}
