// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

/// @title Faults
/// @notice Fails in every way that a tool must be able to show, at the depth that the caller asks for.
contract Faults {
    /// @notice A call that failed below was caught here; `reason` is its return data.
    event Caught(uint256 indexed depth, bytes reason);

    /// @notice Work done, so that a trace has storage and logs to show.
    event Worked(uint256 indexed depth, uint256 total);

    /// @notice The custom error, with arguments of a static and of a dynamic type.
    error FaultsCustom(uint256 depth, string detail);

    /// @notice How a call ends.
    enum Ending {
        Succeed,
        Reason,
        Custom,
        Silent,
        Assert,
        Overflow,
        Gas,
        Invalid
    }

    uint256 public total;

    /// @notice Nests `depth` calls of itself, then ends as `ending` says.
    function nest(uint256 depth, Ending ending) public returns (uint256) {
        total += depth + 1;
        emit Worked(depth, total);
        if (depth != 0) return this.nest(depth - 1, ending);
        _end(depth, ending);
        return total;
    }

    /// @notice The same, and lives on: the failure's data goes into `Caught`.
    function rescue(uint256 depth, Ending ending) external returns (bool lived) {
        try this.nest(depth, ending) {
            lived = true;
        } catch (bytes memory reason) {
            emit Caught(depth, reason);
        }
    }

    /// @notice A plain transfer of value is refused with a reason.
    receive() external payable {
        revert("Faults: no gifts");
    }

    function _end(uint256 depth, Ending ending) private view {
        if (ending == Ending.Reason) revert("Faults: because");
        if (ending == Ending.Custom) revert FaultsCustom(depth, "custom");
        // A revert without data is written out: Solidity has no other way to ask for one with a reason string compiled in.
        if (ending == Ending.Silent) assembly { revert(0, 0) }
        if (ending == Ending.Assert) assert(total == 0);
        if (ending == Ending.Overflow) _overflow(type(uint256).max);
        if (ending == Ending.Gas) while (true) {}
        if (ending == Ending.Invalid) assembly { invalid() }
    }

    function _overflow(uint256 most) private view returns (uint256) {
        return most + total;
    }
}
