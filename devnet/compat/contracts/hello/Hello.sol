// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

/// @title Hello
/// @notice The first contract to deploy: it holds one sentence, which only its author may change.
contract Hello {
    /// @notice The greeting became `greeting`.
    event Greeted(address indexed author, string greeting);

    /// @notice Only `author` may change the greeting, `caller` is somebody else.
    error HelloNotAuthor(address caller, address author);

    /// @notice The greeting may not be empty.
    error HelloEmpty();

    address public immutable author;
    string public greeting;

    constructor(string memory first) {
        author = msg.sender;
        _greet(first);
    }

    /// @notice Replaces the greeting.
    function greet(string calldata next) external {
        require(msg.sender == author, HelloNotAuthor(msg.sender, author));
        _greet(next);
    }

    function _greet(string memory next) private {
        require(bytes(next).length != 0, HelloEmpty());
        greeting = next;
        emit Greeted(author, next);
    }
}
