// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {CommonBase} from "forge-std/Base.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {Vm} from "forge-std/Vm.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {RoyaltyLedger} from "src/licensing/RoyaltyLedger.sol";
import {LicenseRegistry} from "src/licensing/LicenseRegistry.sol";
import {SplitRegistry} from "src/licensing/SplitRegistry.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {PeriodLib} from "src/licensing/libraries/PeriodLib.sol";

interface IMintable {
    function mint(address to, uint256 amount) external;
    function approve(address spender, uint256 amount) external returns (bool);
}

/// @title Random actors at the ledger: what comes in and goes out is counted here, independently of it
contract RoyaltyHandler is CommonBase, StdUtils {
    struct Route {
        IRoyaltyLedger.RouteKey key;
        address token;
        bool closed;
        uint256 residual;
    }

    RoyaltyLedger public constant LEDGER = RoyaltyLedger(SystemAddresses.ROYALTY_LEDGER);
    LicenseRegistry public constant REGISTRY = LicenseRegistry(SystemAddresses.LICENSE_REGISTRY);
    SplitRegistry public constant SPLITS = SplitRegistry(SystemAddresses.SPLIT_REGISTRY);
    bytes20 public constant LANE = bytes20("lane");

    address public immutable AUTHORITY;
    address public immutable SETTLER;
    address public immutable LICENSOR;

    bytes32[] public licences;
    bytes32[] public splitHashes;
    address[] public tokens;
    address[] public payers;
    Route[] public routes;
    /// @dev What is to be settled: reserved and not yet done.
    IRoyaltyLedger.Row[] public rows;
    uint256[] public holds;
    bytes32 public policy;

    mapping(address token => uint256) public deposited;
    mapping(address token => uint256) public withdrawn;
    mapping(address token => uint256) public captured;
    mapping(address token => uint256) public swept;
    mapping(string action => uint256) public done;
    uint256 private _batch;

    constructor(
        address[3] memory actors,
        bytes32[] memory licences_,
        bytes32[] memory splits_,
        address[] memory tokens_,
        bytes32 policy_
    ) {
        (AUTHORITY, SETTLER, LICENSOR) = (actors[0], actors[1], actors[2]);
        (licences, splitHashes, tokens, policy) = (licences_, splits_, tokens_, policy_);
        for (uint160 i = 1; i <= 3; ++i) {
            payers.push(address(0x9000 + i));
        }
    }

    // ---------------------------------------------------------------- payers and settlers

    function deposit(uint256 seed, uint96 amount) external {
        (address token, address payer) = (_token(seed), payers[seed % 3]);
        uint256 before = LEDGER.accounted(token);
        if (token == address(0)) {
            vm.deal(address(this), amount);
        } else {
            IMintable(token).mint(address(this), amount);
            IMintable(token).approve(address(LEDGER), amount);
        }
        try LEDGER.deposit{value: token == address(0) ? amount : 0}(token, LANE, payer, amount) {
            deposited[token] += amount;
            ++done["deposit"];
        } catch {
            require(LEDGER.accounted(token) == before, "a refusal moved money");
        }
    }

    function withdrawPot(uint256 seed, uint96 amount) external {
        (address token, address payer) = (_token(seed), payers[seed % 3]);
        (uint256 free,) = LEDGER.potOf(token, LANE, payer);
        if (free == 0) return;
        amount = uint96(bound(amount, 1, free));
        vm.prank(payer);
        try LEDGER.withdrawPot(token, LANE, amount, payer) {
            withdrawn[token] += amount;
            ++done["withdrawPot"];
        } catch {}
    }

    function reserve(uint256 seed, uint128 revenue) external {
        (address token, address payer) = (_token(seed), payers[seed % 3]);
        bytes32 licence = licences[(seed >> 16) % licences.length];
        uint32 period = PeriodLib.containing(block.timestamp - (seed >> 32) % 30 days);
        (uint64 start,) = PeriodLib.bounds(period);
        uint256 bps = REGISTRY.termsAt(licence, start).royaltyBps;
        (uint256 free,) = LEDGER.potOf(token, LANE, payer);
        if (bps != 0) revenue = uint128(bound(revenue, 0, free * 10_000 / bps));
        uint256 most = (uint256(revenue) * bps + 9_999) / 10_000;
        if (most > free) return;
        bytes32 batch = bytes32(++_batch);
        vm.prank(SETTLER);
        try LEDGER.reserve(batch, token, LANE, payer, most) {
            rows.push(IRoyaltyLedger.Row(batch, LANE, period, token, payer, licence, revenue));
        } catch {}
    }

    function settle(uint256 seed) external {
        if (rows.length == 0) return;
        uint256 i = seed % rows.length;
        IRoyaltyLedger.Row memory row = rows[i];
        vm.recordLogs();
        vm.prank(SETTLER);
        try LEDGER.settle(row) {
            _drop(i);
            _noteRoutes(row.token);
            ++done["settle"];
        } catch {}
        vm.prank(SETTLER);
        // A second time never pays.
        try LEDGER.settle(row) {
            require(false, "settled twice");
        } catch {}
    }

    function release(uint256 seed) external {
        if (rows.length == 0) return;
        uint256 i = seed % rows.length;
        IRoyaltyLedger.Row memory row = rows[i];
        _drop(i);
        vm.prank(SETTLER);
        LEDGER.release(row.batch, row.token, row.lane, row.payer);
    }

    // ---------------------------------------------------------------- payees

    function withdraw(uint256 seed, bool batch) external {
        if (routes.length == 0) return;
        Route storage r = routes[seed % routes.length];
        uint256 index = (seed >> 32) % _payees(r.key);
        IRoyaltyLedger.Payout memory p = IRoyaltyLedger.Payout(r.key, r.token, uint32(index));
        uint256 before = LEDGER.takenOf(r.token, r.key, index);
        uint256 paid;
        vm.recordLogs();
        if (batch) {
            IRoyaltyLedger.Payout[] memory ps = new IRoyaltyLedger.Payout[](2);
            (ps[0], ps[1]) = (p, p);
            uint256[] memory amounts = LEDGER.withdrawBatch(ps);
            require(amounts[1] == 0, "paid twice");
            paid = amounts[0];
        } else {
            try LEDGER.withdraw{gas: 2_000_000}(p) returns (uint256 amount) {
                paid = amount;
                ++done["withdraw"];
            } catch {}
        }
        uint256 took = LEDGER.takenOf(r.token, r.key, index) - before;
        // What was reverted is among the recorded logs: where nothing was taken, nothing was captured.
        uint256 held = took == 0 ? 0 : _captures();
        require(paid + held == took, "what is taken is paid or captured");
        withdrawn[r.token] += paid;
        captured[r.token] += held;
    }

    function withdrawReleased(uint256 seed) external {
        if (holds.length == 0) return;
        uint256 id = holds[seed % holds.length];
        address token = LEDGER.holdOf(id).token;
        address payee = address(uint160(0x70000 + (seed >> 16) % 6));
        try LEDGER.withdrawReleased{gas: 2_000_000}(id, payee) returns (uint256 amount) {
            // What was captured before is paid, or captured again.
            captured[token] -= amount;
            withdrawn[token] += amount;
            ++done["released"];
        } catch {}
    }

    // ---------------------------------------------------------------- enforcement, licensors, time

    function placeHold(uint256 seed, uint96 amount) external {
        vm.prank(AUTHORITY);
        try LEDGER.placeHold(
            licences[seed % licences.length],
            _token(seed >> 8),
            seed & 1 << 64 == 0 ? address(0) : address(uint160(0x70000 + (seed >> 16) % 6)),
            seed & 1 << 65 == 0 ? uint128(amount) + 1 : type(uint128).max,
            "case"
        ) returns (
            uint256 id
        ) {
            holds.push(id);
            ++done["hold"];
        } catch {}
    }

    function releaseHold(uint256 seed) external {
        if (holds.length == 0) return;
        vm.prank(AUTHORITY);
        try LEDGER.releaseHold(holds[seed % holds.length]) {} catch {}
    }

    function licensorActs(uint256 seed) external {
        bytes32 id = licences[seed % licences.length];
        uint256 act = (seed >> 8) % 24;
        if (act == 0) {
            vm.prank(LICENSOR);
            try REGISTRY.revoke(id) {} catch {}
        } else if (act == 1) {
            vm.prank(LICENSOR);
            try SPLITS.markSubtree(id, ISplitRegistry.Mark.Revoked, 1) {} catch {}
        } else if (act < 8) {
            vm.prank(LICENSOR);
            try SPLITS.markSubtree(id, ISplitRegistry.Mark((seed >> 16) % 2), 1) {} catch {}
        } else {
            ILicenseRegistry.LicenseData memory d;
            d.royaltyBps = uint96((seed >> 24) % 10_001);
            d.startTs = REGISTRY.termsAt(id, uint64(block.timestamp)).startTs;
            // Now and then one that expires soon and may wake again.
            d.endTs = uint64(block.timestamp + (act == 8 ? 3 days : 3650 days));
            d.adeSplitHash = splitHashes[(seed >> 40) % splitHashes.length];
            d.acePolicyHash = policy;
            vm.prank(LICENSOR);
            try REGISTRY.modify(id, d) {
                ++done["modify"];
            } catch {}
        }
    }

    function enforce(uint256 seed) external {
        bytes32 id = licences[seed % licences.length];
        vm.prank(AUTHORITY);
        if (seed & 1 << 32 == 0) try REGISTRY.suspend(id, 1) {} catch {} else try REGISTRY.lift(id, 1) {} catch {}
    }

    function collectFees(uint256 seed) external {
        address token = _token(seed);
        try LEDGER.collectFees(token) returns (uint256 amount) {
            swept[token] += amount;
        } catch {}
    }

    function closeRoute(uint256 seed) external {
        if (routes.length == 0) return;
        Route storage r = routes[seed % routes.length];
        try LEDGER.closeRoute(r.token, r.key) returns (uint256 residual) {
            require(!r.closed, "closed twice");
            require(residual < _payees(r.key), "T12");
            (r.closed, r.residual) = (true, residual);
            swept[r.token] += residual;
            ++done["close"];
        } catch {}
    }

    function wait(uint32 time) external {
        vm.warp(block.timestamp + 1 + time % 12 days);
        vm.roll(block.number + 1);
    }

    // ---------------------------------------------------------------- reading

    function routeCount() external view returns (uint256) {
        return routes.length;
    }

    function routeAt(uint256 i) external view returns (Route memory) {
        return routes[i];
    }

    function tokenCount() external view returns (uint256) {
        return tokens.length;
    }

    function payeesOf(IRoyaltyLedger.RouteKey memory key) external view returns (uint256) {
        return _payees(key);
    }

    // ---------------------------------------------------------------- within

    function _token(uint256 seed) private view returns (address) {
        return tokens[(seed >> 4) % tokens.length];
    }

    function _payees(IRoyaltyLedger.RouteKey memory key) private view returns (uint256) {
        return SPLITS.payeeCount(REGISTRY.splitHashOf(key.licence, key.splitVersion));
    }

    function _drop(uint256 i) private {
        rows[i] = rows[rows.length - 1];
        rows.pop();
    }

    function _noteRoutes(address token) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRoyaltyLedger.RouteOpened.selector) continue;
            (bytes32 parent, uint32 version, uint16 generation) = abi.decode(logs[i].data, (bytes32, uint32, uint16));
            Route storage r = routes.push();
            r.key = IRoyaltyLedger.RouteKey(logs[i].topics[1], version, parent, generation);
            r.token = token;
        }
    }

    function _captures() private returns (uint256 sum) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == IRoyaltyLedger.HoldCaptured.selector) sum += abi.decode(logs[i].data, (uint256));
        }
    }
}
