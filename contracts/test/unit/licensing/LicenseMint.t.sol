// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "src/core/Governed.sol";
import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title Minting (REF §4.2, C15)
/// @dev Proves [LIC-1], [LIC-2], [LIC-3], [LIC-4], [LIC-5], [LIC-6], [LIC-7], [LIC-8], [LIC-9]; I4 (auth) and I8
/// (replay) where tests say so.
contract LicenseMintTest is LicenseFixture {
    function test_minting_stores_what_was_given(bytes32 id, uint16 bps, uint8 flags, uint40 start, uint40 end) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 0, 10_000));
        d.flags = flags & 0xd;
        d.startTs = uint64(bound(start, 0, type(uint40).max - 1));
        d.endTs = uint64(bound(end, d.startTs + 1, type(uint40).max));
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseMinted(id, licensor, licensee);
        mintByRegistrar(id, d, terms());
        assertData(id, d);
        assertEq(registry.ownerOf(uint256(id)), licensee);
        assertEq(registry.licensorOf(id), licensor);
        assertEq(registry.checkpointCount(id), 1);
        ILicenseRegistry.Checkpoint memory c = registry.checkpointAt(id, 0);
        assertEq(c.recordedAt, block.timestamp);
        assertEq(c.effectiveFrom, d.startTs);
        assertEq(c.splitVersion, 1);
        assertEq(registry.splitHashOf(id, 1), split);
        assertEq(registry.metaHashAt(id, 0), META);
        ILicenseRegistry.Terms memory t = registry.termsOf(id);
        assertEq(t.assetId, ASSET);
        assertEq(t.rightsHash, rightsHash);
        assertEq(t.cap, type(uint256).max);
    }

    function test_guard_EXISTS_an_id_is_minted_once(bytes32 id, address other) public {
        mintByRegistrar(id);
        ILicenseRegistry.LicenseData memory d = data();
        d.owner = other;
        // Before any other guard.
        d.acePolicyHash = 0;
        vm.expectRevert("EXISTS");
        mintByRegistrar(id, d, terms());
    }

    function test_I8_a_revoked_id_is_never_minted_again(bytes32 id, uint32 later) public {
        mintByRegistrar(id);
        vm.prank(licensor);
        registry.revoke(id);
        skip(later);
        vm.expectRevert("EXISTS");
        mintByRegistrar(id);
    }

    function test_guard_POLICY_the_policy_is_active(bytes32 id, bytes32 hash) public {
        vm.assume(hash != POLICY && hash != POLICY_2);
        ILicenseRegistry.LicenseData memory d = data();
        d.acePolicyHash = hash;
        d.adeSplitHash = 0;
        vm.expectRevert("POLICY");
        mintByRegistrar(id, d, terms());
    }

    function test_guard_SPLIT_the_split_is_registered(bytes32 id, bytes32 hash) public {
        vm.assume(hash != split && hash != split2);
        ILicenseRegistry.LicenseData memory d = data();
        d.adeSplitHash = hash;
        d.endTs = 0;
        vm.expectRevert("SPLIT");
        mintByRegistrar(id, d, terms());
    }

    function test_guard_TIME_the_end_is_after_the_start(bytes32 id, uint64 start, uint64 end) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.startTs = start;
        d.endTs = uint64(bound(end, 0, start));
        vm.expectRevert(bytes("TIME"));
        vm.prank(stranger);
        registry.mint(id, d);
    }

    function test_guard_OWNER_I4_nobody_mints_for_another(bytes32 id, address caller) public {
        vm.assume(caller != licensor && caller != authority);
        commit(id, data());
        vm.expectRevert("OWNER");
        vm.prank(caller);
        registry.mint(id, data(), terms());
        vm.expectRevert("OWNER");
        vm.prank(caller);
        registry.mint(id, data());
    }

    function test_a_royalty_above_all_is_refused(bytes32 id, uint96 bps) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = uint96(bound(bps, 10_001, type(uint96).max));
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.RoyaltyTooHigh.selector, d.royaltyBps, 10_000));
        mintByRegistrar(id, d, terms());
    }

    function test_unknown_flags_are_refused(bytes32 id, uint8 flags) public {
        vm.assume(flags > 0xf);
        ILicenseRegistry.LicenseData memory d = data();
        d.flags = flags;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.FlagsUnknown.selector, flags));
        mintByRegistrar(id, d, terms());
    }

    function test_times_past_40_bits_are_refused(bytes32 id, uint64 end) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.endTs = uint64(bound(end, uint64(1) << 40, type(uint64).max));
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.TimeTooFar.selector, d.endTs, uint64(type(uint40).max)));
        mintByRegistrar(id, d, terms());
    }

    function test_a_licence_has_a_licensor_and_a_licensee(bytes32 id) public {
        ILicenseRegistry.LicenseData memory d = data();
        d.owner = address(0);
        vm.expectRevert(Governed.ZeroAddress.selector);
        mintByRegistrar(id, d, terms());
        d = data();
        d.licensee = address(0);
        vm.expectRevert(bytes4(keccak256("TransferToZeroAddress()")));
        mintByRegistrar(id, d, terms());
    }

    function test_rights_that_are_not_registered_are_refused(bytes32 id, bytes32 hash) public {
        vm.assume(hash != 0 && hash != rightsHash);
        ILicenseRegistry.Terms memory t = terms();
        t.rightsHash = hash;
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.RightsUnknown.selector, hash));
        mintByRegistrar(id, data(), t);
    }

    function test_a_rate_without_a_parent_is_refused(bytes32 id, uint64 numer, uint64 denom) public {
        vm.assume(numer != 0 || denom != 0);
        ILicenseRegistry.Terms memory t = terms();
        (t.numer, t.denom) = (numer, denom);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeRate.selector, numer, denom));
        mintByRegistrar(id, data(), t);
    }

    function test_whoever_is_no_registrar_commits_first(bytes32 id) public {
        bytes32 commitment = commitmentOf(id, data());
        vm.startPrank(licensor);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.MintNotCommitted.selector, commitment));
        registry.mint(id, data(), terms());

        vm.expectEmit(address(registry));
        emit ILicenseRegistry.MintCommitted(commitment);
        registry.commitMint(commitment);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.CommitmentTooNew.selector, commitment, uint64(block.timestamp))
        );
        registry.mint(id, data(), terms());

        nextBlock();
        registry.mint(id, data(), terms());
        assertEq(registry.licensorOf(id), licensor);
    }

    function test_a_commitment_lasts_a_day(bytes32 id, uint32 later) public {
        bytes32 commitment = commitmentOf(id, data());
        uint256 madeAt = block.timestamp;
        registry.commitMint(commitment);
        vm.warp(madeAt + bound(later, 1 days + 1, type(uint32).max));
        vm.startPrank(licensor);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.CommitmentTooOld.selector, commitment, uint64(madeAt)));
        registry.mint(id, data());
        vm.warp(madeAt + 1 days);
        registry.mint(id, data());
    }

    function test_committing_again_renews_only_what_has_run_out(bytes32 id, uint32 within) public {
        bytes32 commitment = commitmentOf(id, data());
        registry.commitMint(commitment);
        skip(bound(within, 1, 1 days));
        vm.prank(stranger);
        registry.commitMint(commitment);
        // Not made new: the licensor still mints in this very block.
        uint256 state = vm.snapshotState();
        vm.prank(licensor);
        registry.mint(id, data());
        vm.revertToState(state);
        skip(1 days + 1);
        registry.commitMint(commitment);
        nextBlock();
        vm.prank(licensor);
        registry.mint(id, data());
    }

    function test_a_front_runner_who_sees_the_mint_cannot_take_the_id(bytes32 id, address thief) public {
        vm.assume(thief != licensor && thief != authority && thief != address(0));
        commit(id, data());
        // It learns id and metaHash now, so that its own commitment is of this block.
        ILicenseRegistry.LicenseData memory d = data();
        d.owner = thief;
        registry.commitMint(commitmentOf(id, d));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILicenseRegistry.CommitmentTooNew.selector, commitmentOf(id, d), uint64(block.timestamp)
            )
        );
        vm.prank(thief);
        registry.mint(id, d, terms());
        vm.prank(licensor);
        registry.mint(id, data(), terms());
        assertEq(registry.licensorOf(id), licensor);
    }

    function test_a_commitment_is_spent_by_its_mint_and_of_no_use_elsewhere(bytes32 id, uint64 chain) public {
        chain = uint64(bound(chain, 1, type(uint64).max - 1));
        vm.assume(chain != block.chainid);
        commit(id, data());
        uint256 home = block.chainid;
        vm.chainId(chain);
        bytes32 there = commitmentOf(id, data());
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.MintNotCommitted.selector, there));
        vm.prank(licensor);
        registry.mint(id, data());
        vm.chainId(home);
        vm.prank(licensor);
        registry.mint(id, data());
        assertEq(registry.checkpointCount(id), 1);
    }

    function test_C23_a_pause_stops_mints_modifications_and_activations_only(bytes32 id, bytes32 other, uint16 heights)
        public
    {
        vm.assume(id != other);
        ILicenseRegistry.Terms memory t = terms();
        t.draft = true;
        mintByRegistrar(id, data(), t);
        uint64 until = uint64(block.number + bound(heights, 1, 10_000));
        vm.prank(authority);
        pauseFlags.pause(IPauseFlags.Flag.MintModify, until, keccak256("why"));
        bytes memory paused = abi.encodeWithSelector(ILicenseRegistry.MintPaused.selector, until);
        vm.expectRevert(paused);
        mintByRegistrar(other);
        vm.startPrank(licensor);
        vm.expectRevert(paused);
        registry.modify(id, data());
        vm.expectRevert(paused);
        registry.modifyFrom(id, data(), NOW + 1);
        vm.expectRevert(paused);
        registry.activate(id);
        registry.assign(id, stranger);
        uint256 state = vm.snapshotState();
        registry.revoke(id);
        vm.revertToState(state);
        vm.roll(until);
        registry.activate(id);
        assertState(id, ILicenseRegistry.State.Active);
    }

    function test_a_draft_is_activated_by_its_licensor_once(bytes32 id, address other) public {
        vm.assume(other != licensor);
        ILicenseRegistry.Terms memory t = terms();
        t.draft = true;
        mintByRegistrar(id, data(), t);
        assertState(id, ILicenseRegistry.State.Draft);
        assertTrue(registry.termsOf(id).draft);
        vm.expectRevert("OWNER");
        vm.prank(other);
        registry.activate(id);
        vm.startPrank(licensor);
        vm.expectEmit(address(registry));
        emit ILicenseRegistry.LicenseStateChanged(id, ILicenseRegistry.State.Active, 0, NOW);
        registry.activate(id);
        assertState(id, ILicenseRegistry.State.Active);
        assertFalse(registry.termsOf(id).draft);
        vm.expectRevert(
            abi.encodeWithSelector(ILicenseRegistry.StateConflict.selector, id, ILicenseRegistry.State.Active)
        );
        registry.activate(id);
    }
}
