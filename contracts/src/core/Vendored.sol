// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

// What genesis takes from OpenZeppelin as it is: named here so that forge builds it with our settings.
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
