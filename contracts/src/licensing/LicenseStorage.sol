// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";
import {PackedCheckpoint} from "./libraries/Checkpoints.sol";

/// @title What the licence registry keeps of a licence, and how its history is read
abstract contract LicenseStorage is ILicenseRegistry {
    // ---------------------------------------------------------------- structs

    /// @dev The first slot holds what every change touches. Versions count from 1. `links` says in which lists of its asset
    /// the licence is: 1 << kind. What is empty at minting is never written.
    struct Record {
        address owner;
        uint32 count;
        uint16 splits;
        uint16 policies;
        uint16 metas;
        uint8 links;
        bytes32 assetId;
        bytes32 rightsHash;
        /// 0: none.
        uint256 cap;
        uint256 used;
        uint64 nonce;
        /// Written when the token is burnt.
        address lastLicensee;
        mapping(uint256 index => PackedCheckpoint) checkpoints;
        mapping(uint256 version => bytes32) splitHashes;
        mapping(uint256 version => bytes32) policyHashes;
        mapping(uint256 version => bytes32) metaHashes;
    }

    // ---------------------------------------------------------------- constants

    /// @notice Checkpoints that may wait for their time at once.
    uint256 internal constant MOST_SCHEDULED = 4;

    // ---------------------------------------------------------------- storage

    mapping(bytes32 id => Record) internal _records;

    // ---------------------------------------------------------------- reading

    function _known(bytes32 id) internal view returns (Record storage r) {
        r = _records[id];
        if (r.owner == address(0)) revert LicenseUnknown(id);
    }

    /// @dev The last checkpoint recorded by `asOf` and effective at `time`, as index + 1; 0: none.
    /// All but the first are effective no earlier than they were recorded, so none recorded after `time` can be meant, and
    /// those scheduled for later that stand at the tail of the rest are at most MOST_SCHEDULED.
    function _find(Record storage r, uint256 time, uint256 asOf) internal view returns (uint256 found) {
        uint256 low = 1;
        uint256 high = r.count;
        if (high == 0 || r.checkpoints[0].recordedAt() > asOf) return 0;
        uint256 by = time < asOf ? time : asOf;
        // Indices are at most `count`, 32 bits, and at least 1 where one is taken off.
        unchecked {
            while (low < high) {
                uint256 middle = (low + high + 1) / 2;
                if (r.checkpoints[middle - 1].recordedAt() <= by) low = middle;
                else high = middle - 1;
            }
            while (low != 0 && r.checkpoints[low - 1].effectiveFrom() > time) --low;
        }
        return low;
    }

    /// @dev What holds at `time` by all that is recorded; before the first is effective, the first; none for a licence that is
    /// not known.
    function _inForce(Record storage r, uint256 time) internal view returns (PackedCheckpoint) {
        // The frequent case: nothing ever changed.
        PackedCheckpoint first = r.checkpoints[0];
        if (!first.isFollowed()) return first;
        uint256 found = _find(r, time, type(uint256).max);
        return found == 0 ? first : r.checkpoints[found - 1];
    }

    /// @dev Of a licence that is known, so that there is one.
    function _last(Record storage r) internal view returns (PackedCheckpoint) {
        unchecked {
            return r.checkpoints[uint256(r.count) - 1];
        }
    }

    /// @dev Whether a revocation is recorded, effective or not: always the last checkpoint, because none but another
    /// revocation may follow one.
    function _isDoomed(Record storage r) internal view returns (bool) {
        return _last(r).state() == State.Revoked;
    }

    /// @dev Whether a revocation is effective.
    function _isRevoked(Record storage r) internal view returns (bool) {
        PackedCheckpoint last = _last(r);
        return last.state() == State.Revoked && last.effectiveFrom() <= block.timestamp;
    }

    // ---------------------------------------------------------------- writing

    /// @dev How many at the tail wait for their time, the first not counted.
    function _scheduled(Record storage r) internal view returns (uint256 waiting) {
        uint256 count = r.count;
        // `waiting` stays below `count`.
        unchecked {
            while (waiting + 1 < count && r.checkpoints[count - 1 - waiting].effectiveFrom() > block.timestamp) {
                ++waiting;
            }
        }
    }

    function _append(Record storage r, PackedCheckpoint c, uint256 effectiveFrom) internal {
        uint32 count = r.count;
        if (count == 1) r.checkpoints[0] = r.checkpoints[0].followed();
        r.checkpoints[count] = c.withTimes(block.timestamp, effectiveFrom);
        r.count = count + 1;
    }
}
