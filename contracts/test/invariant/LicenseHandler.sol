// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Test, Vm} from "forge-std/Test.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";

/// @title Random actors who mint, change, suspend, revoke, mark, use and assign licences, in any order
/// @dev What refuses is caught: the handler never reverts. What must hold besides is kept as ghosts.
contract LicenseHandler is Test {
    struct Recorded {
        bytes32 id;
        uint64 time;
        uint64 asOf;
        bytes answer;
    }

    ILicenseRegistry internal constant REGISTRY = ILicenseRegistry(SystemAddresses.LICENSE_REGISTRY);
    ISplitRegistry internal constant SPLITS = ISplitRegistry(SystemAddresses.SPLIT_REGISTRY);
    uint256 internal constant IDS = 6;

    address public immutable authority;
    address[3] public actors;
    ILicenseRegistry.LicenseData internal _data;
    ILicenseRegistry.Terms internal _terms;
    bytes32 internal _otherSplit;

    // Ghosts.
    mapping(bytes32 id => uint256) public eventsOf;
    mapping(bytes32 id => uint256) public usedOf;
    mapping(bytes32 id => uint256) public noncesOf;
    mapping(bytes32 id => uint256) public mintsOf;
    mapping(bytes32 id => bool) public wasRevoked;
    mapping(bytes32 id => address) public mintedFor;
    /// @dev Changes that went through though their caller had no right to them.
    uint256 public trespasses;
    Recorded[] public recorded;

    constructor(
        address authority_,
        address[3] memory actors_,
        ILicenseRegistry.LicenseData memory d,
        ILicenseRegistry.Terms memory t,
        bytes32 otherSplit
    ) {
        authority = authority_;
        actors = actors_;
        _data = d;
        _terms = t;
        _otherSplit = otherSplit;
    }

    function idOf(uint256 seed) public pure returns (bytes32) {
        return bytes32(1 + seed % IDS);
    }

    function recordedCount() external view returns (uint256) {
        return recorded.length;
    }

    // ---------------------------------------------------------------- actions

    function mint(uint256 seed, bool draft, bool below) external {
        bytes32 id = idOf(seed);
        (ILicenseRegistry.LicenseData memory d, ILicenseRegistry.Terms memory t) = (dataOf(seed), _terms);
        d.owner = actors[(seed >> 8) % 3];
        d.licensee = actors[(seed >> 16) % 3];
        t.draft = draft;
        t.cap = 1 + (seed >> 24) % 100;
        if (below) (t.parent, t.numer, t.denom) = (idOf(seed >> 32), 1, 4);
        bytes4 selector = bytes4(
            keccak256(
                "mint(bytes32,(address,address,uint96,uint64,uint64,bytes32,bytes32,uint8,bytes32),(bytes32,bytes32,uint256,bytes32,uint64,uint64,bool))"
            )
        );
        if (act(id, authority, abi.encodeWithSelector(selector, id, d, t))) {
            ++mintsOf[id];
            mintedFor[id] = d.owner;
        }
    }

    function modify(uint256 seed, uint16 delay) external {
        bytes32 id = idOf(seed);
        uint64 from = uint64(block.timestamp) + (seed % 2 == 0 ? 0 : delay % 100);
        owned(id, seed, abi.encodeCall(ILicenseRegistry.modifyFrom, (id, dataOf(seed), from)));
    }

    function activate(uint256 seed) external {
        owned(idOf(seed), seed, abi.encodeCall(ILicenseRegistry.activate, (idOf(seed))));
    }

    function assign(uint256 seed) external {
        owned(idOf(seed), seed, abi.encodeCall(ILicenseRegistry.assign, (idOf(seed), actors[(seed >> 40) % 3])));
    }

    function revoke(uint256 seed, uint16 delay) external {
        // Seldom, or nothing would be left alive.
        if (seed % 5 != 0) return;
        bytes32 id = idOf(seed >> 4);
        uint64 from = uint64(block.timestamp) + delay % 50;
        if (owned(id, seed, abi.encodeCall(ILicenseRegistry.revokeFrom, (id, uint32(seed), from)))) {
            wasRevoked[id] = true;
        }
    }

    function suspend(uint256 seed, bool lift) external {
        bytes32 id = idOf(seed);
        bytes memory call_ = lift
            ? abi.encodeCall(ILicenseRegistry.lift, (id, uint32(seed)))
            : abi.encodeCall(ILicenseRegistry.suspend, (id, uint32(seed)));
        address caller = seed % 4 == 0 ? actors[(seed >> 8) % 3] : authority;
        if (act(id, caller, call_) && caller != authority) ++trespasses;
    }

    function mark(uint256 seed) external {
        bytes32 id = idOf(seed);
        ISplitRegistry.Mark given = ISplitRegistry.Mark(seed % 16 == 0 ? 2 : (seed >> 8) % 2);
        vm.prank(authority);
        try SPLITS.markSubtree(id, given, uint32(seed)) {} catch {}
    }

    function recordUsage(uint256 seed, uint256 delta, uint64 nonce) external {
        bytes32 id = idOf(seed);
        delta = delta % 60;
        if (seed % 3 != 0) nonce = uint64(noncesOf[id]);
        address caller = (seed >> 8) % 4 == 0 ? actors[(seed >> 16) % 3] : authority;
        if (act(id, caller, abi.encodeCall(ILicenseRegistry.recordUsage, (id, delta, nonce)))) {
            if (caller != authority && caller != mintedFor[id]) ++trespasses;
            usedOf[id] += delta;
            ++noncesOf[id];
        }
    }

    function burn(uint256 seed) external {
        act(idOf(seed), actors[seed % 3], abi.encodeCall(ILicenseRegistry.burnRevoked, (idOf(seed))));
    }

    function wait(uint16 seconds_) external {
        vm.roll(block.number + 1);
        skip(1 + seconds_ % 60);
    }

    /// @dev Remembers an answer about a block that is over.
    function remember(uint256 seed, uint32 time) external {
        if (recorded.length == 24) return;
        bytes32 id = idOf(seed);
        uint64 asOf = uint64(block.timestamp) - 1 - uint64((seed >> 8) % 100);
        uint64 at = _data.startTs + time % 2_000;
        recorded.push(Recorded(id, at, asOf, abi.encode(REGISTRY.stateAt(id, at, asOf))));
    }

    // ---------------------------------------------------------------- within

    function dataOf(uint256 seed) internal view returns (ILicenseRegistry.LicenseData memory d) {
        d = _data;
        d.royaltyBps = uint96((seed >> 48) % 10_001);
        d.startTs += uint64((seed >> 64) % 200);
        d.endTs = d.startTs + 500 + uint64((seed >> 80) % 1_000);
        d.flags = uint8((seed >> 96) % 16) & 0xd;
        if ((seed >> 104) % 2 == 0) d.adeSplitHash = _otherSplit;
    }

    /// @dev By whoever the seed says; it goes through for the licensor (or enforcement, where that may) alone.
    function owned(bytes32 id, uint256 seed, bytes memory call_) internal returns (bool done) {
        address caller = (seed >> 112) % 4 == 0 ? actors[(seed >> 120) % 3] : mintedFor[id];
        done = act(id, caller, call_);
        if (done && caller != mintedFor[id]) ++trespasses;
    }

    /// @dev Counts the events that stand for checkpoints.
    function act(bytes32 id, address caller, bytes memory call_) internal returns (bool done) {
        vm.recordLogs();
        vm.prank(caller);
        (done,) = address(REGISTRY).call(call_);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (
                topic == ILicenseRegistry.LicenseMinted.selector || topic == ILicenseRegistry.LicenseModified.selector
                    || topic == ILicenseRegistry.LicenseStateChanged.selector
            ) ++eventsOf[id];
        }
    }
}
