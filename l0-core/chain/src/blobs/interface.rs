//! What Solidity sees.

use alloy_sol_types::sol;

sol! {
    /// `0x0000000000000000000000000000000000001003`.
    #[derive(Debug, PartialEq, Eq)]
    interface IDataAvailability {
        /// Unknown: never published. Announced: published, not attested (yet, or in time). Available: attested by more than
        /// two thirds of power and not past its expiry. Expired: past it.
        enum Status {
            /// Never published.
            Unknown,
            /// Published, and not attested.
            Announced,
            /// Attested, and kept.
            Available,
            /// Past its time.
            Expired
        }

        /// Why a header is refused; the names say it. Numbers, so that no wording is part of consensus.
        enum HeaderFault {
            /// Not 109 bytes.
            Length,
            /// Not version 1.
            Version,
            /// No power of two up to 32.
            Rows,
            /// Not 64.
            Columns,
            /// Not 48 bytes for each row.
            CommitmentsLength,
            /// A commitment is no canonical compressed point.
            CommitmentEncoding,
            /// A commitment is on no point of the curve.
            CommitmentOffCurve,
            /// A commitment is outside of the subgroup.
            CommitmentSubgroup,
            /// The Merkle root is not that of the commitments.
            RootMismatch,
            /// The commitment is not their fold.
            FoldMismatch
        }

        /// Why a cell cannot be judged.
        enum CellFault {
            /// The square has no such row.
            Row,
            /// The square has no such column.
            Column,
            /// Not 2,048 bytes.
            DataLength,
            /// Not 48 bytes.
            ProofLength,
            /// Given twice.
            Duplicate,
            /// An element is not below the field's order.
            NotCanonical,
            /// The proof is no canonical compressed point.
            ProofEncoding,
            /// The proof is on no point of the curve.
            ProofOffCurve,
            /// The proof is outside of the subgroup.
            ProofSubgroup
        }

        /// Why a point evaluation cannot be judged.
        enum PointFault {
            /// The blob has no such data row.
            Row,
            /// Not 48 bytes.
            ProofLength,
            /// `z` or `y` is not below the field's order.
            NotCanonical,
            /// The proof is no canonical compressed point.
            ProofEncoding,
            /// The proof is on no point of the curve.
            ProofOffCurve,
            /// The proof is outside of the subgroup.
            ProofSubgroup
        }

        /// What the chain knows of a blob. Heights and seconds are 0 where there is none.
        struct Blob {
            /// How it stands now.
            Status status;
            /// First 20 bytes of the keccak256 of the lane's name.
            bytes20 laneId;
            /// What the publisher says; for lanes yyyy·10⁴ + mm·10² + w.
            uint32 period;
            /// Rows of data.
            uint16 rows;
            /// Over the rows' commitments.
            bytes32 merkleRoot;
            /// 48 bytes: the fold of the rows' commitments.
            bytes kzgCommitment;
            /// Height of the last publication.
            uint64 announcedAt;
            /// Height at which it last became available.
            uint64 availableAt;
            /// Seconds until which it is kept, as attested.
            uint64 expiresAt;
            /// Seconds until which it will be kept once the last publication is attested.
            uint64 pendingExpiry;
        }

        /// One cell of the extended square.
        struct Cell {
            /// Row, data rows first, then parity rows.
            uint16 row;
            /// Column, 0 to 127.
            uint16 column;
            /// 2,048 bytes.
            bytes data;
            /// 48 bytes.
            bytes proof;
        }

        /// A header was published; its body travels on the network. `commitments` are the rows', 48 bytes each.
        event BlobPublished(bytes32 indexed id, bytes20 indexed laneId, uint32 indexed period, bytes header, bytes commitments, uint64 expiresAt, uint256 fee);

        /// The bytes are no header, or one that disagrees with the commitments.
        error HeaderInvalid(HeaderFault fault);
        /// More rows than the chain allows.
        error TooManyRows(uint256 rows, uint256 most);
        /// The value is below the fee.
        error FeeTooLow(uint256 sent, uint256 fee);
        /// This height's rows are used up.
        error BlobSpaceFull(uint256 used, uint256 rows, uint256 most);
        /// Never published.
        error BlobUnknown(bytes32 id);
        /// The rows' commitments are not those of the blob.
        error CommitmentsMismatch(bytes32 id);
        /// What is wrong with a cell.
        error CellMalformed(uint16 row, uint16 column, CellFault fault);
        /// A list is empty or longer than allowed.
        error CellCount(uint256 given, uint256 most);
        /// The arguments of a point evaluation are malformed.
        error PointMalformed(PointFault fault);

        /// Publishes a header of 109 bytes with its rows' commitments, for the fee of now; what was sent beyond it comes back.
        /// Publishing again extends the expiry.
        function publish(bytes calldata header, bytes calldata commitments) external payable returns (bytes32 id);
        /// Wei that publishing so many rows costs in this block.
        function fee(uint256 rows) external view returns (uint256);
        /// keccak256("CHLOM_BLOB_V1" ‖ laneId ‖ period ‖ merkleRoot).
        function idOf(bytes20 laneId, uint32 period, bytes32 merkleRoot) external pure returns (bytes32);
        /// What is known; `Unknown` with zeros otherwise.
        function blob(bytes32 id) external view returns (Blob memory);
        /// Whether it is available and kept at least until the given second.
        function isAvailableUntil(bytes32 id, uint64 time) external view returns (bool);
        /// Whether all cells (at most 128) open the blob. False for a wrong proof; reverts for what cannot be judged.
        function verifyCells(bytes32 id, bytes calldata commitments, Cell[] calldata cells) external view returns (bool);
        /// Whether a data row's polynomial has value `y` at `z` (EIP-4844 point evaluation).
        function verifyPoint(bytes32 id, bytes calldata commitments, uint16 row, bytes32 z, bytes32 y, bytes calldata proof) external view returns (bool);
    }
}
