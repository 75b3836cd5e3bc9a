// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IPolicyRegistry} from "src/compliance/interfaces/IPolicyRegistry.sol";
import {Base} from "test/Base.t.sol";

/// @dev Proves [LIC-64], [LIC-65], [LIC-66], [LIC-67].
contract PolicyRegistryTest is Base {
    function test_a_pack_is_active_from_its_activation_until_its_retirement(
        bytes32 hash,
        uint64 from,
        uint64 to,
        uint64 height
    ) public {
        vm.assume(hash != 0);
        from = uint64(bound(from, block.number, type(uint64).max - 2));
        to = uint64(bound(to, uint256(from) + 1, type(uint64).max - 1));
        vm.startPrank(authority);
        vm.expectEmit(address(policies));
        emit IPolicyRegistry.PolicyActivated(hash, from, authority);
        policies.activate(hash, from);
        assertEq(policies.wasActiveAt(hash, height), height >= from && height != type(uint64).max);
        vm.expectEmit(address(policies));
        emit IPolicyRegistry.PolicyRetired(hash, to, authority);
        policies.retire(hash, to);
        bool expected = from <= height && height < to;
        assertEq(policies.wasActiveAt(hash, height), expected);
        vm.roll(height);
        assertEq(policies.isPolicyHashActive(hash), expected);
        IPolicyRegistry.Policy memory p = policies.policyOf(hash);
        assertEq(p.activationHeight, from);
        assertEq(p.retirementHeight, to);
        assertEq(p.ratifiedBy, authority);
    }

    function test_a_height_that_has_come_is_history(bytes32 hash, uint64 height) public {
        vm.assume(hash != 0);
        height = uint64(bound(height, 0, block.number - 1));
        vm.startPrank(authority);
        bytes memory past = abi.encodeWithSelector(IPolicyRegistry.PolicyHeight.selector, height, block.number);
        vm.expectRevert(past);
        policies.activate(hash, height);
        policies.activate(hash, uint64(block.number));
        vm.roll(block.number + 1);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyHeight.selector, height, block.number));
        policies.retire(hash, height);
    }

    function test_a_pack_is_retired_after_its_activation(bytes32 hash, uint64 from, uint64 to) public {
        vm.assume(hash != 0);
        from = uint64(bound(from, block.number, type(uint64).max - 2));
        to = uint64(bound(to, 0, from));
        vm.startPrank(authority);
        policies.activate(hash, from);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyHeight.selector, to, from + 1));
        policies.retire(hash, to);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyHeight.selector, type(uint64).max, from + 1));
        policies.retire(hash, type(uint64).max);
    }

    function test_a_pack_is_activated_and_retired_once(bytes32 hash, uint64 to) public {
        vm.assume(hash != 0);
        to = uint64(bound(to, block.number + 1, type(uint64).max - 1));
        vm.startPrank(authority);
        vm.expectRevert(IPolicyRegistry.PolicyZero.selector);
        policies.activate(0, to);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyUnknown.selector, hash));
        policies.retire(hash, to);
        policies.activate(hash, uint64(block.number));
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyKnown.selector, hash));
        policies.activate(hash, to);
        policies.retire(hash, to);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyRetiredAlready.selector, hash, to));
        policies.retire(hash, to);
    }

    function test_only_the_ratifier_decides(address caller, bytes32 hash) public {
        vm.assume(caller != authority);
        vm.startPrank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        policies.activate(hash, uint64(block.number));
        vm.expectRevert(Ownable.Unauthorized.selector);
        policies.retire(hash, uint64(block.number));
    }

    function test_at_genesis_height_1_is_the_first(bytes32 hash) public {
        vm.assume(hash != 0);
        vm.roll(0);
        vm.startPrank(authority);
        vm.expectRevert(abi.encodeWithSelector(IPolicyRegistry.PolicyHeight.selector, 0, 1));
        policies.activate(hash, 0);
        policies.activate(hash, 1);
        assertFalse(policies.isPolicyHashActive(hash));
        vm.roll(1);
        assertTrue(policies.isPolicyHashActive(hash));
    }
}
