// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {Governed} from "src/core/Governed.sol";
import {Roles} from "src/core/Roles.sol";
import {IClaimsPool} from "src/core/interfaces/IClaimsPool.sol";
import {ITreasury} from "src/core/interfaces/ITreasury.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";
import {FeeToken} from "test/mocks/HostileTokens.sol";

contract TreasuryTest is RoyaltyBase {
    /// @dev [ROY-38].
    function testFuzz_the_owner_alone_spends_what_is_held_by_a_decision(uint96 held, uint96 spent, bool chm) public {
        address asset = chm ? CHM : address(token);
        if (chm) {
            vm.deal(address(this), held);
            vm.expectEmit(address(treasury));
            emit ITreasury.TreasuryReceived(CHM, address(this), held);
            (bool ok,) = address(treasury).call{value: held}("");
            assertTrue(ok);
        } else {
            token.mint(address(treasury), held);
        }
        assertEq(treasury.held(asset), held);
        vm.expectRevert(Ownable.Unauthorized.selector);
        treasury.spend(asset, address(0xd00d), spent, "ref");
        vm.startPrank(address(timelock));
        vm.expectRevert(ITreasury.TreasuryRefZero.selector);
        treasury.spend(asset, address(0xd00d), spent, 0);
        vm.expectRevert(Governed.ZeroAddress.selector);
        treasury.spend(asset, address(0), spent, "ref");
        if (spent > held) {
            vm.expectRevert(abi.encodeWithSelector(ITreasury.TreasuryShort.selector, asset, spent, held));
            treasury.spend(asset, address(0xd00d), spent, "ref");
        } else {
            treasury.spend(asset, address(0xd00d), spent, "ref");
            assertEq(balanceOf(asset, address(0xd00d)), spent);
        }
    }
}

contract ClaimsPoolTest is RoyaltyBase {
    address private _depositor = makeAddr("payouts");
    address private constant VICTIM = address(0x7171);

    function setUp() public override {
        super.setUp();
        vm.prank(address(timelock));
        claimsPool.grantRoles(_depositor, Roles.SETTLER);
    }

    function _deposit(bytes32 batch, uint256 amount, address[] memory excluded) private {
        vm.deal(_depositor, amount);
        vm.prank(_depositor);
        claimsPool.deposit{value: amount}(batch, CHM, amount, excluded);
    }

    /// @dev [ROY-39].
    function testFuzz_a_claim_is_paid_of_its_batch_to_nobody_excluded(uint96 amount, uint96 claimed, address bad)
        public
    {
        vm.assume(bad != VICTIM && bad != address(0));
        amount = uint96(bound(amount, 1, type(uint96).max));
        claimed = uint96(bound(claimed, 1, amount));
        address[] memory excluded = new address[](1);
        excluded[0] = bad;
        _deposit("a", amount, excluded);
        _deposit("b", 5, new address[](0));
        assertTrue(claimsPool.isExcluded("a", bad));
        assertFalse(claimsPool.isExcluded("b", bad));
        vm.startPrank(authority);
        vm.expectRevert(abi.encodeWithSelector(IClaimsPool.ClaimantExcluded.selector, bytes32("a"), bad));
        claimsPool.payClaim("a", CHM, bad, 1, "ref");
        vm.expectRevert(
            abi.encodeWithSelector(IClaimsPool.ClaimsPoolShort.selector, bytes32("a"), CHM, uint256(amount) + 1, amount)
        );
        claimsPool.payClaim("a", CHM, VICTIM, uint256(amount) + 1, "ref");
        claimsPool.payClaim("a", CHM, VICTIM, claimed, "ref");
        assertEq(VICTIM.balance, claimed);
        assertEq(claimsPool.heldFor("a", CHM), amount - claimed);
        assertEq(claimsPool.heldFor("b", CHM), 5);
    }

    function test_guards() public {
        vm.expectRevert(Ownable.Unauthorized.selector);
        claimsPool.deposit("a", CHM, 1, new address[](0));
        vm.expectRevert(Ownable.Unauthorized.selector);
        claimsPool.exclude("a", new address[](1));
        vm.expectRevert(Ownable.Unauthorized.selector);
        claimsPool.payClaim("a", CHM, VICTIM, 1, "ref");
        vm.deal(_depositor, 10);
        vm.startPrank(_depositor);
        vm.expectRevert(IClaimsPool.ClaimsPoolAmountZero.selector);
        claimsPool.deposit("a", CHM, 0, new address[](0));
        vm.expectRevert(abi.encodeWithSelector(IClaimsPool.ClaimsPoolValue.selector, 1, 2));
        claimsPool.deposit{value: 1}("a", CHM, 2, new address[](0));
        vm.expectRevert(abi.encodeWithSelector(IClaimsPool.ClaimsPoolValue.selector, 1, 2));
        claimsPool.deposit{value: 1}("a", address(token), 2, new address[](0));
        vm.expectRevert(abi.encodeWithSelector(IClaimsPool.ClaimsPoolExcluded.selector, 129, 128));
        claimsPool.deposit("a", CHM, 1, new address[](129));
        FeeToken fee = new FeeToken();
        fee.mint(_depositor, 1_000);
        fee.approve(address(claimsPool), 1_000);
        vm.expectRevert(abi.encodeWithSelector(IClaimsPool.ClaimsPoolValue.selector, 990, 1_000));
        claimsPool.deposit("a", address(fee), 1_000, new address[](0));
        token.mint(_depositor, 7);
        token.approve(address(claimsPool), 7);
        claimsPool.deposit("a", address(token), 7, new address[](0));
        vm.stopPrank();
        vm.startPrank(authority);
        vm.expectRevert(IClaimsPool.ClaimRefZero.selector);
        claimsPool.payClaim("a", address(token), VICTIM, 1, 0);
        vm.expectRevert(IClaimsPool.ClaimsPoolAmountZero.selector);
        claimsPool.payClaim("a", address(token), VICTIM, 0, "ref");
        vm.expectRevert(Governed.ZeroAddress.selector);
        claimsPool.payClaim("a", address(token), address(0), 1, "ref");
        claimsPool.payClaim("a", address(token), VICTIM, 7, "ref");
        assertEq(token.balanceOf(VICTIM), 7);
    }
}
