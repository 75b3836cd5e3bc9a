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

        /// The bytes are no header; the number says why ([LAN-12]).
        error HeaderInvalid(uint8 fault);

        /// Strict decoding; what needs no cell is refused here.
        function decodeHeader(bytes calldata header) external view returns (Header memory);
    }
}
