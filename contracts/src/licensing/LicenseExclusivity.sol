// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {SystemAddresses} from "../core/SystemAddresses.sol";
import {LicenseStorage} from "./LicenseStorage.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "./interfaces/IRightsRegistry.sol";
import {Ask} from "./libraries/Ask.sol";
import {PackedCheckpoint} from "./libraries/Checkpoints.sol";

/// @title Exclusive licences and their neighbours: licences of one owner and asset
/// @notice Two of them, one of which is exclusive, never overlap from now on in window and in every dimension of rights.
/// @dev Two linked lists per (owner, asset): what is or was exclusive, and what shares. A licence that does not ask for
/// exclusivity looks at the first only. Those that can never be in force again are let go when they are met.
/// Upholds [LIC-30], [LIC-31], [LIC-32], [LIC-33], [LIC-34], [LIC-35].
abstract contract LicenseExclusivity is LicenseStorage {
    // ---------------------------------------------------------------- structs

    /// @dev A time in which terms hold: [from, to).
    struct Span {
        uint256 from;
        uint256 to;
        bool exclusive;
    }

    // ---------------------------------------------------------------- constants

    IRightsRegistry internal constant RIGHTS = IRightsRegistry(SystemAddresses.RIGHTS_REGISTRY);
    uint256 internal constant FLAG_EXCLUSIVE = 0x2;
    /// @notice Live licences of one asset beside which an exclusive one may still be.
    uint256 internal constant MOST_NEIGHBOURS = 128;
    uint8 private constant SHARED = 1;
    uint8 private constant EXCLUSIVE = 2;

    // ---------------------------------------------------------------- storage

    /// @dev Of a list: what follows a licence, and at 0 the first of all.
    mapping(bytes32 list => mapping(bytes32 id => bytes32)) private _next;

    // ---------------------------------------------------------------- functions

    /// @inheritdoc ILicenseRegistry
    function pruneAsset(address owner, bytes32 assetId, uint256 most) external {
        Span memory none;
        _walk(0, _listOf(owner, assetId, EXCLUSIVE), EXCLUSIVE, 0, none, most);
        _walk(0, _listOf(owner, assetId, SHARED), SHARED, 0, none, most);
    }

    /// @dev Reverts when terms in force from `effectiveFrom` on collide with a neighbour's; lists the licence otherwise.
    function _claim(Record storage r, bytes32 id, PackedCheckpoint c, uint256 effectiveFrom) internal {
        bytes32 rightsHash = r.rightsHash;
        bool exclusive = c.flags() & FLAG_EXCLUSIVE != 0;
        if (r.assetId == 0) return;
        if (rightsHash == 0) {
            if (exclusive) revert ExclusiveNeedsRights(id);
            return;
        }
        Span memory span = Span(_max(_max(c.startTs(), effectiveFrom), block.timestamp), c.endTs(), exclusive);
        if (span.from >= span.to) return;

        bytes32 list = _listOf(r.owner, r.assetId, EXCLUSIVE);
        uint256 neighbours = _walk(id, list, EXCLUSIVE, rightsHash, span, type(uint256).max);
        if (exclusive) {
            bytes32 shared = _listOf(r.owner, r.assetId, SHARED);
            neighbours += _walk(id, shared, SHARED, rightsHash, span, type(uint256).max);
            if (neighbours >= MOST_NEIGHBOURS) revert AssetOpen(r.owner, r.assetId);
            _link(r, id, list, EXCLUSIVE);
        } else {
            _link(r, id, _listOf(r.owner, r.assetId, SHARED), SHARED);
        }
    }

    /// @dev Visits a list, drops the dead, counts the living but `id` itself, and reverts at the first that collides.
    function _walk(bytes32 id, bytes32 list, uint8 kind, bytes32 rightsHash, Span memory span, uint256 most)
        private
        returns (uint256 living)
    {
        bytes32 before;
        bytes32 visited = _next[list][0];
        for (; visited != 0 && most != 0; --most) {
            bytes32 after_ = _next[list][visited];
            Record storage r = _records[visited];
            (bool alive, bool meets) = _lookAt(r, span);
            if (!alive) {
                _next[list][before] = after_;
                delete _next[list][visited];
                r.links &= ~kind;
            } else {
                if (visited != id) {
                    if (
                        meets
                            && (rightsHash == r.rightsHash
                                || _askRights(IRightsRegistry.overlaps.selector, rightsHash, r.rightsHash) != 0)
                    ) {
                        revert ExclusivityConflict(id, visited);
                    }
                    // More cannot be looked at within a block's gas.
                    if (++living >= MOST_NEIGHBOURS && span.exclusive) revert AssetOpen(r.owner, r.assetId);
                }
                before = visited;
            }
            visited = after_;
        }
    }

    /// @dev From the last checkpoint back: each holds until one recorded after it takes effect.
    /// @return alive Whether the licence may be in force now or later. @return meets Whether, then, within `span`, and one
    /// of both exclusive.
    function _lookAt(Record storage r, Span memory span) private view returns (bool alive, bool meets) {
        uint256 until = type(uint256).max;
        for (uint256 i = r.count; i != 0; --i) {
            PackedCheckpoint c = r.checkpoints[i - 1];
            uint256 effective = c.effectiveFrom();
            uint256 from = _max(_max(effective, c.startTs()), block.timestamp);
            uint256 to = c.endTs() < until ? c.endTs() : until;
            if (c.state() != State.Revoked && from < to) {
                alive = true;
                bool exclusive = span.exclusive || c.flags() & FLAG_EXCLUSIVE != 0;
                if (exclusive && from < span.to && span.from < to) meets = true;
            }
            if (effective <= block.timestamp) break;
            if (effective < until) until = effective;
        }
    }

    function _link(Record storage r, bytes32 id, bytes32 list, uint8 kind) private {
        if (r.links & kind != 0) return;
        bytes32 first = _next[list][0];
        if (first != 0) _next[list][id] = first;
        _next[list][0] = id;
        r.links |= kind;
    }

    function _listOf(address owner, bytes32 assetId, uint8 kind) private pure returns (bytes32) {
        return keccak256(abi.encode(owner, assetId, kind));
    }

    function _askRights(bytes4 selector, bytes32 a, bytes32 b) internal view returns (bytes32) {
        return Ask.word(address(RIGHTS), selector, a, b);
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? b : a;
    }
}
