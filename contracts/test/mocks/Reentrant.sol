// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";

/// @title A receiver of licences that calls back into the registry when one arrives
contract ReentrantReceiver {
    ILicenseRegistry private immutable _registry;
    bytes public reentry;
    bool public succeeded;
    uint256 public received;

    constructor(ILicenseRegistry registry) {
        _registry = registry;
    }

    function arm(bytes calldata call_) external {
        reentry = call_;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        ++received;
        (succeeded,) = address(_registry).call(reentry);
        return this.onERC721Received.selector;
    }
}
