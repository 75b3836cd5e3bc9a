// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title The Lane module at `0x…1014`: what a batch's header says, and whether opened cells prove a fraud
/// @dev spec/lanes.md has the bytes. It returns facts where contract state decides.
interface ILane {
    /// @param owed The most the payer can owe by this batch.
    struct PayerTotal {
        address payer;
        uint32 firstRow;
        uint128 owed;
    }

    /// @param format Version of the format. @param parameters Version of the lane's parameters.
    /// @param blobHeader 109 bytes (REF §3).
    struct Header {
        uint16 format;
        uint32 parameters;
        bytes20 lane;
        uint32 period;
        uint32 number;
        bytes32 predecessor;
        uint64 asOf;
        uint32 records;
        uint32 rows;
        uint32 recordPages;
        uint32 tablePages;
        uint32 nodePages;
        bytes32 receiptsRoot;
        bytes32 licensesRoot;
        bytes blobHeader;
        PayerTotal[] payers;
    }

    /// @param data 2,048 bytes; the caller has had it verified by `0x…1003` against the header's blob.
    struct Cell {
        uint16 row;
        uint16 column;
        bytes data;
    }

    /// @notice What contract state still has to confirm.
    enum Check {
        None,
        Licence,
        Terms,
        Source,
        Earlier
    }

    /// @param kind 1 Malformed, 2 BadOrder, 3 DoubleCount, 4 WrongSum, 5 WrongTerms, 6 BadRoot, 7 InvalidLicense, 8 OutOfPeriod,
    /// 9 ForgedSource.
    /// @param licence Licence, Terms. @param time Licence: the receipt's; Terms: the period's start (seconds).
    /// @param royaltyBps Terms: what the row says. @param source Source: whose key. @param payer Source.
    /// @param key Source: keccak256 of the key bytes under which the signature is not valid (scheme byte first).
    /// @param earlier Earlier: header hash of the earlier batch; convicts only while that one is accepted and not void.
    struct Verdict {
        uint8 kind;
        Check check;
        bytes32 licence;
        uint64 time;
        uint16 royaltyBps;
        bytes32 source;
        address payer;
        bytes32 key;
        bytes32 earlier;
    }

    /// @notice Numbered faults: no wording in consensus.
    error HeaderInvalid(uint8 fault);
    /// @notice The evidence proves nothing.
    error NoFraud(uint8 reason);

    /// @notice Strict decoding; what needs no cell is refused here (payers not ascending, counts that do not fit the rows, …).
    function decodeHeader(bytes calldata header) external view returns (Header memory);
    /// @param evidence Per kind, spec/lanes.md. Headers of at most two batches, at most three cells.
    function judge(bytes calldata header, uint8 kind, Cell[] calldata cells, bytes calldata evidence)
        external
        view
        returns (Verdict memory);
}
