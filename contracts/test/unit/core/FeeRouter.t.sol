// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {Governed} from "src/core/Governed.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {IFeeRouter} from "src/core/interfaces/IFeeRouter.sol";
import {RoyaltyBase, TestToken} from "test/RoyaltyBase.t.sol";
import {FeeToken} from "test/mocks/HostileTokens.sol";

contract FeeRouterTest is RoyaltyBase {
    address private constant LEDGER = SystemAddresses.ROYALTY_LEDGER;
    address private constant VALIDATORS = address(0x5151);
    address private constant DLA = address(0xd1a);

    function _send(address asset, uint256 amount) private {
        if (asset == CHM) {
            vm.deal(LEDGER, amount);
            vm.prank(LEDGER);
            feeRouter.receiveFees{value: amount}(asset, amount);
        } else {
            token.mint(LEDGER, amount);
            vm.startPrank(LEDGER);
            token.approve(address(feeRouter), amount);
            feeRouter.receiveFees(asset, amount);
            vm.stopPrank();
        }
    }

    /// @dev [ROY-37]: however fees arrive and whenever shares are paid, nobody's share shrinks and all are covered.
    function testFuzz_shares_depend_on_totals_alone_and_are_always_covered(uint256 seed, bool chm) public {
        address asset = chm ? CHM : address(token);
        uint256 total;
        uint256[3] memory paid;
        for (uint256 i; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 amount = seed % 9;
            total += amount;
            _send(asset, amount);
            (uint256 v, uint256 d, uint256 t) = feeRouter.accrued(asset);
            assertEq(paid[0] + v, total / 2);
            assertEq(paid[1] + d, total / 4);
            assertEq(paid[2] + t, (total + 3) / 4);
            assertLe(v + d + t, balanceOf(asset, address(feeRouter)));
            vm.startPrank(authority);
            if (seed & 1 << 64 != 0 && v != 0) paid[0] += feeRouter.payValidators(asset, VALIDATORS);
            if (seed & 1 << 65 != 0 && d != 0) paid[1] += feeRouter.payDla(asset, DLA);
            vm.stopPrank();
            if (seed & 1 << 66 != 0 && t != 0) paid[2] += feeRouter.payTreasury(asset);
        }
        assertEq(balanceOf(asset, VALIDATORS), paid[0]);
        assertEq(balanceOf(asset, DLA), paid[1]);
        assertEq(balanceOf(asset, address(treasury)), paid[2]);
        assertEq(feeRouter.totalReceived(asset), total);
    }

    function testFuzz_only_the_ledger_brings_fees(address caller) public {
        vm.assume(caller != LEDGER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterCaller.selector, caller));
        feeRouter.receiveFees(CHM, 0);
    }

    function test_what_is_stated_must_come() public {
        vm.deal(LEDGER, 10);
        vm.startPrank(LEDGER);
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterValue.selector, 1, 2));
        feeRouter.receiveFees{value: 1}(CHM, 2);
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterValue.selector, 1, 2));
        feeRouter.receiveFees{value: 1}(address(token), 2);
        FeeToken fee = new FeeToken();
        fee.mint(LEDGER, 1_000);
        fee.approve(address(feeRouter), 1_000);
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterValue.selector, 990, 1_000));
        feeRouter.receiveFees(address(fee), 1_000);
    }

    function test_shares_are_paid_by_the_paymaster_to_somebody_and_once() public {
        _send(CHM, 100);
        vm.expectRevert(Ownable.Unauthorized.selector);
        feeRouter.payDla(CHM, DLA);
        vm.expectRevert(Ownable.Unauthorized.selector);
        feeRouter.payValidators(CHM, VALIDATORS);
        vm.startPrank(authority);
        vm.expectRevert(Governed.ZeroAddress.selector);
        feeRouter.payDla(CHM, address(0));
        assertEq(feeRouter.payDla(CHM, DLA), 25);
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterNothingDue.selector, CHM));
        feeRouter.payDla(CHM, DLA);
        assertEq(feeRouter.payValidators(CHM, VALIDATORS), 50);
        assertEq(feeRouter.payTreasury(CHM), 25);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterNothingDue.selector, CHM));
        feeRouter.payTreasury(CHM);
    }
}
