// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title The Lane module at 0x0000000000000000000000000000000000001014: headers decoded, frauds judged
/// @notice Its answers follow from its arguments alone: it reads no state. Formats and kinds are those of `spec/lanes.md`.
interface ILane {
    // ---------------------------------------------------------------- types

    /// @notice The most that a payer can owe by a batch. Its rows begin at `firstRow` and end before the next payer's.
    struct PayerTotal {
        address payer;
        uint32 firstRow;
        uint128 owed;
    }

    /// @param format Version of the format: 1.
    /// @param parameters Version of the lane's parameters.
    /// @param period yyyy·10⁴ + mm·10² + w (C16).
    /// @param asOf Seconds: licences, terms and keys count as they were known then.
    /// @param blobHeader 109 bytes, as `0x…1003` takes them; its lane and period are the header's.
    /// @param payers By address, at most 128.
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

    /// @notice A cell of the header's blob, which the caller has had verified by `0x…1003`.
    /// @param data 2,048 bytes.
    struct Cell {
        uint16 row;
        uint16 column;
        bytes data;
    }

    /// @notice What contract state still has to confirm before a verdict convicts.
    /// None: nothing. Licence: `stateAt(licence, time, asOf)` did not allow it. Terms: the royaltyBps at `time`, or the licence's
    /// first, as of `asOf`, is not `royaltyBps`. Source: the key that was registered for `source` as of `asOf` hashes to `key`.
    /// Earlier: the batch `earlier` was accepted before this one and is not void.
    enum Check {
        None,
        Licence,
        Terms,
        Source,
        Earlier
    }

    /// @param kind 1 Malformed, 2 BadOrder, 3 DoubleCount, 4 WrongSum, 5 WrongTerms, 6 BadRoot, 7 InvalidLicense, 8 OutOfPeriod,
    /// 9 ForgedSource.
    /// @param time Licence: the receipt's; Terms: the period's start. Seconds.
    /// @param royaltyBps Terms: what the row says.
    /// @param source Source: keccak256(lane ‖ payer ‖ name).
    /// @param payer Source: whose it is.
    /// @param key Source: keccak256 of the key under which there is no valid signature (first byte: the scheme).
    /// @param earlier Earlier: hash of the earlier batch's header.
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

    // ---------------------------------------------------------------- errors

    /// @notice The bytes are no header; the number says why ([LAN-12]).
    error HeaderInvalid(uint8 fault);
    /// @notice The evidence proves no fraud; the number says why ([LAN-61]).
    error NoFraud(uint8 reason);

    // ---------------------------------------------------------------- functions

    /// @notice Decodes strictly; what needs no cell is refused here. Upholds [LAN-12].
    function decodeHeader(bytes calldata header) external view returns (Header memory);
    /// @notice Judges a fraud of the batch with this header by at most three of its cells. Upholds [LAN-60].
    /// @param evidence By kind ([LAN-62]).
    function judge(bytes calldata header, uint8 kind, Cell[] calldata cells, bytes calldata evidence)
        external
        view
        returns (Verdict memory);
}
