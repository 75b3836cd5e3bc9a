//! What Solidity sees (`contracts/src/lanes/interfaces/ILane.sol`).

use alloy_sol_types::sol;

sol! {
    /// `0x0000000000000000000000000000000000001014`.
    #[derive(Debug, PartialEq, Eq)]
    interface ILane {
        /// The most that a payer can owe by a batch.
        struct PayerTotal {
            /// Who.
            address payer;
            /// Index of its first row.
            uint32 firstRow;
            /// In minor units.
            uint128 owed;
        }

        /// A batch's header.
        struct Header {
            /// Version of the format.
            uint16 format;
            /// Version of the lane's parameters.
            uint32 parameters;
            /// First 20 bytes of keccak256 of the lane's name.
            bytes20 lane;
            /// yyyy·10⁴ + mm·10² + w.
            uint32 period;
            /// Place in the lane's sequence.
            uint32 number;
            /// Hash of the lane's last accepted header.
            bytes32 predecessor;
            /// Seconds as of which licences, terms and keys count.
            uint64 asOf;
            /// Records of the batch.
            uint32 records;
            /// Rows of the batch.
            uint32 rows;
            /// Pages of records.
            uint32 recordPages;
            /// Pages of rows.
            uint32 tablePages;
            /// Pages of nodes.
            uint32 nodePages;
            /// Root over the record pages.
            bytes32 receiptsRoot;
            /// Root over the rows.
            bytes32 licensesRoot;
            /// 109 bytes.
            bytes blobHeader;
            /// By address.
            PayerTotal[] payers;
        }

        /// A cell of the header's blob, which the caller has had verified by `0x…1003`.
        struct Cell {
            /// Row.
            uint16 row;
            /// Column.
            uint16 column;
            /// 2,048 bytes.
            bytes data;
        }

        /// What contract state still has to confirm before a verdict convicts.
        enum Check {
            /// Nothing.
            None,
            /// That the licence did not allow it.
            Licence,
            /// That the licence's rate was another.
            Terms,
            /// That the source's key was this one.
            Source,
            /// That the earlier batch was accepted and is not void.
            Earlier
        }

        /// A fraud that is proven, but for what contract state has to confirm. What a check does not need is zero.
        struct Verdict {
            /// 1 to 9.
            uint8 kind;
            /// What is left to confirm.
            Check check;
            /// Licence, Terms: the licence.
            bytes32 licence;
            /// Licence: the record's time; Terms: the period's start.
            uint64 time;
            /// Terms: what the row says.
            uint16 royaltyBps;
            /// Source: its id.
            bytes32 source;
            /// Source: whose it is.
            address payer;
            /// Source: keccak256 of the key.
            bytes32 key;
            /// Earlier: hash of the earlier batch's header.
            bytes32 earlier;
        }

        /// The bytes are no header; the number says why ([LAN-12]).
        error HeaderInvalid(uint8 fault);
        /// The evidence proves no fraud; the number says why ([LAN-61]).
        error NoFraud(uint8 reason);

        /// Strict decoding; what needs no cell is refused here.
        function decodeHeader(bytes calldata header) external view returns (Header memory);
        /// Judges a fraud of the batch with this header by at most three of its cells.
        function judge(bytes calldata header, uint8 kind, Cell[] calldata cells, bytes calldata evidence) external view returns (Verdict memory);
    }
}
