// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";

/// @title Gas of whole transactions: 21,000, calldata, cold accesses and proxies included
/// @dev `isolate` runs each call as a transaction of its own. Figures of issue 4.
/// forge-config: default.isolate = true
contract RoyaltyGasTest is RoyaltyBase {
    address private constant PAYEE = address(0xA11CE);

    function setUp() public override {
        super.setUp();
        vm.deal(PAYEE, 1 ether);
        token.mint(PAYEE, 1);
    }

    /// @dev A chain of `depth` edges; the leaf has the id `depth`. Every licence has `m` payees, or PAYEE alone.
    function _chain(uint256 depth, uint256 m) private returns (bytes32 leaf) {
        bytes32 split = m == 1 ? singleSplit(PAYEE) : rampSplit(m);
        mintRoot(bytes32(uint256(1)), 1_250, split);
        for (uint256 i = 1; i <= depth; ++i) {
            mintUnder(bytes32(i + 1), 1_250, split, bytes32(i), 48, 99);
        }
        return bytes32(depth + 1);
    }

    function _settleGas(bytes32 batch, address asset, bytes32 leaf, uint256 revenue) private returns (uint256) {
        IRoyaltyLedger.Row memory row = rowOf(batch, asset, leaf, revenue);
        reserveFor(row);
        settleRow(row);
        return vm.lastCallGas().gasTotalUsed;
    }

    function _settleTwice(uint256 depth, uint256 m) private returns (uint256 first, uint256 later) {
        bytes32 leaf = _chain(depth, m);
        fund(CHM, 1e25);
        first = _settleGas(keccak256("a"), CHM, leaf, 1_234_567e18);
        later = _settleGas(keccak256("b"), CHM, leaf, 7_654_321e18);
    }

    function test_settlement_at_depth_2_takes_at_most_260k_gas_the_first_time_and_150k_later() public {
        (uint256 first, uint256 later) = _settleTwice(2, 7);
        vm.snapshotValue("RoyaltyLedger", "settle depth 2, first", first);
        vm.snapshotValue("RoyaltyLedger", "settle depth 2, later", later);
        assertLe(first, 260_000);
        assertLe(later, 150_000);
    }

    function test_settlement_at_depth_16_takes_at_most_1M_gas_the_first_time_and_700k_later() public {
        (uint256 first, uint256 later) = _settleTwice(16, 7);
        vm.snapshotValue("RoyaltyLedger", "settle depth 16, first", first);
        vm.snapshotValue("RoyaltyLedger", "settle depth 16, later", later);
        assertLe(first, 1_000_000);
        assertLe(later, 700_000);
    }

    function _withdrawTwice(address asset) private returns (uint256 first, uint256 later) {
        bytes32 leaf = _chain(2, 1);
        fund(asset, 1e25);
        _settleGas(keccak256("a"), asset, leaf, 1_234_567e18);
        IRoyaltyLedger.Payout memory p = payoutOf(asset, leaf, 0);
        vm.prank(PAYEE);
        ledger.withdraw(p);
        first = vm.lastCallGas().gasTotalUsed;
        _settleGas(keccak256("b"), asset, leaf, 7_654_321e18);
        vm.prank(PAYEE);
        ledger.withdraw(p);
        later = vm.lastCallGas().gasTotalUsed;
    }

    function test_a_withdrawal_of_chm_takes_at_most_100k_gas_the_first_time_and_65k_later() public {
        (uint256 first, uint256 later) = _withdrawTwice(CHM);
        vm.snapshotValue("RoyaltyLedger", "withdraw CHM, first", first);
        vm.snapshotValue("RoyaltyLedger", "withdraw CHM, later", later);
        assertLe(first, 100_000);
        assertLe(later, 65_000);
    }

    function test_a_withdrawal_of_a_token_takes_at_most_110k_gas_the_first_time_and_75k_later() public {
        (uint256 first, uint256 later) = _withdrawTwice(address(token));
        vm.snapshotValue("RoyaltyLedger", "withdraw ERC-20, first", first);
        vm.snapshotValue("RoyaltyLedger", "withdraw ERC-20, later", later);
        assertLe(first, 110_000);
        assertLe(later, 75_000);
    }

    /// @dev The dearest row: its licence expired before the period and was changed a thousand times within it, so that all of the
    /// sixteen changes that are looked at have to be. Changes behind those cost halvings only.
    function test_a_row_of_a_licence_changed_a_thousand_times_in_a_period_takes_at_most_200k_gas_more() public {
        uint32 next = PERIOD + 1;
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(1_000, rampSplit(7));
        d.endTs = uint64(START + 2 days);
        bytes32 often = bytes32(uint256(1));
        mintAs(often, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        bytes32 never = bytes32(uint256(2));
        mintRoot(never, 1_000, d.adeSplitHash);
        vm.warp(START + 8 days);
        for (uint256 i; i < 1_000; ++i) {
            skip(1);
            d.royaltyBps = uint96(i % 1_000);
            vm.prank(licensor);
            registry.modify(often, d);
        }
        vm.warp(START + 40 days);
        fund(CHM, 1e25);
        uint256[2] memory used;
        for (uint256 i; i < 2; ++i) {
            IRoyaltyLedger.Row memory row = rowOf(keccak256("a"), CHM, i == 0 ? never : often, 1_234_567e18);
            row.period = next;
            reserveFor(row);
            settleRow(row);
            used[i] = vm.lastCallGas().gasTotalUsed;
        }
        vm.snapshotValue("RoyaltyLedger", "settle after 1,000 changes in the period, first", used[1]);
        assertLe(used[1], used[0] + 200_000);
    }
}
