// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {Roles} from "src/core/Roles.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {LicenseRegistry} from "src/licensing/LicenseRegistry.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";
import {LicenseRegistryV2} from "test/mocks/LicenseRegistryV2.sol";
import {ReentrantReceiver} from "test/mocks/Reentrant.sol";

/// @title The licensee's token, use checks, royalties; deployments and upgrades
/// @dev Proves [LIC-45], [LIC-46], [LIC-47], [LIC-48], [LIC-49].
contract LicenseTokenTest is LicenseFixture {
    bytes32 internal constant ID = keccak256("AST-120");

    function mintWithFlags(uint8 flags) internal {
        ILicenseRegistry.LicenseData memory d = data();
        d.flags = flags;
        mintByRegistrar(ID, d, terms());
    }

    // ---------------------------------------------------------------- the token

    function test_the_licensee_transfers_only_where_the_terms_let_it(uint8 flags, address to) public {
        vm.assume(to != address(0) && to != licensee);
        mintWithFlags(flags & 0xd);
        vm.prank(licensee);
        if (flags & 4 == 0) {
            vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.NotTransferable.selector, ID));
            registry.transferFrom(licensee, to, uint256(ID));
            return;
        }
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseAssigned(ID, to);
        registry.transferFrom(licensee, to, uint256(ID));
        assertEq(registry.ownerOf(uint256(ID)), to);
        assertEq(dataOf(ID).licensee, to);
        assertEq(registry.licensorOf(ID), licensor);
    }

    function test_what_is_not_active_is_not_transferred(uint8 how) public {
        mintWithFlags(4);
        vm.startPrank(authority);
        if (how % 4 == 0) registry.suspend(ID, 1);
        if (how % 4 == 1) registry.revokeFrom(ID, 1, uint64(block.timestamp) + 5);
        if (how % 4 == 2) splits.markSubtree(ID, ISplitRegistry.Mark.Suspended, 1);
        vm.stopPrank();
        skip(how % 4 == 3 ? YEAR : 5);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.NotTransferable.selector, ID));
        vm.prank(licensee);
        registry.transferFrom(licensee, stranger, uint256(ID));
    }

    function test_approvals_are_ERC_721s_and_end_with_the_holding(address approved) public {
        vm.assume(approved != address(0) && approved != licensee && approved != stranger);
        mintWithFlags(4);
        vm.prank(licensee);
        registry.approve(approved, uint256(ID));
        assertEq(registry.getApproved(uint256(ID)), approved);
        vm.prank(licensor);
        registry.assign(ID, stranger);
        vm.expectRevert();
        vm.prank(approved);
        registry.transferFrom(stranger, approved, uint256(ID));
        assertEq(registry.ownerOf(uint256(ID)), stranger);
    }

    function test_I4_only_the_licensor_assigns(address caller, address to) public {
        vm.assume(caller != licensor && to != address(0));
        mintWithFlags(0);
        vm.expectRevert("OWNER");
        vm.prank(caller);
        registry.assign(ID, to);
        vm.prank(licensor);
        registry.assign(ID, to);
        assertEq(registry.ownerOf(uint256(ID)), to);
    }

    function test_no_call_takes_money(uint96 value, bool approving) public {
        value = uint96(bound(value, 1, type(uint96).max));
        mintWithFlags(4);
        vm.deal(licensee, value);
        vm.prank(licensee);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.ValueRefused.selector, value));
        if (approving) registry.approve{value: value}(stranger, uint256(ID));
        else registry.safeTransferFrom{value: value}(licensee, stranger, uint256(ID));
    }

    function test_a_mint_calls_nobody_back_and_a_receiver_gains_nothing_by_calling(uint8 which) public {
        ReentrantReceiver receiver = new ReentrantReceiver(registry);
        bytes[5] memory calls = [
            abi.encodeCall(ILicenseRegistry.revoke, (ID)),
            abi.encodeCall(ILicenseRegistry.assign, (ID, stranger)),
            abi.encodeCall(ILicenseRegistry.modify, (ID, data())),
            abi.encodeCall(ILicenseRegistry.recordUsage, (ID, 1, 0)),
            abi.encodeCall(ILicenseRegistry.activate, (ID))
        ];
        receiver.arm(calls[which % 5]);
        ILicenseRegistry.LicenseData memory d = data();
        d.licensee = address(receiver);
        mintByRegistrar(keccak256("direct"), d, terms());
        assertEq(receiver.received(), 0);
        mintWithFlags(4);
        vm.prank(licensee);
        registry.safeTransferFrom(licensee, address(receiver), uint256(ID));
        assertEq(receiver.received(), 1);
        assertFalse(receiver.succeeded());
        assertEq(registry.ownerOf(uint256(ID)), address(receiver));
    }

    function test_names_and_interfaces(bytes4 other) public {
        mintWithFlags(0);
        assertEq(registry.name(), "CHLOM Licence");
        assertEq(registry.symbol(), "CHLOML");
        assertEq(registry.tokenURI(uint256(ID)), string.concat("urn:chlom:licence:", vm.toString(ID)));
        vm.expectRevert(bytes4(keccak256("TokenDoesNotExist()")));
        registry.tokenURI(1);
        bytes4[4] memory known = [bytes4(0x01ffc9a7), 0x80ac58cd, 0x5b5e139f, 0x2a55205a];
        for (uint256 i; i < 4; ++i) {
            assertTrue(registry.supportsInterface(known[i]));
            vm.assume(other != known[i]);
        }
        assertFalse(registry.supportsInterface(other));
    }

    // ---------------------------------------------------------------- royalties

    function test_royaltyInfo_is_the_exact_floor_for_any_price(uint256 price, uint16 bps) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        mintByRegistrar(ID, d, terms());
        (address receiver, uint256 amount) = registry.royaltyInfo(uint256(ID), price);
        assertEq(receiver, licensor);
        // price·bps = 10⁴·amount + rest, in 512 bits.
        uint256 rest = mulmod(price, d.royaltyBps, 10_000);
        unchecked {
            assertEq(price * d.royaltyBps, amount * 10_000 + rest);
        }
        assertLe(amount, price);
    }

    function test_royaltyVector_is_the_vector_in_force(uint96 weight, uint16 bps) public {
        weight = uint96(bound(weight, 1, type(uint96).max - 1));
        address[] memory payees = new address[](2);
        uint96[] memory weights = new uint96[](2);
        (payees[0], payees[1]) = (address(1), address(2));
        (weights[0], weights[1]) = (weight, 1);
        ILicenseRegistry.LicenseData memory d = data();
        d.adeSplitHash = splits.registerVector(payees, weights, weight + 1);
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        mintByRegistrar(ID, d, terms());
        (uint16 rate, bytes32 hash, address[] memory to, uint96[] memory of_, uint96 denom) = registry.royaltyVector(ID);
        assertEq(rate, d.royaltyBps);
        assertEq(hash, d.adeSplitHash);
        assertEq(abi.encode(to), abi.encode(payees));
        assertEq(abi.encode(of_), abi.encode(weights));
        assertEq(denom, weight + 1);
    }

    function test_a_sum_tree_has_no_vector(bytes32 root) public {
        vm.assume(root != 0);
        ILicenseRegistry.LicenseData memory d = data();
        d.adeSplitHash = splits.registerTree(root, 10_000, 100);
        mintByRegistrar(ID, d, terms());
        vm.expectRevert(
            abi.encodeWithSelector(ISplitRegistry.SplitKind.selector, d.adeSplitHash, ISplitRegistry.Kind.Tree)
        );
        registry.royaltyVector(ID);
    }

    // ---------------------------------------------------------------- use

    function check(address user, bytes32 expected) internal view {
        (bool allowed, bytes32 reason) = registry.isUseAllowed(ID, user, someUse());
        assertEq(reason, expected);
        assertEq(allowed, expected == 0);
    }

    function test_a_use_is_refused_for_the_first_reason_that_applies(uint32 time) public {
        check(licensee, "UNKNOWN");
        ILicenseRegistry.LicenseData memory d = data();
        ILicenseRegistry.Terms memory t = terms();
        (d.startTs, t.draft, t.cap, t.rightsHash) = (NOW + 10, true, 1, 0);
        mintByRegistrar(ID, d, t);
        check(stranger, "DRAFT");
        vm.prank(licensor);
        registry.activate(ID);
        check(stranger, "NOT_STARTED");
        vm.warp(bound(time, d.startTs, d.endTs - 1));
        vm.startPrank(authority);
        policies.retire(POLICY, uint64(block.number) + 1);
        vm.stopPrank();
        check(stranger, "USER");
        check(licensee, "NO_RIGHTS");
        check(address(0), "NO_RIGHTS");
        vm.startPrank(authority);
        registry.recordUsage(ID, 1, 0);
        check(licensee, "CAP");
        vm.roll(block.number + 1);
        check(stranger, "POLICY");
        registry.suspend(ID, 1);
        check(stranger, "SUSPENDED");
        registry.lift(ID, 1);
        splits.markSubtree(ID, ISplitRegistry.Mark.Suspended, 1);
        check(stranger, "SUSPENDED");
        vm.warp(d.endTs);
        check(stranger, "SUSPENDED");
        splits.markSubtree(ID, ISplitRegistry.Mark.None, 1);
        check(stranger, "EXPIRED");
        splits.markSubtree(ID, ISplitRegistry.Mark.Revoked, 1);
        check(stranger, "REVOKED");
    }

    function test_rights_are_judged_by_their_registry(uint8 right, uint8 channel, uint8 language, bytes5 territory)
        public
    {
        mintByRegistrar(ID);
        IRightsRegistry.Use memory use_ = IRightsRegistry.Use(right, channel, language, territory);
        (bool allowed, bytes32 reason) = registry.isUseAllowed(ID, licensee, use_);
        assertEq(reason, rights.allows(rightsHash, use_));
        assertEq(allowed, reason == 0);
        check(licensee, 0);
    }

    // ---------------------------------------------------------------- deployments and upgrades

    function test_a_deployment_of_its_own_serves_its_deployer(address deployer, bytes32 id) public {
        vm.assume(deployer != address(0) && uint160(deployer) > 0xffff);
        // As a parent, 0 says that there is none.
        vm.assume(id != 0);
        vm.startPrank(deployer);
        LicenseRegistry own = new LicenseRegistry(SystemAddresses.POLICY_REGISTRY, SystemAddresses.SPLIT_REGISTRY);
        assertEq(own.owner(), deployer);
        assertEq(own.rolesOf(deployer), Roles.REGISTRAR);
        assertEq(address(own.policy()), SystemAddresses.POLICY_REGISTRY);
        assertEq(address(own.ade()), SystemAddresses.SPLIT_REGISTRY);
        own.mint(id, data());
        own.mint(~id, data(), terms());
        assertEq(own.licensorOf(id), licensor);
        ILicenseRegistry.Terms memory t = terms();
        (t.parent, t.numer, t.denom) = (id, 1, 2);
        t.rightsHash = 0;
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeCaller.selector, address(own)));
        own.mint(keccak256(abi.encode(id)), data(), t);
        vm.expectRevert(bytes4(keccak256("InvalidInitialization()")));
        own.initialize(deployer, deployer);
        // Marks of the system's licence of the same id are not its own.
        vm.stopPrank();
        mintByRegistrar(id);
        vm.prank(licensor);
        splits.markSubtree(id, ISplitRegistry.Mark.Revoked, 1);
        assertState(id, ILicenseRegistry.State.Revoked);
        assertEq(uint8(own.stateAt(id, NOW, NOW).state), uint8(ILicenseRegistry.State.Active));
    }

    function test_a_deployment_names_its_policy_registry_and_its_verifier(address other) public {
        vm.expectRevert(abi.encodeWithSignature("ZeroAddress()"));
        new LicenseRegistry(address(0), other);
        vm.expectRevert(abi.encodeWithSignature("ZeroAddress()"));
        new LicenseRegistry(other, address(0));
    }

    function test_only_the_timelock_upgrades_and_what_was_stored_stays(address caller, uint256 value) public {
        vm.assume(caller != address(timelock));
        mintWithFlags(4);
        bytes memory before = abi.encode(dataOf(ID), registry.stateAt(ID, NOW, NOW), registry.termsOf(ID));
        address next = address(new LicenseRegistryV2(SystemAddresses.POLICY_REGISTRY, SystemAddresses.SPLIT_REGISTRY));
        bytes memory call_ = abi.encodeCall(LicenseRegistryV2.setAdded, (value));
        vm.expectRevert(Ownable.Unauthorized.selector);
        vm.prank(caller);
        registry.upgradeToAndCall(next, call_);
        byTimelock(address(registry), abi.encodeCall(registry.upgradeToAndCall, (next, call_)));
        assertEq(LicenseRegistryV2(address(registry)).added(), value);
        assertEq(registry.owner(), address(timelock));
        assertEq(abi.encode(dataOf(ID), registry.stateAt(ID, NOW, NOW), registry.termsOf(ID)), before);
        vm.expectRevert(bytes4(keccak256("InvalidInitialization()")));
        registry.initialize(caller, caller);
    }

    function test_roles_are_given_by_the_timelock_alone(address caller, uint256 roles) public {
        vm.assume(caller != address(timelock));
        vm.expectRevert(Ownable.Unauthorized.selector);
        vm.prank(caller);
        registry.grantRoles(caller, roles);
        assertEq(registry.rolesOf(authority), Roles.REGISTRAR | Roles.METER | Roles.ENFORCER);
    }
}
