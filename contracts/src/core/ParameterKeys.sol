// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Keys of the parameters that ParameterRegistry defines: their names as ASCII
library ParameterKeys {
    /// @notice Fee rate in basis points before clamping to 50–100 (REF C5).
    bytes32 internal constant FEE_DYNAMIC_BPS = "fee.dynamic_bps";
    /// @notice Fee cap in whole settlement units for each (token, licence, lane, period) (REF C5).
    bytes32 internal constant FEE_CAP_UNITS = "fee.cap_units";
}
