// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title Gas of whole transactions: 21,000, calldata, cold accesses and proxies included; figures of issue 6
/// @dev The modules are doubles here, dearer at decoding and cheaper at opening cells than the real ones; what those cost is
/// measured in Rust.
/// forge-config: default.isolate = true
contract PayoutGasTest is LaneBase {
    function _more(uint256 count) private {
        delete payers;
        for (uint256 i; i < count; ++i) {
            payers.push(vm.createWallet(uint256(keccak256(abi.encode("payer", i)))));
        }
        for (uint256 i = 1; i < count; ++i) {
            for (uint256 j = i; j > 0 && payers[j].addr < payers[j - 1].addr; --j) {
                Vm.Wallet memory w = payers[j];
                payers[j] = payers[j - 1];
                payers[j - 1] = w;
            }
        }
        fundPayers(1_000 ether);
    }

    function _submitGas(uint256 count, bool standing) private returns (uint256) {
        _more(count);
        Plan memory p = plan(10_000);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        for (uint256 i; standing && i < count; ++i) {
            vm.prank(payers[i].addr);
            lanes.setAllowance(LANE, WEEK, submitter, 100 ether, false, new bytes32[](0));
            consents[i] = IPayoutProofs.PayerAuthorisation(true, "");
        }
        submitPlan(p, consents);
        return vm.lastCallGas().gasTotalUsed;
    }

    function test_submit_takes_at_most_300k_and_45k_a_payer() public {
        uint256 one = _submitGas(1, false);
        vm.snapshotValue("PayoutProofs", "submit, first, 1 payer", one);
        assertLe(one, 345_000);
    }

    function test_submit_with_128_payers() public {
        uint256 most = _submitGas(128, false);
        vm.snapshotValue("PayoutProofs", "submit, first, 128 payers", most);
        assertLe(most, 300_000 + 128 * 45_000);
    }

    function test_submit_with_128_allowances() public {
        uint256 most = _submitGas(128, true);
        vm.snapshotValue("PayoutProofs", "submit, first, 128 payers by allowance", most);
        assertLe(most, 300_000 + 128 * 45_000);
    }

    function test_finalize_takes_at_most_150k_whatever_the_size() public {
        _more(128);
        Plan memory p = plan(10_000);
        submitPlan(p);
        passWindow();
        payouts.finalize(p.root);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("PayoutProofs", "finalize", gas);
        assertLe(gas, 150_000);
    }

    /// @dev Beside the ledger's own, called by a settler that is an account: same row, same state.
    function test_settling_a_row_takes_at_most_60k_more_than_the_ledger() public {
        _more(128);
        Plan memory p = plan(10_000);
        submitPlan(p);
        passWindow();
        payouts.finalize(p.root);
        settlePlan(p, 0);
        uint256 snapshot = vm.snapshotState();
        vm.prank(address(payouts));
        ledger.settle(_rowOf(p, 2));
        uint256 alone = vm.lastCallGas().gasTotalUsed;
        vm.revertToState(snapshot);
        settlePlan(p, 2);
        uint256 through = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("PayoutProofs", "settle beyond the ledger", through - alone);
        assertLe(through - alone, 60_000);
    }

    function _rowOf(Plan memory p, uint256 i) private pure returns (IRoyaltyLedger.Row memory) {
        IPayoutProofs.TableRow memory r = p.rows[i];
        return IRoyaltyLedger.Row(p.root, LANE, p.h.period, CHM, r.payer, r.licence, uint128(uint256(r.revenue) * UNIT));
    }

    /// @dev Without what the modules take: that leaves them the rest of a million.
    function test_a_challenge_takes_little_beside_the_modules() public {
        _more(128);
        Plan memory p = plan(10_000);
        submitPlan(p);
        bytes memory proof = fraudProof(p);
        vm.prank(watcher);
        payouts.commitChallenge(commitmentOf(p.root, proof, watcher, "salt"));
        vm.snapshotValue("PayoutProofs", "commitChallenge", vm.lastCallGas().gasTotalUsed);
        nextBlock();
        vm.prank(watcher);
        payouts.challenge(p.root, proof, "salt");
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("PayoutProofs", "challenge with 128 payers and a cell, module doubles", gas);
        assertLe(gas, 600_000);
        payouts.release(p.root, p.claim, p.header);
        vm.snapshotValue("PayoutProofs", "release 128 payers of a void batch", vm.lastCallGas().gasTotalUsed);
        passReveal();
        payouts.payAward(p.root, p.header);
        vm.snapshotValue("PayoutProofs", "payAward with 128 payers", vm.lastCallGas().gasTotalUsed);
    }
}
