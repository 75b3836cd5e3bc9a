// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title What held at a time, as known at another (ARCHITECTURE §6)
/// @dev Proves [LIC-23], [LIC-24], [LIC-25], [LIC-26], [LIC-27], [LIC-28], [LIC-29] against a scan of the whole list.
contract LicenseHistoryTest is LicenseFixture {
    bytes32 internal constant ID = keccak256("AST-120");

    /// @dev The definition, word by word: the last recorded by `asOf` and effective at `time`, looked for one by one.
    function scan(uint64 time, uint64 asOf) internal view returns (ILicenseRegistry.Status memory s) {
        uint256 count = registry.checkpointCount(ID);
        for (uint256 i; i < count; ++i) {
            ILicenseRegistry.Checkpoint memory c = registry.checkpointAt(ID, i);
            if (c.recordedAt > asOf || c.effectiveFrom > time) continue;
            s = ILicenseRegistry.Status(
                c.state, c.startTs, c.endTs, c.royaltyBps, c.policyHash, c.splitVersion, c.reason
            );
        }
        if (s.state == ILicenseRegistry.State.Revoked || s.endTs == 0) return s;
        if (time >= s.endTs) s.state = ILicenseRegistry.State.Expired;
        else if (time < s.startTs) s.state = ILicenseRegistry.State.Draft;
    }

    /// @dev One change that the seed chooses; refusals change nothing.
    function change(uint256 seed) internal {
        vm.roll(block.number + 1);
        skip(seed % 3 == 0 ? 0 : (seed >> 8) % 50 + 1);
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96((seed >> 16) % 10_001);
        d.startTs = NOW + uint64((seed >> 32) % 400);
        d.endTs = d.startTs + uint64((seed >> 48) % 800) + 1;
        if (seed & 4 == 0) d.adeSplitHash = split2;
        if (seed & 8 == 0) d.acePolicyHash = POLICY_2;
        uint64 from = uint64(block.timestamp + (seed >> 64) % 300);
        uint256 kind = (seed >> 80) % 12;
        vm.startPrank(kind < 9 || kind == 11 ? licensor : authority);
        bytes memory call_ = kind < 4
            ? abi.encodeCall(ILicenseRegistry.modifyFrom, (ID, d, from))
            : kind < 9
                ? abi.encodeCall(ILicenseRegistry.modify, (ID, d))
                : kind == 9
                    ? abi.encodeCall(ILicenseRegistry.suspend, (ID, uint32(seed)))
                    : kind == 10
                        ? abi.encodeCall(ILicenseRegistry.lift, (ID, uint32(seed)))
                        : abi.encodeCall(ILicenseRegistry.revokeFrom, (ID, uint32(seed), from));
        (bool done,) = address(registry).call(call_);
        done;
        vm.stopPrank();
    }

    function test_stateAt_is_what_a_scan_of_the_list_finds(uint256[12] memory seeds, uint64[8] memory times) public {
        mintByRegistrar(ID);
        for (uint256 i; i < seeds.length; ++i) {
            change(seeds[i]);
        }
        for (uint256 i; i < times.length; ++i) {
            uint64 time = NOW - 100 + times[i] % 1_500;
            uint64 asOf = NOW - 100 + uint64(uint256(times[i]) >> 32) % 1_500;
            assertEq(abi.encode(registry.stateAt(ID, time, asOf)), abi.encode(scan(time, asOf)));
        }
    }

    function test_nothing_changes_retroactively(uint256[10] memory seeds, uint64[6] memory times) public {
        mintByRegistrar(ID);
        for (uint256 i; i < 5; ++i) {
            change(seeds[i]);
        }
        // Of a block that is over; terms likewise, of a time that is over.
        uint64 asOf = uint64(block.timestamp);
        nextBlock();
        bytes[6] memory answers;
        bytes[6] memory terms_;
        for (uint256 i; i < times.length; ++i) {
            answers[i] = abi.encode(registry.stateAt(ID, NOW - 100 + times[i] % 1_500, asOf - times[i] % 7));
            terms_[i] = abi.encode(registry.termsAt(ID, asOf - times[i] % 200));
        }
        vm.prank(licensor);
        splits.markSubtree(ID, ISplitRegistry.Mark.Suspended, 9);
        for (uint256 i = 5; i < 10; ++i) {
            change(seeds[i]);
        }
        skip(seeds[0] % 2_000);
        for (uint256 i; i < times.length; ++i) {
            bytes memory again = abi.encode(registry.stateAt(ID, NOW - 100 + times[i] % 1_500, asOf - times[i] % 7));
            assertEq(again, answers[i]);
            assertEq(abi.encode(registry.termsAt(ID, asOf - times[i] % 200)), terms_[i]);
        }
    }

    function test_the_first_checkpoint_holds_from_its_start_even_in_the_past(uint32 before, uint32 age) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.startTs = NOW - uint64(bound(before, 1, 1_000_000));
        mintByRegistrar(ID, d, terms());
        uint64 time = uint64(bound(age, d.startTs, NOW));
        assertEq(uint8(registry.stateAt(ID, time, NOW).state), uint8(ILicenseRegistry.State.Active));
        // Not known before it was recorded, not in force before it starts.
        assertEq(uint8(registry.stateAt(ID, time, NOW - 1).state), uint8(ILicenseRegistry.State.Draft));
        assertEq(uint8(registry.stateAt(ID, d.startTs - 1, NOW).state), uint8(ILicenseRegistry.State.Draft));
        // Terms fall back to the first.
        ILicenseRegistry.Status memory s = registry.termsAt(ID, d.startTs - 1);
        assertEq(uint8(s.state), uint8(ILicenseRegistry.State.Active));
        assertEq(s.royaltyBps, d.royaltyBps);
    }

    function test_a_licence_expires_at_its_end(uint64 time) public {
        mintByRegistrar(ID);
        time = uint64(bound(time, 0, type(uint40).max));
        ILicenseRegistry.State expected = time < NOW
            ? ILicenseRegistry.State.Draft
            : time < NOW + YEAR ? ILicenseRegistry.State.Active : ILicenseRegistry.State.Expired;
        assertEq(uint8(registry.stateAt(ID, time, NOW).state), uint8(expected));
        vm.warp(time < NOW ? NOW : time);
        assertState(ID, time < NOW ? ILicenseRegistry.State.Active : expected);
    }

    function test_C27_marks_on_subtrees_act_on_the_state_and_not_on_terms(uint8 mark, uint32 reason, bool above)
        public
    {
        mintByRegistrar(ID);
        ILicenseRegistry.Terms memory t = terms();
        (t.parent, t.numer, t.denom) = (ID, 1, 10);
        bytes32 child = keccak256("child");
        mintByRegistrar(child, data(), t);
        nextBlock();
        ISplitRegistry.Mark given = ISplitRegistry.Mark(1 + mark % 2);
        vm.prank(licensor);
        splits.markSubtree(above ? ID : child, given, reason);
        ILicenseRegistry.Status memory s = registry.stateAt(child, uint64(block.timestamp), uint64(block.timestamp));
        assertEq(
            uint8(s.state),
            uint8(
                given == ISplitRegistry.Mark.Suspended
                    ? ILicenseRegistry.State.Suspended
                    : ILicenseRegistry.State.Revoked
            )
        );
        assertEq(s.reason, reason);
        assertState(ID, above ? s.state : ILicenseRegistry.State.Active);
        assertEq(uint8(registry.termsAt(child, uint64(block.timestamp)).state), uint8(ILicenseRegistry.State.Active));
    }

    function test_a_checkpoint_that_is_not_there_is_refused(uint256 index) public {
        mintByRegistrar(ID);
        index = bound(index, 1, type(uint256).max);
        bytes memory unknown = abi.encodeWithSelector(ILicenseRegistry.CheckpointUnknown.selector, index, 1);
        vm.expectRevert(unknown);
        registry.checkpointAt(ID, index);
        vm.expectRevert(unknown);
        registry.metaHashAt(ID, index);
    }

    function test_a_packed_checkpoint_gives_back_every_field_at_its_edges(bool most) public {
        ILicenseRegistry.LicenseData memory d = data();
        if (most) {
            (d.startTs, d.endTs) = (type(uint40).max - 1, type(uint40).max);
            (d.royaltyBps, d.flags) = (10_000, 0xd);
        } else {
            (d.startTs, d.endTs, d.royaltyBps) = (0, 1, 0);
        }
        mintByRegistrar(ID, d, terms());
        assertData(ID, d);
        vm.prank(authority);
        registry.suspend(ID, type(uint32).max);
        ILicenseRegistry.Checkpoint memory c = registry.checkpointAt(ID, 1);
        assertEq(c.reason, type(uint32).max);
        assertEq(uint8(c.state), uint8(ILicenseRegistry.State.Suspended));
        assertEq(c.royaltyBps, d.royaltyBps);
        assertEq(c.flags, d.flags);
        assertEq(c.startTs, d.startTs);
        assertEq(c.endTs, d.endTs);
    }
}
