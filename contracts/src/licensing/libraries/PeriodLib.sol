// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {DateTimeLib} from "solady/utils/DateTimeLib.sol";

import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";

/// @title Periods: yyyy·10⁴ + mm·10² + w in UTC, w = ⌈day of month / 7⌉ (REF C16)
/// @notice Upholds [ROY-1]. The last period of a month is as short as the month leaves it: a February of 28 days has no fifth.
library PeriodLib {
    uint256 private constant DAY = 1 days;

    /// @notice When a period begins and when the next one does, in seconds.
    function bounds(uint32 period) internal pure returns (uint64 start, uint64 end) {
        uint256 year = period / 10_000;
        uint256 month = (period / 100) % 100;
        uint256 week = period % 100;
        if (year < 1970 || year > 9999 || month == 0 || month > 12 || week == 0 || week > 5) {
            revert ISplitRegistry.PeriodMalformed(period);
        }
        uint256 days_ = DateTimeLib.daysInMonth(year, month);
        uint256 first = (week - 1) * 7 + 1;
        if (first > days_) revert ISplitRegistry.PeriodMalformed(period);
        uint256 length = days_ + 1 - first;
        if (length > 7) length = 7;
        uint256 began = DateTimeLib.dateToEpochDay(year, month, first) * DAY;
        // The year 9999 ends before 2³⁸ seconds.
        // forge-lint: disable-next-line(unsafe-typecast)
        (start, end) = (uint64(began), uint64(began + length * DAY));
    }

    /// @notice The period that `time` lies in.
    function containing(uint256 time) internal pure returns (uint32) {
        (uint256 year, uint256 month, uint256 day) = DateTimeLib.epochDayToDate(time / DAY);
        // Block time gives years of four digits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(year * 10_000 + month * 100 + (day + 6) / 7);
    }
}
