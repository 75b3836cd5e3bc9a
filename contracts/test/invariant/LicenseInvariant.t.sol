// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";
import {LicenseHandler} from "test/invariant/LicenseHandler.sol";

/// @title What holds whatever is done, in whatever order (REF §8.3, §8.4)
/// @dev Proves [LIC-4], [LIC-16], [LIC-17], [LIC-18], [LIC-19], [LIC-20], [LIC-21], [LIC-25], [LIC-28].
/// forge-config: default.invariant.runs = 12
contract LicenseInvariantTest is LicenseFixture {
    LicenseHandler internal handler;

    function setUp() public override {
        super.setUp();
        ILicenseRegistry.Terms memory t = terms();
        t.assetId = 0;
        address[3] memory actors = [licensor, licensee, stranger];
        handler = new LicenseHandler(authority, actors, data(), t, split2);
        targetContract(address(handler));
        // Half of the ids exist from the start.
        for (uint256 i; i < 3; ++i) {
            handler.mint(i, i == 2, i == 1);
        }
    }

    function invariant_I2_T3_used_never_exceeds_the_cap() public view {
        for (uint256 i; i < 6; ++i) {
            bytes32 id = handler.idOf(i);
            if (handler.mintsOf(id) == 0) continue;
            ILicenseRegistry.Usage memory u = registry.usageOf(id);
            assertLe(u.used, u.cap);
            assertEq(u.used, handler.usedOf(id));
        }
    }

    function invariant_I3_the_nonce_counts_the_records_of_usage() public view {
        for (uint256 i; i < 6; ++i) {
            bytes32 id = handler.idOf(i);
            if (handler.mintsOf(id) != 0) assertEq(registry.usageOf(id).nonce, handler.noncesOf(id));
        }
    }

    function invariant_I4_nobody_changes_what_is_not_theirs() public view {
        assertEq(handler.trespasses(), 0);
    }

    function invariant_I5_every_checkpoint_has_its_event_and_times_are_in_order() public view {
        for (uint256 i; i < 6; ++i) {
            bytes32 id = handler.idOf(i);
            uint256 count = registry.checkpointCount(id);
            assertEq(count, handler.eventsOf(id));
            uint256 before;
            for (uint256 k; k < count; ++k) {
                ILicenseRegistry.Checkpoint memory c = registry.checkpointAt(id, k);
                assertGe(c.recordedAt, before);
                if (k != 0) assertGe(c.effectiveFrom, c.recordedAt);
                before = c.recordedAt;
            }
        }
    }

    function invariant_I8_an_id_is_minted_at_most_once_and_keeps_its_licensor() public view {
        for (uint256 i; i < 6; ++i) {
            bytes32 id = handler.idOf(i);
            assertLe(handler.mintsOf(id), 1);
            assertEq(registry.licensorOf(id), handler.mintedFor(id));
        }
    }

    function invariant_a_revocation_is_the_last_word() public view {
        for (uint256 i; i < 6; ++i) {
            bytes32 id = handler.idOf(i);
            if (!handler.wasRevoked(id)) continue;
            uint256 count = registry.checkpointCount(id);
            ILicenseRegistry.Checkpoint memory c = registry.checkpointAt(id, count - 1);
            assertEq(uint8(c.state), uint8(ILicenseRegistry.State.Revoked));
            if (c.effectiveFrom > block.timestamp) continue;
            (bool held,) = address(registry).staticcall(abi.encodeCall(registry.ownerOf, (uint256(id))));
            assertFalse(held);
        }
    }

    function invariant_nothing_changes_retroactively() public view {
        for (uint256 i; i < handler.recordedCount(); ++i) {
            (bytes32 id, uint64 time, uint64 asOf, bytes memory answer) = handler.recorded(i);
            assertEq(abi.encode(registry.stateAt(id, time, asOf)), answer);
        }
    }
}
