// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title What a licence asks of a split hash (REF §4.2)
interface IADEVerifier {
    function isValidSplitHash(bytes32 splitHash) external view returns (bool);
}
