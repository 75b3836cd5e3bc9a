// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title An owner that is a contract: it agrees to every signature, or to none
contract ContractOwner {
    bool public immutable agrees;

    constructor(bool agrees_) {
        agrees = agrees_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return agrees ? this.isValidSignature.selector : bytes4(0);
    }
}
