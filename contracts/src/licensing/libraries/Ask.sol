// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IRightsRegistry} from "../interfaces/IRightsRegistry.sol";

/// @title A question to another contract in few bytes of code and little gas
/// @dev For functions whose arguments and answers are words. Words beyond a function's arguments are ignored by it.
library Ask {
    /// @dev The first word of the answer about one word. A refusal is passed on as it is; no answer at all reverts with nothing.
    function about(address target, bytes4 selector, bytes32 a) internal view returns (bytes32 first) {
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(0x04, a)
            if iszero(staticcall(gas(), target, 0, 0x24, 0, 0x20)) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
            if lt(returndatasize(), 0x20) { revert(0, 0) }
            first := mload(0)
        }
    }

    /// @dev The same about two words.
    function word(address target, bytes4 selector, bytes32 a, bytes32 b) internal view returns (bytes32 first) {
        (first,) = words(target, selector, a, b, 0);
    }

    /// @dev The first two words of the answer; the second is zero where there is one only.
    function words(address target, bytes4 selector, bytes32 a, bytes32 b, bytes32 c)
        internal
        view
        returns (bytes32 first, bytes32 second)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, selector)
            mstore(add(free, 0x04), a)
            mstore(add(free, 0x24), b)
            mstore(add(free, 0x44), c)
            mstore(0, 0)
            mstore(0x20, 0)
            if iszero(staticcall(gas(), target, free, 0x64, 0, 0x40)) {
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
            if lt(returndatasize(), 0x20) { revert(0, 0) }
            first := mload(0)
            second := mload(0x20)
        }
    }

    /// @dev `IRightsRegistry.allows`, the use handed on as it came: it is judged, and refused when malformed, over there.
    function allows(address target, bytes32 rightsHash, IRightsRegistry.Use calldata use_)
        internal
        view
        returns (bytes32 reason)
    {
        bytes4 selector = IRightsRegistry.allows.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, selector)
            mstore(add(free, 0x04), rightsHash)
            calldatacopy(add(free, 0x24), use_, 0x80)
            if iszero(staticcall(gas(), target, free, 0xa4, 0, 0x20)) {
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
            if lt(returndatasize(), 0x20) { revert(0, 0) }
            reason := mload(0)
        }
    }
}
