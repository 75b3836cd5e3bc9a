// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

/// @title IDataAvailability
/// @notice What a contract asks the system module at 0x…1003 about blobs: their status, and whether cells are theirs.
interface IDataAvailability {
    /// @notice Unknown: never published. Announced: published, not attested. Available: attested by more than two thirds of
    /// power and not past its expiry. Expired: past it.
    enum Status {
        Unknown,
        Announced,
        Available,
        Expired
    }

    /// @notice What the chain knows of a blob. Heights and seconds are 0 where there is none.
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

    /// @notice One cell of the extended square: 2,048 bytes of data, 48 of proof.
    struct Cell {
        uint16 row;
        uint16 column;
        bytes data;
        bytes proof;
    }

    /// @notice Publishes a header of 109 bytes with its rows' commitments; what is sent beyond the fee comes back.
    function publish(bytes calldata header, bytes calldata commitments) external payable returns (bytes32 id);
    /// @notice Wei that publishing so many rows costs in this block.
    function fee(uint256 rows) external view returns (uint256);
    /// @notice keccak256("CHLOM_BLOB_V1" ‖ laneId ‖ period ‖ merkleRoot).
    function idOf(bytes20 laneId, uint32 period, bytes32 merkleRoot) external pure returns (bytes32);
    /// @notice What is known; `Unknown` with zeros otherwise.
    function blob(bytes32 id) external view returns (Blob memory);
    /// @notice Whether it is available and kept at least until the given second.
    function isAvailableUntil(bytes32 id, uint64 time) external view returns (bool);
    /// @notice Whether all cells (1 to 128) are the blob's. False for a wrong proof; reverts for what cannot be judged.
    function verifyCells(bytes32 id, bytes calldata commitments, Cell[] calldata cells) external view returns (bool);
    /// @notice Whether a data row's polynomial has value `y` at `z` (EIP-4844 point evaluation).
    function verifyPoint(bytes32 id, bytes calldata commitments, uint16 row, bytes32 z, bytes32 y, bytes calldata proof)
        external
        view
        returns (bool);
}
