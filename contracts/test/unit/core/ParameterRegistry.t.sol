// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {ParameterKeys} from "src/core/ParameterKeys.sol";
import {IParameterRegistry} from "src/core/interfaces/IParameterRegistry.sol";
import {Base} from "test/Base.t.sol";

contract ParameterRegistryTest is Base {
    bytes32 private constant KEY = "test.key";

    /// @dev [ROY-40].
    function test_the_fee_is_half_a_per_cent_capped_at_1000_units_by_default() public view {
        assertEq(parameters.value(ParameterKeys.FEE_DYNAMIC_BPS), 50);
        assertEq(parameters.value(ParameterKeys.FEE_CAP_UNITS), 1_000);
        assertEq(parameters.valueAt(ParameterKeys.FEE_CAP_UNITS, 0), 1_000, "also before");
        (uint256 min, uint256 max) = parameters.bounds(ParameterKeys.FEE_DYNAMIC_BPS);
        assertEq(abi.encode(min, max), abi.encode(0, 10_000));
    }

    /// @dev [ROY-41]: what held at a time gone by never changes, and is the last value set for it or before.
    function testFuzz_history_is_what_a_naive_list_says(uint256 seed) public {
        uint64[] memory froms = new uint64[](20);
        uint256[] memory values = new uint256[](20);
        vm.startPrank(address(timelock));
        parameters.addParameter(KEY, 0, type(uint192).max, 7);
        values[0] = 7;
        for (uint256 i = 1; i < 20; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(seed % 1000);
            uint64 earliest = froms[i - 1] > block.timestamp ? froms[i - 1] : uint64(block.timestamp);
            (froms[i], values[i]) = (earliest + uint64(seed >> 64) % 3, seed >> 64);
            vm.expectEmit(address(parameters));
            emit IParameterRegistry.ParameterSet(KEY, values[i], froms[i]);
            parameters.setParameter(KEY, values[i], froms[i]);
            uint64 asked = uint64(block.timestamp - 500 + (seed >> 128) % 1_000);
            uint256 expected;
            for (uint256 j; j <= i; ++j) {
                if (froms[j] <= asked) expected = values[j];
            }
            assertEq(parameters.valueAt(KEY, asked), expected);
        }
    }

    function testFuzz_guards(uint256 value, uint256 min, uint256 max) public {
        vm.expectRevert(Ownable.Unauthorized.selector);
        parameters.addParameter(KEY, 0, 1, 0);
        vm.expectRevert(Ownable.Unauthorized.selector);
        parameters.setParameter(KEY, 0, 0);
        bytes memory unknown = abi.encodeWithSelector(IParameterRegistry.ParameterUnknown.selector, KEY);
        vm.expectRevert(unknown);
        parameters.value(KEY);
        vm.expectRevert(unknown);
        parameters.bounds(KEY);
        max = bound(max, 1, type(uint192).max - 1);
        min = bound(min, 0, max);
        vm.startPrank(address(timelock));
        vm.expectRevert(unknown);
        parameters.setParameter(KEY, 0, 0);
        parameters.addParameter(KEY, min, max, min);
        vm.expectRevert(abi.encodeWithSelector(IParameterRegistry.ParameterKnown.selector, KEY));
        parameters.addParameter(KEY, min, max, min);
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.ParameterTime.selector, KEY, block.timestamp - 1, block.timestamp)
        );
        parameters.setParameter(KEY, min, uint64(block.timestamp - 1));
        if (value >= min && value <= max) value = max + 1;
        bytes memory beyond =
            abi.encodeWithSelector(IParameterRegistry.ParameterOutOfBounds.selector, KEY, value, min, max);
        vm.expectRevert(beyond);
        parameters.setParameter(KEY, value, uint64(block.timestamp));
        uint256 most = type(uint192).max;
        vm.expectRevert(
            abi.encodeWithSelector(IParameterRegistry.ParameterOutOfBounds.selector, bytes32("x"), most + 1, 0, most)
        );
        parameters.addParameter("x", 0, most + 1, 0);
    }
}
