// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title Exclusive licences (README "Exclusivity")
/// @dev Proves [LIC-30], [LIC-31], [LIC-32], [LIC-33], [LIC-34], [LIC-35].
contract LicenseExclusivityTest is LicenseFixture {
    bytes32 internal constant A = keccak256("A");
    bytes32 internal constant B = keccak256("B");

    function exclusive() internal view returns (ILicenseRegistry.LicenseData memory d) {
        d = data();
        d.flags = 0x2;
    }

    function conflict(bytes32 id, bytes32 other) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ILicenseRegistry.ExclusivityConflict.selector, id, other);
    }

    function test_an_exclusive_licence_and_any_other_do_not_overlap_in_window(
        uint64 from,
        uint64 to,
        bool first,
        bool second
    ) public {
        ILicenseRegistry.LicenseData memory d = data();
        if (first) d.flags = 0x2;
        (d.startTs, d.endTs) = (NOW + 100, NOW + 200);
        mintByRegistrar(A, d, terms());
        d.flags = second ? 2 : 0;
        d.startTs = uint64(bound(from, NOW, NOW + 300));
        d.endTs = uint64(bound(to, d.startTs + 1, NOW + 301));
        bool meet = d.startTs < NOW + 200 && NOW + 100 < d.endTs;
        if (meet && (first || second)) vm.expectRevert(conflict(B, A));
        mintByRegistrar(B, d, terms());
    }

    function test_licences_of_other_owners_assets_or_rights_do_not_collide(uint8 how) public {
        mintByRegistrar(A, exclusive(), terms());
        ILicenseRegistry.LicenseData memory d = exclusive();
        ILicenseRegistry.Terms memory t = terms();
        if (how % 3 == 0) d.owner = stranger;
        if (how % 3 == 1) t.assetId = keccak256("another");
        if (how % 3 == 2) {
            IRightsRegistry.Rights memory set = rightsSet();
            set.channels = 4;
            t.rightsHash = rights.register(set);
        }
        mintByRegistrar(B, d, t);
        assertState(B, ILicenseRegistry.State.Active);
    }

    function test_an_exclusive_licence_of_an_asset_states_rights(bytes32 id) public {
        ILicenseRegistry.Terms memory t = terms();
        t.rightsHash = 0;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.ExclusiveNeedsRights.selector, id));
        mintByRegistrar(id, exclusive(), t);
        // Without an asset there is nothing that another licence could name.
        t.assetId = 0;
        mintByRegistrar(id, exclusive(), t);
    }

    function test_what_is_revoked_or_over_is_in_nobodys_way(bool revoked, uint32 delay) public {
        mintByRegistrar(A, exclusive(), terms());
        uint64 at = uint64(block.timestamp + bound(delay, 1, YEAR - 1));
        if (revoked) {
            vm.prank(licensor);
            registry.revokeFrom(A, 1, at);
        } else {
            at = NOW + YEAR;
        }
        ILicenseRegistry.LicenseData memory d = exclusive();
        (d.startTs, d.endTs) = (at - 1, at + YEAR);
        vm.expectRevert(conflict(B, A));
        mintByRegistrar(B, d, terms());
        // From the very second on, agreed beforehand or later.
        d.startTs = at;
        mintByRegistrar(B, d, terms());
        vm.warp(at);
        registry.pruneAsset(licensor, ASSET, 10);
        assertState(B, ILicenseRegistry.State.Active);
    }

    function test_a_suspended_or_draft_licence_keeps_its_place(bool draft) public {
        ILicenseRegistry.Terms memory t = terms();
        t.draft = draft;
        mintByRegistrar(A, exclusive(), t);
        if (!draft) {
            vm.prank(authority);
            registry.suspend(A, 1);
        }
        vm.expectRevert(conflict(B, A));
        mintByRegistrar(B);
    }

    function test_a_modification_cannot_reach_into_an_exclusive_neighbour(uint32 over, bool scheduled) public {
        mintByRegistrar(A, exclusive(), terms());
        ILicenseRegistry.LicenseData memory d = data();
        (d.startTs, d.endTs) = (NOW + YEAR, NOW + 2 * YEAR);
        mintByRegistrar(B, d, terms());
        d.startTs -= uint64(bound(over, 1, YEAR - 1000));
        vm.startPrank(licensor);
        vm.expectRevert(conflict(B, A));
        if (scheduled) registry.modifyFrom(B, d, NOW + 10);
        else registry.modify(B, d);
        // Once the neighbour's window is over by then, it may.
        registry.modifyFrom(B, d, NOW + YEAR);
    }

    function test_a_modification_to_exclusive_looks_at_every_neighbour(bool scheduled) public {
        mintByRegistrar(A);
        mintByRegistrar(B);
        vm.startPrank(licensor);
        vm.expectRevert(conflict(B, A));
        if (scheduled) registry.modifyFrom(B, exclusive(), NOW + 10);
        else registry.modify(B, exclusive());
        registry.revoke(A);
        registry.modify(B, exclusive());
        vm.stopPrank();
        vm.expectRevert(conflict(keccak256("C"), B));
        mintByRegistrar(keccak256("C"));
    }

    function test_a_scheduled_exclusivity_counts_from_its_time(uint32 delay) public {
        mintByRegistrar(A);
        uint64 at = uint64(bound(delay, NOW + 10, NOW + YEAR - 10));
        vm.prank(licensor);
        registry.modifyFrom(A, exclusive(), at);
        ILicenseRegistry.LicenseData memory d = data();
        d.endTs = at;
        mintByRegistrar(B, d, terms());
        d.endTs = at + 1;
        vm.expectRevert(conflict(keccak256("C"), A));
        mintByRegistrar(keccak256("C"), d, terms());
    }

    function test_a_licence_that_was_over_and_is_renewed_takes_its_place_again(uint32 later) public {
        mintByRegistrar(A, exclusive(), terms());
        vm.warp(NOW + YEAR + bound(later, 1, YEAR));
        registry.pruneAsset(licensor, ASSET, 10);
        ILicenseRegistry.LicenseData memory d = exclusive();
        d.endTs = uint64(block.timestamp) + YEAR;
        vm.prank(licensor);
        registry.modify(A, d);
        vm.expectRevert(conflict(B, A));
        mintByRegistrar(B, d, terms());
    }

    function test_past_128_live_licences_the_asset_is_open() public {
        ILicenseRegistry.LicenseData memory d = data();
        for (uint256 i; i < 128; ++i) {
            if (i == 127) {
                // 127 others: still to be had, elsewhere in time.
                uint256 state = vm.snapshotState();
                ILicenseRegistry.LicenseData memory e = exclusive();
                (e.startTs, e.endTs) = (NOW + YEAR, NOW + 2 * YEAR);
                mintByRegistrar(B, e, terms());
                vm.revertToState(state);
            }
            mintByRegistrar(keccak256(abi.encode(i)), d, terms());
        }
        d.flags = 2;
        (d.startTs, d.endTs) = (NOW + YEAR, NOW + 2 * YEAR);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.AssetOpen.selector, licensor, ASSET));
        mintByRegistrar(B, d, terms());
        // Once they are over they no longer count, met or pruned.
        vm.warp(NOW + YEAR);
        registry.pruneAsset(licensor, ASSET, 100);
        mintByRegistrar(B, d, terms());
        assertState(B, ILicenseRegistry.State.Active);
    }

    /// @dev Against the definition: no second at which two licences stand that should not. Seconds are few enough to try.
    function test_whatever_is_done_no_exclusive_licence_ever_has_company(uint256[14] memory seeds) public {
        for (uint256 i; i < seeds.length; ++i) {
            uint256 seed = seeds[i];
            vm.roll(block.number + 1);
            skip(seed % 5);
            ILicenseRegistry.LicenseData memory d = data();
            d.flags = (seed >> 8) % 2 == 0 ? 2 : 0;
            d.startTs = NOW + uint64((seed >> 16) % 60);
            d.endTs = d.startTs + uint64((seed >> 24) % 40) + 1;
            uint64 from = uint64(block.timestamp + (seed >> 32) % 30);
            bytes32 id = bytes32(1 + (seed >> 40) % 4);
            bytes memory call_ = registry.licensorOf(id) == address(0)
                ? abi.encodeWithSelector(MINT, id, d, terms())
                : (seed >> 48) % 4 == 0
                    ? abi.encodeCall(ILicenseRegistry.revokeFrom, (id, 1, from))
                    : abi.encodeCall(ILicenseRegistry.modifyFrom, (id, d, from));
            vm.prank(registry.licensorOf(id) == address(0) ? authority : licensor);
            (bool done,) = address(registry).call(call_);
            done;
        }
        for (uint64 time = uint64(block.timestamp); time < NOW + 130; ++time) {
            uint256 standing;
            bool alone;
            vm.warp(time);
            for (uint256 id = 1; id <= 4; ++id) {
                if (registry.licensorOf(bytes32(id)) == address(0)) continue;
                if (stateNow(bytes32(id)) != ILicenseRegistry.State.Active) continue;
                ++standing;
                if (dataOf(bytes32(id)).flags & 2 != 0) alone = true;
            }
            assertTrue(!alone || standing == 1);
        }
    }
}
