// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title WrappedChm
/// @notice CHM as an ERC-20, one for one, so that a market can hold it.
contract WrappedChm is ERC20 {
    /// @notice `amount` wei of CHM came in for `account`.
    event Wrapped(address indexed account, uint256 amount);

    /// @notice `amount` wei of CHM went out to `to`, paid for by `account`.
    event Unwrapped(address indexed account, address indexed to, uint256 amount);

    constructor() ERC20("Wrapped CHM", "WCHM") {}

    /// @notice CHM sent without data is wrapped for its sender.
    receive() external payable {
        wrap(msg.sender);
    }

    /// @notice Wraps the call's value for `to`.
    function wrap(address to) public payable {
        _mint(to, msg.value);
        emit Wrapped(to, msg.value);
    }

    /// @notice Burns `amount` of the caller's and pays it out to `to`.
    function unwrap(address payable to, uint256 amount) external {
        _burn(msg.sender, amount);
        emit Unwrapped(msg.sender, to, amount);
        Address.sendValue(to, amount);
    }
}
