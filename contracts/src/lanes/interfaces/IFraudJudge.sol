// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IDataAvailability} from "./IDataAvailability.sol";
import {ILane} from "./ILane.sol";

/// @title Does a fraud proof convict a batch? (ARCHITECTURE §6; REF C33, C42)
/// @notice Opens the cells at `0x…1003`, has them judged at `0x…1014`, and asks contract state what only it knows. It keeps
/// nothing and changes nothing.
interface IFraudJudge {
    /// @notice What `fraudProof` is, ABI-encoded. At most three cells.
    /// @param commitments The blob's row commitments, 48 bytes each. @param evidence Per kind, spec/lanes.md.
    struct FraudProof {
        bytes header;
        uint8 kind;
        bytes commitments;
        IDataAvailability.Cell[] cells;
        bytes evidence;
    }

    error ProofMalformed();
    error HeaderMismatch(bytes32 batchRoot, bytes32 given);
    error CellCount(uint256 given, uint256 most);
    error CellsNotOfBlob(bytes32 id);
    /// @notice The module convicts, contract state does not.
    error NotConfirmed(ILane.Check check);

    /// @notice Reverts unless the proof convicts the batch.
    /// @return kind As in `ILane.Verdict`. @return period The batch's.
    function convict(bytes32 batchRoot, bytes calldata fraudProof) external view returns (uint8 kind, uint32 period);
    function decodeProof(bytes calldata fraudProof) external pure returns (FraudProof memory);
}
