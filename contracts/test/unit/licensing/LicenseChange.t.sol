// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title Modification, suspension, revocation, usage (C13, C15)
/// @dev Proves [LIC-12], [LIC-13], [LIC-14], [LIC-15], [LIC-16], [LIC-17], [LIC-18], [LIC-19], [LIC-20], [LIC-21],
/// [LIC-22]; I2, I3, I4 where tests say so.
contract LicenseChangeTest is LicenseFixture {
    bytes32 internal constant ID = keccak256("AST-120");

    function setUp() public override {
        super.setUp();
        mintByRegistrar(ID);
        nextBlock();
    }

    // ---------------------------------------------------------------- modify

    function test_modify_keeps_owner_and_licensee_and_overwrites_the_rest(
        address owner,
        address other,
        uint16 bps,
        uint8 flags,
        bytes32 meta
    ) public {
        ILicenseRegistry.LicenseData memory d = data();
        (d.owner, d.licensee, d.metaHash) = (owner, other, meta);
        (d.adeSplitHash, d.acePolicyHash) = (split2, POLICY_2);
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        d.flags = flags & 0xf;
        d.endTs += 1;
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseModified(ID);
        vm.prank(licensor);
        registry.modify(ID, d);
        (d.owner, d.licensee) = (licensor, licensee);
        assertData(ID, d);
        assertEq(registry.checkpointCount(ID), 2);
        assertEq(registry.splitHashOf(ID, 1), split);
        assertEq(registry.splitHashOf(ID, 2), split2);
        assertEq(registry.metaHashAt(ID, 0), META);
        assertEq(registry.metaHashAt(ID, 1), meta);
    }

    function test_what_does_not_change_keeps_its_version(uint16 bps) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        vm.prank(licensor);
        registry.modify(ID, d);
        ILicenseRegistry.Checkpoint memory c = registry.checkpointAt(ID, 1);
        assertEq(c.splitVersion, 1);
        assertEq(c.policyHash, POLICY);
        assertEq(registry.splitHashOf(ID, 2), 0);
    }

    function test_modify_guards_in_order_OWNER_POLICY_SPLIT_TIME(address caller, uint64 start) public {
        vm.assume(caller != licensor);
        ILicenseRegistry.LicenseData memory d = data();
        (d.acePolicyHash, d.adeSplitHash, d.startTs, d.endTs) = (0, 0, start, start);
        vm.expectRevert("OWNER");
        vm.prank(caller);
        registry.modify(ID, d);
        vm.startPrank(licensor);
        vm.expectRevert("POLICY");
        registry.modify(ID, d);
        d.acePolicyHash = POLICY;
        vm.expectRevert("SPLIT");
        registry.modify(ID, d);
        d.adeSplitHash = split;
        vm.expectRevert(bytes("TIME"));
        registry.modify(ID, d);
    }

    function test_an_unknown_licence_is_named(bytes32 id, address caller) public {
        vm.assume(id != ID);
        bytes memory unknown = abi.encodeWithSelector(ILicenseRegistry.LicenseUnknown.selector, id);
        vm.startPrank(caller);
        vm.expectRevert(unknown);
        registry.modify(id, data());
        vm.expectRevert(unknown);
        registry.assign(id, caller);
        vm.expectRevert(unknown);
        registry.revoke(id);
        vm.expectRevert(unknown);
        registry.activate(id);
        vm.expectRevert(unknown);
        registry.recordUsage(id, 1, 0);
        vm.expectRevert(unknown);
        registry.burnRevoked(id);
        vm.expectRevert(unknown);
        registry.termsAt(id, NOW);
        vm.expectRevert(unknown);
        registry.checkpointAt(id, 0);
        vm.expectRevert(unknown);
        registry.usageOf(id);
        assertEq(registry.licensorOf(id), address(0));
        assertEq(registry.checkpointCount(id), 0);
        assertEq(uint8(registry.stateAt(id, NOW, NOW).state), uint8(ILicenseRegistry.State.Draft));
    }

    function test_a_later_change_is_not_effective_before_its_block(uint64 time) public {
        time = uint64(bound(time, 0, block.timestamp - 1));
        bytes memory past =
            abi.encodeWithSelector(ILicenseRegistry.EffectiveInPast.selector, time, uint64(block.timestamp));
        vm.startPrank(licensor);
        vm.expectRevert(past);
        registry.modifyFrom(ID, data(), time);
        vm.expectRevert(past);
        registry.revokeFrom(ID, 1, time);
        uint64 far = (uint64(1) << 40) + time;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.TimeTooFar.selector, far, uint64(type(uint40).max)));
        registry.modifyFrom(ID, data(), far);
    }

    function test_a_scheduled_change_waits_for_its_time(uint32 delay, uint16 bps) public {
        delay = uint32(bound(delay, 1, YEAR - 10));
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        (d.flags, d.metaHash) = (0x1, keccak256("later"));
        uint64 from = uint64(block.timestamp) + delay;
        vm.prank(licensor);
        registry.modifyFrom(ID, d, from);
        vm.warp(from - 1);
        assertData(ID, data());
        vm.warp(from);
        assertData(ID, d);
    }

    function test_at_most_four_changes_wait(uint32[5] memory delays) public {
        vm.startPrank(licensor);
        for (uint256 i; i < 4; ++i) {
            registry.modifyFrom(ID, data(), uint64(block.timestamp + 1 + delays[i]));
        }
        uint64 fifth = uint64(block.timestamp + 1 + delays[4]);
        bytes memory many = abi.encodeWithSelector(ILicenseRegistry.TooManyScheduled.selector, ID, 4);
        vm.expectRevert(many);
        registry.modifyFrom(ID, data(), fifth);
        vm.expectRevert(many);
        registry.revokeFrom(ID, 0, fifth);
        // What takes effect at once is never refused for it, and supersedes them.
        registry.modify(ID, data());
        registry.modifyFrom(ID, data(), fifth);
    }

    // ---------------------------------------------------------------- suspension

    function test_enforcement_suspends_and_lifts(uint32 reason, uint32 other) public {
        vm.startPrank(authority);
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseStateChanged(ID, ILicenseRegistry.State.Suspended, reason, uint64(block.timestamp));
        registry.suspend(ID, reason);
        assertState(ID, ILicenseRegistry.State.Suspended);
        assertEq(registry.termsAt(ID, uint64(block.timestamp)).reason, reason);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.StateConflict.selector, ID, ILicenseRegistry.State.Suspended)
        );
        registry.suspend(ID, reason);
        registry.lift(ID, other);
        assertState(ID, ILicenseRegistry.State.Active);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.StateConflict.selector, ID, ILicenseRegistry.State.Active)
        );
        registry.lift(ID, reason);
    }

    function test_I4_nobody_else_suspends_or_lifts(address caller) public {
        vm.assume(caller != authority);
        vm.startPrank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        registry.suspend(ID, 1);
        vm.expectRevert(Ownable.Unauthorized.selector);
        registry.lift(ID, 1);
    }

    function test_what_is_suspended_is_not_modified(uint16 bps) public {
        vm.prank(authority);
        registry.suspend(ID, 1);
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.StateConflict.selector, ID, ILicenseRegistry.State.Suspended)
        );
        vm.prank(licensor);
        registry.modify(ID, d);
    }

    function test_a_suspension_keeps_what_was_scheduled(uint16 bps, uint32 delay, bool lifted) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        uint64 from = uint64(block.timestamp + bound(delay, 10, YEAR - 10));
        vm.prank(licensor);
        registry.modifyFrom(ID, d, from);
        nextBlock();
        vm.startPrank(authority);
        registry.suspend(ID, 7);
        if (lifted) registry.lift(ID, 8);
        vm.warp(from);
        ILicenseRegistry.Status memory s = registry.stateAt(ID, from, from);
        assertEq(s.royaltyBps, d.royaltyBps);
        assertEq(uint8(s.state), uint8(lifted ? ILicenseRegistry.State.Active : ILicenseRegistry.State.Suspended));
    }

    // ---------------------------------------------------------------- revocation

    function test_a_revocation_ends_the_right_at_once(bool byEnforcement) public {
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseRevoked(ID);
        vm.prank(byEnforcement ? authority : licensor);
        registry.revoke(ID);
        assertState(ID, ILicenseRegistry.State.Revoked);
        vm.expectRevert(bytes4(keccak256("TokenDoesNotExist()")));
        registry.ownerOf(uint256(ID));
        assertEq(registry.balanceOf(licensee), 0);
        // The record stays.
        assertData(ID, data());
    }

    function test_I4_nobody_else_revokes(address caller) public {
        vm.assume(caller != licensor && caller != authority);
        vm.startPrank(caller);
        vm.expectRevert("OWNER");
        registry.revoke(ID);
        vm.expectRevert("OWNER");
        registry.revokeFrom(ID, 1, uint64(block.timestamp + 1));
    }

    function test_a_revocation_is_the_last_word(uint32 delay, uint32 reason) public {
        uint64 at = uint64(block.timestamp + bound(delay, 1, YEAR - 10));
        vm.startPrank(licensor);
        registry.revokeFrom(ID, reason, at);
        bytes memory forever = abi.encodeWithSelector(ILicenseRegistry.RevokedForever.selector, ID);
        vm.expectRevert(forever);
        registry.modify(ID, data());
        vm.expectRevert(forever);
        registry.modifyFrom(ID, data(), at + 1);
        vm.expectRevert(forever);
        registry.revokeFrom(ID, reason, at);
        vm.stopPrank();
        vm.startPrank(authority);
        vm.expectRevert(forever);
        registry.suspend(ID, 1);
        vm.expectRevert(forever);
        registry.revokeFrom(ID, reason, at + 1);
        // Until then it is in force, and whom it is assigned to may still change.
        assertState(ID, ILicenseRegistry.State.Active);
        vm.stopPrank();
        vm.prank(licensor);
        registry.assign(ID, stranger);
        vm.warp(at);
        assertState(ID, ILicenseRegistry.State.Revoked);
        vm.prank(licensor);
        vm.expectRevert(forever);
        registry.assign(ID, licensee);
    }

    function test_an_earlier_revocation_follows_a_scheduled_one(uint32 delay, uint32 earlier) public {
        uint64 at = uint64(block.timestamp + bound(delay, 2, YEAR - 10));
        vm.prank(licensor);
        registry.revokeFrom(ID, 1, at);
        uint64 sooner = uint64(bound(earlier, block.timestamp, at - 1));
        vm.prank(authority);
        registry.revokeFrom(ID, 2, sooner);
        vm.warp(sooner);
        assertState(ID, ILicenseRegistry.State.Revoked);
        assertEq(registry.stateAt(ID, sooner, sooner).reason, 2);
    }

    function test_a_scheduled_revocation_is_burnt_by_anyone_once_it_is_effective(uint32 delay, address anyone) public {
        uint64 at = uint64(block.timestamp + bound(delay, 1, YEAR - 10));
        vm.prank(licensor);
        registry.revokeFrom(ID, 3, at);
        vm.startPrank(anyone);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.StateConflict.selector, ID, ILicenseRegistry.State.Active)
        );
        registry.burnRevoked(ID);
        assertEq(registry.ownerOf(uint256(ID)), licensee);
        vm.warp(at);
        // Visibly gone before anybody burns it.
        vm.expectRevert(bytes4(keccak256("TokenDoesNotExist()")));
        registry.ownerOf(uint256(ID));
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseRevoked(ID);
        registry.burnRevoked(ID);
        assertEq(registry.balanceOf(licensee), 0);
        assertEq(dataOf(ID).licensee, licensee);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.RevokedForever.selector, ID));
        registry.burnRevoked(ID);
    }

    // ---------------------------------------------------------------- usage

    function test_I2_I3_usage_stays_within_the_cap_and_steps_the_nonce(uint256 cap, uint256[4] memory deltas) public {
        bytes32 id = keccak256("capped");
        ILicenseRegistry.Terms memory t = terms();
        t.cap = cap;
        mintByRegistrar(id, data(), t);
        if (cap == 0) cap = type(uint256).max;
        vm.startPrank(authority);
        uint256 used;
        uint64 nonce;
        for (uint256 i; i < deltas.length; ++i) {
            uint256 delta = bound(deltas[i], 1, type(uint256).max);
            if (delta > cap - used) {
                vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.CapExceeded.selector, id, used, delta, cap));
                registry.recordUsage(id, delta, nonce);
                delta = (cap - used) / 2;
                if (delta == 0) continue;
            }
            vm.expectEmit(address(registry));
            emit ILicenseRegistry.UsageRecorded(id, delta, used + delta, nonce + 1);
            registry.recordUsage(id, delta, nonce);
            (used, nonce) = (used + delta, nonce + 1);
            ILicenseRegistry.Usage memory u = registry.usageOf(id);
            assertEq(u.used, used);
            assertEq(u.cap, cap);
            assertEq(u.nonce, nonce);
        }
    }

    function test_I3_a_nonce_out_of_turn_is_refused(uint64 nonce, uint256 delta) public {
        vm.assume(nonce != 0 && delta != 0);
        vm.startPrank(authority);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.UsageNonce.selector, ID, nonce, 0));
        registry.recordUsage(ID, delta, nonce);
        vm.expectRevert(ILicenseRegistry.UsageZero.selector);
        registry.recordUsage(ID, 0, 0);
    }

    function test_I4_only_the_meter_and_the_licensor_record_usage(address caller) public {
        vm.assume(caller != licensor && caller != authority);
        vm.expectRevert("OWNER");
        vm.prank(caller);
        registry.recordUsage(ID, 1, 0);
        vm.prank(licensor);
        registry.recordUsage(ID, 1, 0);
        assertEq(registry.usageOf(ID).used, 1);
    }

    function test_usage_is_recorded_of_an_active_licence_only(uint8 how) public {
        ILicenseRegistry.State state = ILicenseRegistry.State(2 + how % 3);
        if (state == ILicenseRegistry.State.Suspended) {
            vm.prank(authority);
            registry.suspend(ID, 1);
        } else if (state == ILicenseRegistry.State.Revoked) {
            vm.prank(licensor);
            registry.revoke(ID);
        } else {
            vm.warp(NOW + YEAR);
        }
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.StateConflict.selector, ID, state));
        vm.prank(authority);
        registry.recordUsage(ID, 1, 0);
    }
}
