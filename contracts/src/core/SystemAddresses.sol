// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Where the system contracts are on every CHLOM network (ARCHITECTURE §3)
/// @dev Each address from `0x…2001` on is an ERC-1967 proxy, but the timelock; its implementation is at `0x…21xx` with the
/// same last byte.
library SystemAddresses {
    address internal constant LICENSE_REGISTRY = 0x0000000000000000000000000000000000002001;
    address internal constant SPLIT_REGISTRY = 0x0000000000000000000000000000000000002002;
    address internal constant ROYALTY_LEDGER = 0x0000000000000000000000000000000000002003;
    address internal constant POLICY_REGISTRY = 0x0000000000000000000000000000000000002004;
    address internal constant FEE_ROUTER = 0x0000000000000000000000000000000000002005;
    address internal constant TREASURY = 0x0000000000000000000000000000000000002006;
    address internal constant CLAIMS_POOL = 0x0000000000000000000000000000000000002007;
    address internal constant PAUSE_FLAGS = 0x0000000000000000000000000000000000002008;
    address internal constant PARAMETER_REGISTRY = 0x0000000000000000000000000000000000002009;
    address internal constant TIMELOCK = 0x000000000000000000000000000000000000200A;
    address internal constant RIGHTS_REGISTRY = 0x000000000000000000000000000000000000200b;
    address internal constant LANE_REGISTRY = 0x000000000000000000000000000000000000200c;
    address internal constant PAYOUT_PROOFS = 0x000000000000000000000000000000000000200d;
    address internal constant FRAUD_JUDGE = 0x000000000000000000000000000000000000200E;

    /// @dev Modules of the host that contracts call.
    address internal constant DATA_AVAILABILITY = 0x0000000000000000000000000000000000001003;
    address internal constant LANE = 0x0000000000000000000000000000000000001014;
}
