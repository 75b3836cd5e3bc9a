// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Coin} from "../../tokens/Coin.sol";
import {Market} from "../../exchange/Market.sol";
import {Trader} from "../../exchange/Trader.sol";

/// @notice Runs on a fork of a chain where the exchange is deployed: `TRADER`, `RED`, `BLUE` and `HOLDER` name what is there.
contract ExchangeForkTest is Test {
    Trader private trader;
    Coin private red;
    Coin private blue;
    address private holder;
    address[] private path;

    function setUp() external {
        trader = Trader(payable(vm.envAddress("TRADER")));
        red = Coin(vm.envAddress("RED"));
        blue = Coin(vm.envAddress("BLUE"));
        holder = vm.envAddress("HOLDER");
        path = [address(red), address(blue)];
    }

    function test_the_fork_is_the_chain_that_was_asked_for() external view {
        assertEq(block.chainid, vm.envUint("CHAIN_ID"));
        assertGt(block.number, 0);
        assertGt(holder.balance, 0);
        assertGt(block.basefee, 0);
        assertEq(blockhash(block.number - 1) == bytes32(0), false);
    }

    function test_the_books_match_the_balances() external view {
        Market market = trader.registry().marketOf(address(red), address(blue));
        (uint112 low, uint112 high) = market.books();
        assertEq(market.low().balanceOf(address(market)), low);
        assertEq(market.high().balanceOf(address(market)), high);
    }

    function testFuzz_a_sale_gives_what_was_quoted_and_never_shrinks_the_product(uint256 amount) external {
        amount = bound(amount, 1e6, red.balanceOf(holder));
        Market market = trader.registry().marketOf(address(red), address(blue));
        (uint112 low, uint112 high) = market.books();
        uint256 quoted = trader.quoteSell(amount, path)[1];
        uint256 had = blue.balanceOf(holder);
        vm.startPrank(holder);
        red.approve(address(trader), amount);
        trader.sell(amount, quoted, path, holder, block.timestamp);
        vm.stopPrank();
        assertEq(blue.balanceOf(holder) - had, quoted);
        (uint112 lowNow, uint112 highNow) = market.books();
        assertGe(uint256(lowNow) * highNow, uint256(low) * high);
    }

    function test_a_sale_below_the_limit_reverts() external {
        uint256 quoted = trader.quoteSell(1e18, path)[1];
        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(Trader.TraderTooLittle.selector, quoted, quoted + 1));
        trader.sell(1e18, quoted + 1, path, holder, block.timestamp);
    }
}
