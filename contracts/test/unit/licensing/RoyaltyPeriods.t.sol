// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {DateTimeLib} from "solady/utils/DateTimeLib.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {PeriodLib} from "src/licensing/libraries/PeriodLib.sol";

contract RoyaltyPeriodsTest is Test {
    /// @dev [ROY-1]: every second lies in exactly the period that says so, and periods follow each other.
    function testFuzz_periods_tile_time(uint256 time) public pure {
        time = bound(time, 0, 253_402_300_799);
        uint32 period = PeriodLib.containing(time);
        (uint64 start, uint64 end) = PeriodLib.bounds(period);
        assertLe(start, time);
        assertLt(time, end);
        assertLe(end - start, 7 days);
        assertEq(PeriodLib.containing(start), period);
        assertEq(PeriodLib.containing(end - 1), period);
        if (end < 253_402_300_800) {
            (uint64 next,) = PeriodLib.bounds(PeriodLib.containing(end));
            assertEq(next, end);
        }
        (uint256 y, uint256 m, uint256 d) = DateTimeLib.timestampToDate(time);
        assertEq(period, y * 10_000 + m * 100 + (d + 6) / 7);
    }

    function bounds(uint32 period) external pure returns (uint64, uint64) {
        return PeriodLib.bounds(period);
    }

    function test_the_first_of_september_2025_begins_on_its_first_day() public pure {
        (uint64 start, uint64 end) = PeriodLib.bounds(20250901);
        assertEq(start, 1_756_684_800);
        assertEq(end, 1_756_684_800 + 7 days);
        (start, end) = PeriodLib.bounds(20240205);
        assertEq(end - start, 1 days);
    }

    function test_a_february_of_28_days_has_no_fifth_period() public {
        uint32[7] memory bad = [20250205, 19690101, 20251301, 20250001, 20250100, 20250106, 21000205];
        for (uint256 i; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.PeriodMalformed.selector, bad[i]));
            this.bounds(bad[i]);
        }
    }
}
