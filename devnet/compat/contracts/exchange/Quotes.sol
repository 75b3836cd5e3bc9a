// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Market} from "./Market.sol";
import {MarketRegistry} from "./MarketRegistry.sol";

/// @title Quotes
/// @notice What a trade along a path of tokens gives or costs, at the books as they are.
library Quotes {
    error QuotesNoMarket(address a, address b);
    error QuotesNoDepth(uint256 asked, uint256 held);
    error QuotesPathTooShort(uint256 length);

    uint256 private constant BPS = 10_000;
    uint256 private constant NET_BPS = 9_970;

    /// @notice The market of two tokens and its books, `a`'s side first.
    function side(MarketRegistry registry, address a, address b)
        internal
        view
        returns (Market market, uint256 heldA, uint256 heldB)
    {
        market = registry.marketOf(a, b);
        require(address(market) != address(0), QuotesNoMarket(a, b));
        (uint112 low, uint112 high) = market.books();
        (heldA, heldB) = a < b ? (low, high) : (high, low);
    }

    /// @notice The most that `amountIn` buys, rounded as the market rounds its fee.
    function gives(uint256 amountIn, uint256 heldIn, uint256 heldOut) internal pure returns (uint256) {
        uint256 net = Math.mulDiv(amountIn, NET_BPS, BPS);
        return heldOut - Math.ceilDiv(heldIn * heldOut, heldIn + net);
    }

    /// @notice The least that must come in for `amountOut`.
    function costs(uint256 amountOut, uint256 heldIn, uint256 heldOut) internal pure returns (uint256) {
        require(amountOut < heldOut, QuotesNoDepth(amountOut, heldOut));
        uint256 net = Math.ceilDiv(heldIn * heldOut, heldOut - amountOut) - heldIn;
        return Math.mulDiv(net, BPS, NET_BPS, Math.Rounding.Ceil);
    }

    /// @notice The amounts at every token of `path` when `amountIn` of the first is sold.
    function forward(MarketRegistry registry, uint256 amountIn, address[] memory path)
        internal
        view
        returns (uint256[] memory amounts)
    {
        amounts = _amounts(path);
        amounts[0] = amountIn;
        for (uint256 i = 1; i < path.length; ++i) {
            (, uint256 heldIn, uint256 heldOut) = side(registry, path[i - 1], path[i]);
            amounts[i] = gives(amounts[i - 1], heldIn, heldOut);
        }
    }

    /// @notice The amounts at every token of `path` when `amountOut` of the last is bought.
    function backward(MarketRegistry registry, uint256 amountOut, address[] memory path)
        internal
        view
        returns (uint256[] memory amounts)
    {
        amounts = _amounts(path);
        amounts[path.length - 1] = amountOut;
        for (uint256 i = path.length - 1; i > 0; --i) {
            (, uint256 heldIn, uint256 heldOut) = side(registry, path[i - 1], path[i]);
            amounts[i - 1] = costs(amounts[i], heldIn, heldOut);
        }
    }

    function _amounts(address[] memory path) private pure returns (uint256[] memory) {
        require(path.length > 1, QuotesPathTooShort(path.length));
        return new uint256[](path.length);
    }
}
