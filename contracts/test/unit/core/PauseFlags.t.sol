// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {Base} from "test/Base.t.sol";

/// @dev Proves [LIC-60], [LIC-61], [LIC-62], [LIC-63], [LIC-68].
contract PauseFlagsTest is Base {
    bytes32 internal constant REASON = keccak256("reason");

    function flagOf(uint8 seed) internal pure returns (IPauseFlags.Flag) {
        return IPauseFlags.Flag(seed % 3);
    }

    function test_a_pause_ends_by_itself_at_its_height(uint8 seed, uint64 heights) public {
        IPauseFlags.Flag flag = flagOf(seed);
        uint64 until = uint64(block.number + bound(heights, 1, 10_000));
        vm.expectEmit(address(pauseFlags));
        emit IPauseFlags.Paused(flag, until, REASON);
        vm.prank(authority);
        pauseFlags.pause(flag, until, REASON);
        assertEq(pauseFlags.pausedUntil(flag), until);
        vm.roll(until - 1);
        assertTrue(pauseFlags.isPaused(flag));
        vm.roll(until);
        assertFalse(pauseFlags.isPaused(flag));
    }

    function test_a_pause_lasts_at_most_an_epoch_of_heights(uint8 seed, uint64 over) public {
        uint64 latest = uint64(block.number) + pauseFlags.EPOCH_BLOCKS();
        assertEq(pauseFlags.EPOCH_BLOCKS(), 10_000);
        uint64 until = uint64(bound(over, uint256(latest) + 1, type(uint64).max));
        vm.prank(authority);
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.PauseTooLong.selector, until, latest));
        pauseFlags.pause(flagOf(seed), until, REASON);
        vm.prank(authority);
        pauseFlags.pause(flagOf(seed), latest, REASON);
        assertTrue(pauseFlags.isPaused(flagOf(seed)));
    }

    function test_a_pause_until_a_height_that_has_come_is_refused(uint64 until) public {
        until = uint64(bound(until, 0, block.number));
        vm.prank(authority);
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.PauseInPast.selector, until, block.number));
        pauseFlags.pause(IPauseFlags.Flag.Listing, until, REASON);
    }

    function test_only_the_guardian_raises_renews_and_flags(address caller, uint8 seed) public {
        vm.assume(caller != authority);
        vm.startPrank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        pauseFlags.pause(flagOf(seed), uint64(block.number + 1), REASON);
        vm.expectRevert(Ownable.Unauthorized.selector);
        pauseFlags.renew(flagOf(seed), uint64(block.number + 1), REASON);
        vm.expectRevert(Ownable.Unauthorized.selector);
        pauseFlags.flagFraud(REASON);
        if (caller != address(timelock)) {
            vm.expectRevert(Ownable.Unauthorized.selector);
            pauseFlags.unpause(flagOf(seed));
        }
    }

    function test_a_reason_is_required(uint8 seed) public {
        vm.startPrank(authority);
        vm.expectRevert(IPauseFlags.ReasonZero.selector);
        pauseFlags.pause(flagOf(seed), uint64(block.number + 1), 0);
        vm.expectRevert(IPauseFlags.ReasonZero.selector);
        pauseFlags.flagFraud(0);
    }

    function test_a_pause_of_payouts_names_a_fraud_that_was_flagged(bytes32 evidence) public {
        vm.assume(evidence != 0);
        vm.startPrank(authority);
        uint64 until = uint64(block.number + 10);
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.FraudNotFlagged.selector, evidence));
        pauseFlags.pause(IPauseFlags.Flag.Payouts, until, evidence);
        vm.expectEmit(address(pauseFlags));
        emit IPauseFlags.FraudFlagged(evidence, authority);
        pauseFlags.flagFraud(evidence);
        pauseFlags.pause(IPauseFlags.Flag.Payouts, until, evidence);
        assertTrue(pauseFlags.isPaused(IPauseFlags.Flag.Payouts));
        bytes32 other = keccak256(abi.encode(evidence));
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.FraudNotFlagged.selector, other));
        pauseFlags.renew(IPauseFlags.Flag.Payouts, until, other);
    }

    function test_holding_on_needs_a_renewal(uint8 seed, uint64 heights) public {
        IPauseFlags.Flag flag = flagOf(seed);
        vm.startPrank(authority);
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.PauseNotActive.selector, flag));
        pauseFlags.renew(flag, uint64(block.number + 1), REASON);
        uint64 until = uint64(block.number + bound(heights, 2, 10_000));
        pauseFlags.pause(flag, until, REASON);
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.PauseActive.selector, flag, until));
        pauseFlags.pause(flag, until + 1, REASON);
        vm.roll(until - 1);
        vm.expectEmit(address(pauseFlags));
        emit IPauseFlags.Renewed(flag, until + 9_999, REASON);
        pauseFlags.renew(flag, until + 9_999, REASON);
        vm.roll(until);
        assertTrue(pauseFlags.isPaused(flag));
    }

    function test_a_pause_is_taken_back_by_the_guardian_or_the_owner(uint8 seed, bool byOwner) public {
        IPauseFlags.Flag flag = flagOf(seed);
        vm.prank(authority);
        pauseFlags.pause(flag, uint64(block.number + 5), REASON);
        vm.startPrank(byOwner ? address(timelock) : authority);
        vm.expectEmit(address(pauseFlags));
        emit IPauseFlags.Unpaused(flag);
        pauseFlags.unpause(flag);
        assertFalse(pauseFlags.isPaused(flag));
        vm.expectRevert(abi.encodeWithSelector(IPauseFlags.PauseNotActive.selector, flag));
        pauseFlags.unpause(flag);
    }

    function test_flags_are_apart(uint8 raised) public {
        IPauseFlags.Flag flag = flagOf(raised);
        vm.prank(authority);
        pauseFlags.pause(flag, uint64(block.number + 5), REASON);
        for (uint8 i; i < 4; ++i) {
            assertEq(pauseFlags.isPaused(IPauseFlags.Flag(i)), IPauseFlags.Flag(i) == flag);
        }
    }

    /// @dev Upholds [LIC-68]: others read the flag here, so a ledger that fails cannot stop it; and it is not silent.
    function test_a_ledger_that_fails_stops_no_pause_and_is_named(bytes4 why) public {
        vm.startPrank(authority);
        pauseFlags.flagFraud(REASON);
        uint64 until = uint64(block.number + 10);
        bytes memory told = abi.encodeWithSelector(IRoyaltyLedger.notePause.selector);
        vm.etch(SystemAddresses.ROYALTY_LEDGER, hex"00");
        vm.mockCallRevert(SystemAddresses.ROYALTY_LEDGER, told, abi.encodePacked(why));
        vm.expectEmit(address(pauseFlags));
        emit IPauseFlags.LedgerNotTold(abi.encodePacked(why));
        vm.expectEmit(address(pauseFlags));
        emit IPauseFlags.Paused(IPauseFlags.Flag.Payouts, until, REASON);
        pauseFlags.pause(IPauseFlags.Flag.Payouts, until, REASON);
        assertTrue(pauseFlags.isPaused(IPauseFlags.Flag.Payouts));
        // Nothing is said when it listens.
        vm.mockCall(SystemAddresses.ROYALTY_LEDGER, told, "");
        vm.recordLogs();
        pauseFlags.unpause(IPauseFlags.Flag.Payouts);
        assertEq(vm.getRecordedLogs().length, 1);
    }
}
