// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title A licence from its commitment to its end: what may be done under it at every step, and what held at every time
contract LicenseLifeTest is LicenseFixture {
    bytes32 private constant MAIN = keccak256("main");
    bytes32 private constant SUB = keccak256("sub");

    struct Moment {
        uint64 time;
        bytes32 answers;
    }

    Moment[] private _moments;
    address private _buyer = makeAddr("buyer");

    // ---------------------------------------------------------------- tests

    function test_a_licence_lives_from_commitment_to_revocation_and_its_history_never_changes() public {
        _mintBoth();
        _uses();
        _changes();
        _enforces();
        _ends();
        _checkMoments();
    }

    // ---------------------------------------------------------------- steps

    function _mintBoth() private {
        IRightsRegistry.Rights memory set = rightsSet();
        set.rights = 3;
        bytes32 wide = rights.register(set);
        ILicenseRegistry.LicenseData memory d = data();
        d.flags = 0x4;
        ILicenseRegistry.Terms memory t = terms();
        (t.rightsHash, t.cap, t.draft) = (wide, 10, true);
        commit(MAIN, d);
        vm.prank(licensor);
        registry.mint(MAIN, d, t);
        _allowed(MAIN, "DRAFT");
        vm.prank(licensor);
        registry.activate(MAIN);
        _allowed(MAIN, 0);
        _remember();

        // The licensee sublicenses, since the licence grants that.
        ILicenseRegistry.LicenseData memory below = data();
        (below.owner, below.licensee) = (licensee, _buyer);
        ILicenseRegistry.Terms memory under;
        (under.rightsHash, under.parent, under.numer, under.denom) = (rightsHash, MAIN, 1, 4);
        commit(SUB, below);
        vm.prank(licensee);
        registry.mint(SUB, below, under);
        assertEq(registry.termsOf(SUB).parent, MAIN);
        _allowed(SUB, 0);
        _remember();
    }

    function _uses() private {
        nextBlock();
        vm.startPrank(licensor);
        registry.recordUsage(MAIN, 7, 0);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.CapExceeded.selector, MAIN, 7, 4, 10));
        registry.recordUsage(MAIN, 4, 1);
        registry.recordUsage(MAIN, 3, 1);
        vm.stopPrank();
        _allowed(MAIN, "CAP");
        _allowed(SUB, 0);
        (bool ok, bytes32 why) = registry.isUseAllowed(SUB, licensee, someUse());
        assertFalse(ok);
        assertEq(why, "USER");
        IRightsRegistry.Use memory other = someUse();
        other.territory = "USMD";
        (, why) = registry.isUseAllowed(SUB, _buyer, other);
        assertEq(why, "TERRITORY");
    }

    function _changes() private {
        nextBlock();
        ILicenseRegistry.LicenseData memory d = data();
        (d.flags, d.royaltyBps, d.adeSplitHash) = (0x4, 900, split2);
        uint64 effective = uint64(block.timestamp + 1 days);
        vm.prank(licensor);
        registry.modifyFrom(MAIN, d, effective);
        assertEq(registry.termsAt(MAIN, uint64(block.timestamp)).royaltyBps, 2_000);
        _remember();
        vm.warp(effective);
        assertEq(registry.termsAt(MAIN, uint64(block.timestamp)).royaltyBps, 900);
        assertEq(registry.termsAt(MAIN, uint64(block.timestamp)).splitVersion, 2);
        // What holds a time later is what was in force then.
        assertEq(registry.termsAt(MAIN, uint64(block.timestamp - 1)).splitVersion, 1);
        nextBlock();
        vm.prank(licensee);
        registry.transferFrom(licensee, stranger, uint256(MAIN));
        assertEq(registry.ownerOf(uint256(MAIN)), stranger);
        vm.prank(licensor);
        registry.assign(MAIN, licensee);
        _remember();
    }

    function _enforces() private {
        nextBlock();
        vm.prank(authority);
        registry.suspend(MAIN, 11);
        _allowed(MAIN, "SUSPENDED");
        _allowed(SUB, 0);
        _remember();
        nextBlock();
        vm.prank(authority);
        registry.lift(MAIN, 12);
        _allowed(MAIN, "CAP");
        // A mark covers all below it.
        vm.prank(authority);
        splits.markSubtree(MAIN, ISplitRegistry.Mark.Suspended, 13);
        _allowed(MAIN, "SUSPENDED");
        _allowed(SUB, "SUSPENDED");
        _remember();
        nextBlock();
        vm.prank(authority);
        splits.markSubtree(MAIN, ISplitRegistry.Mark.None, 14);
        _allowed(SUB, 0);
        _remember();
    }

    function _ends() private {
        nextBlock();
        vm.prank(licensor);
        registry.revokeFrom(MAIN, 15, uint64(block.timestamp + 1 days));
        _allowed(MAIN, "CAP");
        _remember();
        skip(1 days);
        _allowed(MAIN, "REVOKED");
        registry.burnRevoked(MAIN);
        vm.expectRevert();
        registry.ownerOf(uint256(MAIN));
        // What hangs from it is its licensor's to end; money finds its way past it (ROY-15).
        _allowed(SUB, 0);
        _remember();
        vm.warp(NOW + YEAR);
        _allowed(SUB, "EXPIRED");
        _remember();
        commit(MAIN, data());
        vm.prank(licensor);
        vm.expectRevert("EXISTS");
        registry.mint(MAIN, data(), terms());
    }

    // ---------------------------------------------------------------- within

    /// @dev `gravestMark`, which a use asks, says what `subtreeAt` says of now.
    function _allowed(bytes32 id, bytes32 expected) private view {
        (bool ok, bytes32 why) = registry.isUseAllowed(id, address(0), someUse());
        assertEq(why, expected);
        assertEq(ok, expected == 0);
        uint64 now_ = uint64(block.timestamp);
        (ISplitRegistry.Mark mark,) = splits.subtreeAt(id, now_, now_);
        assertEq(uint8(splits.gravestMark(id)), uint8(mark));
    }

    function _answersAt(uint64 time) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                registry.stateAt(MAIN, time, time),
                registry.stateAt(SUB, time, time),
                registry.termsAt(MAIN, time),
                splits.routeAt(MAIN, time)
            )
        );
    }

    /// @dev Of the block before, which no later act can change.
    function _remember() private {
        nextBlock();
        uint64 time = uint64(block.timestamp - 1);
        _moments.push(Moment(time, _answersAt(time)));
    }

    function _checkMoments() private {
        nextBlock();
        assertGt(_moments.length, 8);
        for (uint256 i; i < _moments.length; ++i) {
            assertEq(_answersAt(_moments[i].time), _moments[i].answers);
            for (uint256 j; j < i; ++j) {
                assertLt(_moments[j].time, _moments[i].time);
            }
        }
    }
}
