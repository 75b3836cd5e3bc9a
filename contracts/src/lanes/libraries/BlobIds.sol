// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILane} from "../interfaces/ILane.sol";

/// @title How the chain knows a header's blob (spec/blobs.md)
library BlobIds {
    /// @notice keccak256("CHLOM_BLOB_V1" ‖ lane ‖ period ‖ Merkle root), the root being the last 32 of a header's 109 bytes.
    function idOf(ILane.Header memory h) internal pure returns (bytes32) {
        bytes memory blobHeader = h.blobHeader;
        bytes32 root;
        assembly ("memory-safe") {
            root := mload(add(blobHeader, 109))
        }
        return keccak256(abi.encodePacked("CHLOM_BLOB_V1", h.lane, h.period, root));
    }
}
