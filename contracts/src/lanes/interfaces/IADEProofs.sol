// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Payout proofs as the source names them (REF §5)
interface IADEProofs {
    event PayoutProofSubmitted(bytes32 indexed batchRoot, address indexed submitter, uint256 bond);
    event Challenged(bytes32 indexed batchRoot, address indexed watcher);
    event Finalized(bytes32 indexed batchRoot);

    /// @notice Kept for its selector (REF C19): reverts `HeaderRequired`.
    function submit(bytes32 batchRoot, uint256 bond) external;
    function challenge(bytes32 batchRoot, bytes calldata fraudProof) external;
    function finalize(bytes32 batchRoot) external;
}
