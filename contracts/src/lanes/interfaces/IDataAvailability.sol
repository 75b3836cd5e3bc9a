// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title What contracts ask of the DataAvailability module at `0x…1003` (spec/blobs.md)
interface IDataAvailability {
    enum Status {
        Unknown,
        Announced,
        Available,
        Expired
    }

    /// @dev Heights and seconds are 0 where there is none. `expiresAt`: until when it is kept, as attested.
    struct Blob {
        Status status;
        bytes20 laneId;
        uint32 period;
        uint16 rows;
        bytes32 merkleRoot;
        bytes kzgCommitment;
        uint64 announcedAt;
        uint64 availableAt;
        uint64 expiresAt;
        uint64 pendingExpiry;
    }

    /// @param data 2,048 bytes. @param proof 48 bytes.
    struct Cell {
        uint16 row;
        uint16 column;
        bytes data;
        bytes proof;
    }

    function blob(bytes32 id) external view returns (Blob memory);
    function isAvailableUntil(bytes32 id, uint64 time) external view returns (bool);
    /// @notice Whether all cells open the blob. False for a wrong proof; reverts for what cannot be judged.
    function verifyCells(bytes32 id, bytes calldata commitments, Cell[] calldata cells) external view returns (bool);
}
