// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {LicenseRegistry} from "src/licensing/LicenseRegistry.sol";

/// @title The registry as a later version: one word behind its storage
contract LicenseRegistryV2 is LicenseRegistry {
    uint256 public added;

    constructor(address policy_, address ade_) LicenseRegistry(policy_, ade_) {}

    function setAdded(uint256 value) external reinitializer(2) {
        added = value;
    }
}
