// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {IDataAvailability} from "./IDataAvailability.sol";

/// @title PageReader
/// @notice Opens data cells of blobs on chain and remembers what pages they carry: 64 elements of 32 bytes, each a zero byte
/// and 31 bytes of payload.
contract PageReader {
    IDataAvailability public constant BLOBS = IDataAvailability(0x0000000000000000000000000000000000001003);
    uint256 private constant ELEMENTS = 64;
    uint256 private constant PAYLOAD = 31;
    uint256 private constant DATA_COLUMNS = 64;

    /// @notice keccak256 of a blob's page, once it was opened; pages count row by row.
    mapping(bytes32 id => mapping(uint256 page => bytes32)) public pageHash;

    event PageOpened(bytes32 indexed id, uint256 indexed page, bytes payload);

    error PageReaderNotAvailable(bytes32 id);
    error PageReaderNoData(uint16 row, uint16 column);
    error PageReaderWrongCell(uint16 row, uint16 column);

    /// @notice Opens one cell of an available blob.
    function open(bytes32 id, bytes calldata commitments, IDataAvailability.Cell calldata cell)
        external
        returns (bytes memory payload)
    {
        if (!BLOBS.isAvailableUntil(id, uint64(block.timestamp))) revert PageReaderNotAvailable(id);
        if (cell.column >= DATA_COLUMNS || uint256(cell.row) * 48 >= commitments.length) {
            revert PageReaderNoData(cell.row, cell.column);
        }
        IDataAvailability.Cell[] memory cells = new IDataAvailability.Cell[](1);
        cells[0] = cell;
        if (!BLOBS.verifyCells(id, commitments, cells)) revert PageReaderWrongCell(cell.row, cell.column);
        payload = new bytes(ELEMENTS * PAYLOAD);
        for (uint256 i; i < ELEMENTS; ++i) {
            bytes calldata element = cell.data[i * 32 + 1:(i + 1) * 32];
            for (uint256 j; j < PAYLOAD; ++j) {
                payload[i * PAYLOAD + j] = element[j];
            }
        }
        uint256 page = uint256(cell.row) * DATA_COLUMNS + cell.column;
        pageHash[id][page] = keccak256(payload);
        emit PageOpened(id, page, payload);
    }
}
