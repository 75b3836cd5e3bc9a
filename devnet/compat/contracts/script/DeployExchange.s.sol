// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Script} from "forge-std/Script.sol";
import {Coin} from "../tokens/Coin.sol";
import {MarketRegistry} from "../exchange/MarketRegistry.sol";
import {Trader} from "../exchange/Trader.sol";
import {WrappedChm} from "../exchange/WrappedChm.sol";

/// @title DeployExchange
/// @notice Deploys the exchange and two coins, supplies two markets, and trades across both.
contract DeployExchange is Script {
    uint256 private constant SUPPLY = 1_000_000e18;
    uint256 private constant DEPTH = 10_000e18;

    function run() external returns (Trader trader, Coin red, Coin blue) {
        uint256 deadline = block.timestamp + 1 hours;
        vm.startBroadcast();
        WrappedChm wrapped = new WrappedChm();
        MarketRegistry registry = new MarketRegistry(msg.sender);
        trader = new Trader(registry, wrapped);
        red = new Coin("Red", "RED", SUPPLY);
        blue = new Coin("Blue", "BLUE", SUPPLY);
        red.approve(address(trader), SUPPLY);
        blue.approve(address(trader), SUPPLY);
        trader.supply(address(red), address(blue), DEPTH, 2 * DEPTH, msg.sender, deadline);
        trader.supplyChm{value: 10 ether}(address(blue), DEPTH, msg.sender, deadline);

        address[] memory path = new address[](3);
        (path[0], path[1], path[2]) = (address(red), address(blue), address(wrapped));
        trader.sellForChm(100e18, 1, path, payable(msg.sender), deadline);
        vm.stopBroadcast();
    }
}
