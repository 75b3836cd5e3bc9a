// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Script} from "forge-std/Script.sol";
import {IDataAvailability} from "../blobs/IDataAvailability.sol";
import {PageReader} from "../blobs/PageReader.sol";

/// @title OpenPage
/// @notice Deploys a reader and opens one cell of a blob on chain. Run with --skip-simulation, and with BLOB_ID,
/// BLOB_COMMITMENTS, BLOB_ROW, BLOB_COLUMN, BLOB_CELL and BLOB_PROOF in the environment, as `chlom_getCells` gives them.
contract OpenPage is Script {
    function run() external returns (PageReader reader) {
        bytes32 id = vm.envBytes32("BLOB_ID");
        bytes memory commitments = vm.envBytes("BLOB_COMMITMENTS");
        IDataAvailability.Cell memory cell = IDataAvailability.Cell({
            row: uint16(vm.envUint("BLOB_ROW")),
            column: uint16(vm.envUint("BLOB_COLUMN")),
            data: vm.envBytes("BLOB_CELL"),
            proof: vm.envBytes("BLOB_PROOF")
        });
        // Forge first runs this in an EVM of its own, which has no system modules: there it is told yes. On chain the module
        // judges, first when the node estimates the gas.
        address module = 0x0000000000000000000000000000000000001003;
        vm.mockCall(module, abi.encodeWithSelector(IDataAvailability.isAvailableUntil.selector), abi.encode(true));
        vm.mockCall(module, abi.encodeWithSelector(IDataAvailability.verifyCells.selector), abi.encode(true));
        vm.startBroadcast();
        reader = new PageReader();
        reader.open(id, commitments, cell);
        vm.stopBroadcast();
    }
}
