// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Script} from "forge-std/Script.sol";
import {Faults} from "../faults/Faults.sol";

/// @title DeployAtSalt
/// @notice Deploys at an address that depends on the code and a salt alone, through the factory that forge uses for it.
contract DeployAtSalt is Script {
    function run() external returns (Faults faults) {
        vm.broadcast();
        faults = new Faults{salt: keccak256("CHLOM")}();
    }
}
