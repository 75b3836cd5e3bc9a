// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {RoyaltyMath} from "src/licensing/libraries/RoyaltyMath.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";
import {RoyaltyHandler} from "test/invariant/RoyaltyHandler.sol";
import {FeeToken, LyingToken, ReentrantToken} from "test/mocks/HostileTokens.sol";
import {Burner, Reentrant, Refuser} from "test/mocks/HostileReceivers.sol";

/// @title After any sequence of acts every unit is accounted for
contract RoyaltyInvariantTest is RoyaltyBase {
    RoyaltyHandler private _handler;

    function setUp() public override {
        super.setUp();
        vm.warp(START);
        // Payees 0x70000 … 0x70005: three that refuse, burn or re-enter, three at rest.
        vm.etch(address(0x70000), address(new Refuser()).code);
        vm.etch(address(0x70002), address(new Burner()).code);
        vm.etch(address(0x70004), address(new Reentrant()).code);
        bytes32[] memory splits_ = new bytes32[](3);
        for (uint256 i; i < 3; ++i) {
            splits_[i] = _split(i);
        }
        bytes32[] memory licences = new bytes32[](7);
        for (uint256 i; i < 7; ++i) {
            licences[i] = bytes32(i + 1);
            if (i < 2) mintRoot(licences[i], 2_500 * (i + 1), splits_[i]);
            else mintUnder(licences[i], 1_111 * i, splits_[i % 3], licences[(i - 2) / 2 * 2], uint64(i), 7);
        }
        address[] memory tokens = new address[](5);
        tokens[1] = address(token);
        tokens[2] = address(new FeeToken());
        tokens[3] = address(new LyingToken());
        tokens[4] = address(new ReentrantToken(address(ledger)));
        for (uint256 i = 2; i < 5; ++i) {
            vm.prank(address(timelock));
            ledger.enableToken(tokens[i], 18);
        }
        skip(30 days);
        _handler = new RoyaltyHandler([authority, settler, licensor], licences, splits_, tokens, POLICY);
        targetContract(address(_handler));
    }

    function _split(uint256 i) private returns (bytes32) {
        address[] memory payees = new address[](i + 3);
        uint96[] memory weights = new uint96[](i + 3);
        for (uint256 j; j < i + 3; ++j) {
            (payees[j], weights[j]) = (address(uint160(0x70000 + j)), uint96(7 * j + 1 + i));
        }
        return splitOf(payees, weights);
    }

    // ---------------------------------------------------------------- invariants

    /// @dev [ROY-50]: deposited = free + reserved + owed (held or not) + residual + fees + claims + withdrawn.
    function invariant_every_unit_is_accounted_for() public view {
        for (uint256 i; i < _handler.tokenCount(); ++i) {
            address asset = _handler.tokens(i);
            uint256 left = _handler.deposited(asset) - _handler.withdrawn(asset) - _handler.swept(asset);
            assertEq(ledger.accounted(asset), left, "what came in less what went out");
            uint256 parts = _pots(asset) + ledger.feesOwed(asset) + _handler.captured(asset) + _owed(asset);
            assertEq(parts, left, "the parts are the whole");
            if (i < 2) assertEq(balanceOf(asset, address(ledger)), left, "and it is here");
        }
    }

    function _pots(address asset) private view returns (uint256 sum) {
        for (uint256 i; i < 3; ++i) {
            (uint256 free, uint256 reserved) = ledger.potOf(asset, _handler.LANE(), _handler.payers(i));
            sum += free + reserved;
        }
    }

    /// @dev What payees have not taken, and residuals not swept.
    function _owed(address asset) private view returns (uint256 sum) {
        for (uint256 i; i < _handler.routeCount(); ++i) {
            RoyaltyHandler.Route memory r = _handler.routeAt(i);
            if (r.token != asset) continue;
            IRoyaltyLedger.Account memory a = ledger.accountOf(asset, r.key);
            sum += a.inflow - a.passedUp - r.residual;
            for (uint256 j; j < _handler.payeesOf(r.key); ++j) {
                sum -= ledger.takenOf(asset, r.key, j);
            }
        }
    }

    /// @dev [ROY-51]; theorems T2 and T12: accounts hold cumulative floors, and payees never more than theirs.
    function invariant_accounts_are_floors_and_nobody_takes_more_than_its_own() public view {
        for (uint256 i; i < _handler.routeCount(); ++i) {
            RoyaltyHandler.Route memory r = _handler.routeAt(i);
            IRoyaltyLedger.Account memory a = ledger.accountOf(r.token, r.key);
            uint256 kept = a.inflow - a.passedUp;
            uint256 up = a.inflow * uint256(splits.edgeOf(r.key.licence).numer);
            if (a.passedUp != 0) assertEq(a.passedUp, up / splits.edgeOf(r.key.licence).denom);
            bytes32 split = registry.splitHashOf(r.key.licence, r.key.splitVersion);
            for (uint256 j; j < _handler.payeesOf(r.key); ++j) {
                (, uint96 weight, uint96 denom) = splits.entryAt(split, j);
                assertLe(ledger.takenOf(r.token, r.key, j), RoyaltyMath.share(kept, weight, denom));
            }
        }
    }

    /// @dev What re-enters gets nothing by it, and what cannot be moved is still owed.
    function invariant_hostile_receivers_gain_nothing() public view {
        assertEq(Reentrant(payable(address(0x70004))).stolen(), 0);
        assertEq(address(0x70000).balance, 0);
        assertEq(address(0x70002).balance, 0);
    }

    /// @dev A payee that refuses money while a hold would take a part of it: nothing moves, alone or in a batch.
    function test_a_withdrawal_that_is_refused_captures_nothing() public {
        _handler.deposit(0, 1e24);
        // Of a period that is over.
        _handler.reserve(21 days << 32, 1e20);
        _handler.settle(0);
        _handler.placeHold(0, 1e18);
        RoyaltyHandler.Route memory r = _handler.routeAt(0);
        (address payee,,) = splits.entryAt(registry.splitHashOf(r.key.licence, r.key.splitVersion), 0);
        assertEq(payee, address(0x70000), "the one that refuses");
        (, uint256 held) = ledger.withdrawable(IRoyaltyLedger.Payout(r.key, address(0), 0));
        assertGt(held, 0);
        _handler.withdraw(0, false);
        _handler.withdraw(0, true);
        assertEq(ledger.takenOf(address(0), r.key, 0), 0);
        assertEq(_handler.captured(address(0)), 0);
        invariant_every_unit_is_accounted_for();
    }

    /// @dev The handler does reach what it is for: see the counts with -vv.
    function test_the_handler_reaches_every_act() public {
        for (uint256 i; i < 60; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            _handler.deposit(i % 3 + (i % 2 << 4), 1e24);
            _handler.reserve(seed & ~uint256(0xf0) | (i % 2 << 4), uint128(1e20));
            _handler.settle(seed);
            if (i > 20) _handler.placeHold(seed, 1e18);
            _handler.withdraw(seed, false);
            if (i > 30) _handler.releaseHold(seed);
            _handler.withdrawReleased(seed);
            if (i > 35) _handler.wait(5 days);
            if (i % 7 == 6) _handler.licensorActs(i % 7 | 9 << 8 | seed << 24);
            _handler.closeRoute(seed);
            invariant_every_unit_is_accounted_for();
        }
        for (uint256 i; i < 40; ++i) {
            _handler.wait(11 days);
            _handler.closeRoute(uint256(keccak256(abi.encode(i))));
        }
        invariant_every_unit_is_accounted_for();
        string[6] memory acts = ["deposit", "settle", "withdraw", "hold", "modify", "close"];
        for (uint256 i; i < acts.length; ++i) {
            assertGt(_handler.done(acts[i]), 0, acts[i]);
        }
    }
}
