// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "../interfaces/ILicenseRegistry.sol";

/// @notice One checkpoint in one word, from the lowest bit: recordedAt 40, effectiveFrom 40, startTs 40, endTs 40,
/// royaltyBps 14, state 2, flags 4, split version 14, policy version 14, meta version 14, 1 unused, followed 1, reason 32.
/// *Followed* counts in a licence's first checkpoint only: a later one is recorded. Until then the first is all that a reader
/// needs, and the count of checkpoints is not looked at.
type PackedCheckpoint is uint256;

using Checkpoints for PackedCheckpoint global;

/// @title Packed checkpoints of a licence
library Checkpoints {
    /// @notice Latest time that fits.
    uint256 internal constant LATEST = type(uint40).max;
    /// @notice Last version of a licence's split, policy or metadata.
    uint256 internal constant LAST_VERSION = (1 << 14) - 1;

    uint256 private constant FOLLOWED = 1 << 223;

    function pack(uint256 start, uint256 end, uint256 bps, uint256 flags_, ILicenseRegistry.State state_)
        internal
        pure
        returns (PackedCheckpoint)
    {
        return PackedCheckpoint.wrap(start << 80 | end << 120 | bps << 160 | uint256(state_) << 174 | flags_ << 176);
    }

    function recordedAt(PackedCheckpoint c) internal pure returns (uint256) {
        return uint40(PackedCheckpoint.unwrap(c));
    }

    function effectiveFrom(PackedCheckpoint c) internal pure returns (uint256) {
        return uint40(PackedCheckpoint.unwrap(c) >> 40);
    }

    function startTs(PackedCheckpoint c) internal pure returns (uint256) {
        return uint40(PackedCheckpoint.unwrap(c) >> 80);
    }

    function endTs(PackedCheckpoint c) internal pure returns (uint256) {
        return uint40(PackedCheckpoint.unwrap(c) >> 120);
    }

    function royaltyBps(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 160 & 0x3fff;
    }

    function state(PackedCheckpoint c) internal pure returns (ILicenseRegistry.State) {
        return ILicenseRegistry.State(stateBits(c));
    }

    function stateBits(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 174 & 3;
    }

    function flags(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 176 & 0xf;
    }

    function splitVersion(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 180 & LAST_VERSION;
    }

    function policyVersion(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 194 & LAST_VERSION;
    }

    function metaVersion(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 208 & LAST_VERSION;
    }

    function reason(PackedCheckpoint c) internal pure returns (uint256) {
        return PackedCheckpoint.unwrap(c) >> 224;
    }

    /// @dev Nothing is recorded where there is no licence.
    function isNone(PackedCheckpoint c) internal pure returns (bool) {
        return PackedCheckpoint.unwrap(c) == 0;
    }

    function isFollowed(PackedCheckpoint c) internal pure returns (bool) {
        return PackedCheckpoint.unwrap(c) & FOLLOWED != 0;
    }

    function followed(PackedCheckpoint c) internal pure returns (PackedCheckpoint) {
        return PackedCheckpoint.wrap(PackedCheckpoint.unwrap(c) | FOLLOWED);
    }

    function withTimes(PackedCheckpoint c, uint256 recorded, uint256 effective)
        internal
        pure
        returns (PackedCheckpoint)
    {
        return PackedCheckpoint.wrap(PackedCheckpoint.unwrap(c) >> 80 << 80 | effective << 40 | recorded);
    }

    function withState(PackedCheckpoint c, ILicenseRegistry.State state_, uint256 reason_)
        internal
        pure
        returns (PackedCheckpoint)
    {
        uint256 rest = PackedCheckpoint.unwrap(c) & ~(uint256(type(uint32).max) << 224 | 3 << 174);
        return PackedCheckpoint.wrap(rest | reason_ << 224 | uint256(state_) << 174);
    }

    function withVersions(PackedCheckpoint c, uint256 split, uint256 policy, uint256 meta)
        internal
        pure
        returns (PackedCheckpoint)
    {
        uint256 rest = PackedCheckpoint.unwrap(c) & ~uint256(((1 << 42) - 1) << 180);
        return PackedCheckpoint.wrap(rest | split << 180 | policy << 194 | meta << 208);
    }
}
