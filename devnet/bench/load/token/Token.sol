// SPDX-License-Identifier: BUSL-1.1
pragma solidity 0.8.37;

/// @title The ERC-20 token that `load` transfers: nothing but what the standard asks, and a way to make many logs at once.
contract Token {
    string public constant name = "Load";
    string public constant symbol = "LOAD";
    uint8 public constant decimals = 18;
    uint256 public immutable totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance(uint256 has, uint256 needs);
    error InsufficientAllowance(uint256 has, uint256 needs);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < value) revert InsufficientAllowance(allowed, value);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        _move(from, to, value);
        return true;
    }

    /// @notice Emits `count` zero-value transfers of the caller to itself: a block with that many logs, for `eth_getLogs`.
    function announce(uint256 count) external {
        for (uint256 i = 0; i < count; ++i) emit Transfer(msg.sender, msg.sender, 0);
    }

    function _move(address from, address to, uint256 value) private {
        uint256 has = balanceOf[from];
        if (has < value) revert InsufficientBalance(has, value);
        unchecked {
            // `has >= value` was checked; a sum of balances never exceeds totalSupply.
            balanceOf[from] = has - value;
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }
}
