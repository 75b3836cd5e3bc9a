// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title Operators, for a time or for a transaction, and batches
/// @dev Proves [LIC-40], [LIC-41], [LIC-42], [LIC-43], [LIC-44].
/// forge-config: default.isolate = true
contract LicensePermissionsTest is LicenseFixture {
    bytes32 internal constant ID = keccak256("AST-120");
    address internal operator = makeAddr("operator");

    function setUp() public override {
        super.setUp();
        mintByRegistrar(ID);
    }

    function test_a_permission_is_for_one_selector_and_one_licence(bytes32 other, uint32 lasting) public {
        vm.assume(other != ID && other != 0);
        mintByRegistrar(other);
        uint64 until = uint64(block.timestamp + bound(lasting, 1, YEAR));
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.PermissionSet(licensor, operator, ID, ILicenseRegistry.modify.selector, until);
        vm.prank(licensor);
        registry.setPermission(operator, ID, ILicenseRegistry.modify.selector, until);
        vm.startPrank(operator);
        registry.modify(ID, data());
        vm.expectRevert("OWNER");
        registry.modify(other, data());
        vm.expectRevert("OWNER");
        registry.modifyFrom(ID, data(), until);
        vm.expectRevert("OWNER");
        registry.revoke(ID);
        vm.warp(until - 1);
        registry.modify(ID, data());
        vm.warp(until);
        vm.expectRevert("OWNER");
        registry.modify(ID, data());
    }

    function test_a_permission_for_all_licences_is_withdrawn_at_once(bytes32 other) public {
        vm.assume(other != ID);
        mintByRegistrar(other);
        vm.prank(licensor);
        registry.setPermission(operator, 0, ILicenseRegistry.assign.selector, type(uint64).max);
        vm.startPrank(operator);
        registry.assign(ID, stranger);
        registry.assign(other, stranger);
        vm.stopPrank();
        vm.prank(licensor);
        registry.setPermission(operator, 0, ILicenseRegistry.assign.selector, 0);
        vm.expectRevert("OWNER");
        vm.prank(operator);
        registry.assign(ID, licensee);
    }

    function test_a_permission_is_of_its_giver_only(address giver) public {
        vm.assume(giver != licensor);
        vm.prank(giver);
        registry.setPermission(operator, ID, ILicenseRegistry.revoke.selector, type(uint64).max);
        vm.expectRevert("OWNER");
        vm.prank(operator);
        registry.revoke(ID);
    }

    function test_an_operator_mints_for_the_owner_with_a_commitment(bytes32 id, bool plain) public {
        vm.assume(id != ID && id != 0);
        vm.prank(licensor);
        registry.setPermission(operator, plain ? id : bytes32(0), plain ? PLAIN_MINT : MINT, type(uint64).max);
        bytes memory call_ =
            plain ? abi.encodeWithSelector(PLAIN_MINT, id, data()) : abi.encodeWithSelector(MINT, id, data(), terms());
        vm.prank(operator);
        (bool done, bytes memory why) = address(registry).call(call_);
        assertFalse(done);
        bytes32 commitment = commitmentOf(id, data());
        assertEq(why, abi.encodeWithSelector(ILicenseRegistry.MintNotCommitted.selector, commitment));
        commit(id, data());
        vm.prank(operator);
        (done,) = address(registry).call(call_);
        assertTrue(done);
        assertEq(registry.licensorOf(id), licensor);
    }

    function test_malformed_permissions_are_refused(uint64 past, bytes4 selector) public {
        vm.assume(selector != 0);
        past = uint64(bound(past, 1, block.timestamp));
        vm.startPrank(licensor);
        vm.expectRevert(ILicenseRegistry.PermissionMalformed.selector);
        registry.setPermission(address(0), ID, selector, 0);
        vm.expectRevert(ILicenseRegistry.PermissionMalformed.selector);
        registry.setPermission(operator, ID, 0, 0);
        vm.expectRevert(ILicenseRegistry.PermissionMalformed.selector);
        registry.setPermission(operator, ID, selector, past);
        vm.expectRevert(ILicenseRegistry.PermissionMalformed.selector);
        registry.permitOnce(address(0), ID, selector);
    }

    function test_permitOnce_ends_with_its_transaction(bool all) public {
        OneTransaction owner_ = new OneTransaction(registry);
        ILicenseRegistry.LicenseData memory d = data();
        d.owner = address(owner_);
        bytes32 id = keccak256("of a contract");
        mintByRegistrar(id, d, terms());
        // In one transaction: permits, and lets the helper revoke.
        uint256 state = vm.snapshotState();
        owner_.permitAndLetRevoke(id, all ? bytes32(0) : id);
        assertState(id, ILicenseRegistry.State.Revoked);
        vm.revertToState(state);
        // In two: too late.
        owner_.permit(all ? bytes32(0) : id);
        Helper helper = owner_.helper();
        vm.expectRevert("OWNER");
        helper.revoke(id);
    }

    function test_a_batch_is_all_or_nothing(uint16 bps, bool broken) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(ILicenseRegistry.modify, (ID, d));
        calls[1] = abi.encodeCall(ILicenseRegistry.assign, (ID, broken ? address(0) : stranger));
        calls[2] = abi.encodeCall(ILicenseRegistry.licensorOf, (ID));
        vm.startPrank(licensor);
        if (broken) {
            vm.expectRevert(bytes4(keccak256("TransferToZeroAddress()")));
            registry.batch(calls);
            assertData(ID, data());
            return;
        }
        bytes[] memory results = registry.batch(calls);
        assertEq(results.length, 3);
        assertEq(abi.decode(results[2], (address)), licensor);
        d.licensee = stranger;
        assertData(ID, d);
    }

    function test_a_batch_gives_nobody_more_rights_and_takes_no_value(address caller, uint96 value) public {
        vm.assume(caller != licensor && caller != authority);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(ILicenseRegistry.revoke, (ID));
        vm.expectRevert("OWNER");
        vm.prank(caller);
        registry.batch(calls);
        value = uint96(bound(value, 1, type(uint96).max));
        vm.deal(licensor, value);
        vm.prank(licensor);
        (bool done,) = address(registry).call{value: value}(abi.encodeCall(ILicenseRegistry.batch, (calls)));
        assertFalse(done);
    }
}

/// @dev Acts for whoever permits it.
contract Helper {
    ILicenseRegistry private immutable _registry;

    constructor(ILicenseRegistry registry) {
        _registry = registry;
    }

    function revoke(bytes32 id) external {
        _registry.revoke(id);
    }
}

/// @dev A licensor that is a contract, so that several of its calls are one transaction.
contract OneTransaction {
    ILicenseRegistry private immutable _registry;
    Helper public immutable helper;

    constructor(ILicenseRegistry registry) {
        _registry = registry;
        helper = new Helper(registry);
    }

    function permit(bytes32 id) public {
        _registry.permitOnce(address(helper), id, ILicenseRegistry.revoke.selector);
    }

    function permitAndLetRevoke(bytes32 id, bytes32 scope) external {
        permit(scope);
        helper.revoke(id);
    }
}
