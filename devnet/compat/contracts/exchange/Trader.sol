// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Market} from "./Market.sol";
import {MarketRegistry} from "./MarketRegistry.sol";
import {Quotes} from "./Quotes.sol";
import {WrappedChm} from "./WrappedChm.sol";

/// @title Trader
/// @notice Supplies, withdraws and trades in one transaction, within limits of price and time that the caller sets.
contract Trader {
    using SafeERC20 for IERC20;

    error TraderTooLate(uint256 time, uint256 deadline);
    error TraderTooLittle(uint256 amount, uint256 least);
    error TraderTooMuch(uint256 amount, uint256 most);
    error TraderNotWrapped(address token);
    error TraderNoGifts(address from);

    MarketRegistry public immutable registry;
    WrappedChm public immutable wrapped;

    /// @notice A permit for the market's shares; `v` 0 means that the allowance is there already.
    struct Permit {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    constructor(MarketRegistry registry_, WrappedChm wrapped_) {
        registry = registry_;
        wrapped = wrapped_;
    }

    /// @notice Only the wrapper pays CHM to this contract, on its way out.
    receive() external payable {
        require(msg.sender == address(wrapped), TraderNoGifts(msg.sender));
    }

    modifier before(uint256 deadline) {
        require(block.timestamp <= deadline, TraderTooLate(block.timestamp, deadline));
        _;
    }

    /// @notice Supplies up to `mostA` and `mostB` at the market's price, opening it when needed.
    function supply(address a, address b, uint256 mostA, uint256 mostB, address to, uint256 deadline)
        external
        before(deadline)
        returns (uint256 inA, uint256 inB, uint256 shares)
    {
        Market market = _market(a, b);
        (inA, inB) = _proportion(a, b, mostA, mostB);
        IERC20(a).safeTransferFrom(msg.sender, address(market), inA);
        IERC20(b).safeTransferFrom(msg.sender, address(market), inB);
        shares = market.supply(to);
    }

    /// @notice The same with CHM as the second token; what the price does not need is returned.
    function supplyChm(address a, uint256 mostA, address to, uint256 deadline)
        external
        payable
        before(deadline)
        returns (uint256 inA, uint256 inChm, uint256 shares)
    {
        Market market = _market(a, address(wrapped));
        (inA, inChm) = _proportion(a, address(wrapped), mostA, msg.value);
        IERC20(a).safeTransferFrom(msg.sender, address(market), inA);
        wrapped.wrap{value: inChm}(address(market));
        shares = market.supply(to);
        if (msg.value != inChm) Address.sendValue(payable(msg.sender), msg.value - inChm);
    }

    /// @notice Gives back `shares` for at least `leastA` and `leastB`.
    function withdraw(
        address a,
        address b,
        uint256 shares,
        uint256 leastA,
        uint256 leastB,
        address to,
        uint256 deadline,
        Permit calldata permit
    ) external before(deadline) returns (uint256 outA, uint256 outB) {
        (Market market,,) = Quotes.side(registry, a, b);
        if (permit.v != 0) {
            market.permit(msg.sender, address(this), shares, deadline, permit.v, permit.r, permit.s);
        }
        IERC20(address(market)).safeTransferFrom(msg.sender, address(market), shares);
        (uint256 lowOut, uint256 highOut) = market.withdraw(to);
        (outA, outB) = a < b ? (lowOut, highOut) : (highOut, lowOut);
        require(outA >= leastA, TraderTooLittle(outA, leastA));
        require(outB >= leastB, TraderTooLittle(outB, leastB));
    }

    /// @notice Sells exactly `amountIn` of the first token of `path` for at least `leastOut` of the last.
    function sell(uint256 amountIn, uint256 leastOut, address[] calldata path, address to, uint256 deadline)
        external
        before(deadline)
        returns (uint256[] memory amounts)
    {
        amounts = Quotes.forward(registry, amountIn, path);
        _atLeast(amounts[amounts.length - 1], leastOut);
        _pull(path, amountIn);
        _walk(amounts, path, to);
    }

    /// @notice Buys exactly `amountOut` of the last token of `path` for at most `mostIn` of the first.
    function buy(uint256 amountOut, uint256 mostIn, address[] calldata path, address to, uint256 deadline)
        external
        before(deadline)
        returns (uint256[] memory amounts)
    {
        amounts = Quotes.backward(registry, amountOut, path);
        require(amounts[0] <= mostIn, TraderTooMuch(amounts[0], mostIn));
        _pull(path, amounts[0]);
        _walk(amounts, path, to);
    }

    /// @notice Sells the call's CHM.
    function sellChm(uint256 leastOut, address[] calldata path, address to, uint256 deadline)
        external
        payable
        before(deadline)
        returns (uint256[] memory amounts)
    {
        require(path[0] == address(wrapped), TraderNotWrapped(path[0]));
        amounts = Quotes.forward(registry, msg.value, path);
        _atLeast(amounts[amounts.length - 1], leastOut);
        wrapped.wrap{value: msg.value}(address(registry.marketOf(path[0], path[1])));
        _walk(amounts, path, to);
    }

    /// @notice Sells exactly `amountIn` for at least `leastOut` CHM.
    function sellForChm(
        uint256 amountIn,
        uint256 leastOut,
        address[] calldata path,
        address payable to,
        uint256 deadline
    ) external before(deadline) returns (uint256[] memory amounts) {
        address last = path[path.length - 1];
        require(last == address(wrapped), TraderNotWrapped(last));
        amounts = Quotes.forward(registry, amountIn, path);
        _atLeast(amounts[amounts.length - 1], leastOut);
        _pull(path, amountIn);
        _walk(amounts, path, address(this));
        wrapped.unwrap(to, amounts[amounts.length - 1]);
    }

    /// @notice What a sale of `amountIn` along `path` gives at every step.
    function quoteSell(uint256 amountIn, address[] calldata path) external view returns (uint256[] memory) {
        return Quotes.forward(registry, amountIn, path);
    }

    /// @notice What a purchase of `amountOut` along `path` costs at every step.
    function quoteBuy(uint256 amountOut, address[] calldata path) external view returns (uint256[] memory) {
        return Quotes.backward(registry, amountOut, path);
    }

    function _market(address a, address b) private returns (Market market) {
        market = registry.marketOf(a, b);
        if (address(market) == address(0)) market = registry.open(a, b);
    }

    function _proportion(address a, address b, uint256 mostA, uint256 mostB) private view returns (uint256, uint256) {
        (, uint256 heldA, uint256 heldB) = Quotes.side(registry, a, b);
        if (heldA == 0 && heldB == 0) return (mostA, mostB);
        uint256 forB = Math.mulDiv(mostA, heldB, heldA);
        if (forB <= mostB) return (mostA, forB);
        return (Math.mulDiv(mostB, heldA, heldB), mostB);
    }

    function _atLeast(uint256 amount, uint256 least) private pure {
        require(amount >= least, TraderTooLittle(amount, least));
    }

    function _pull(address[] calldata path, uint256 amount) private {
        address market = address(registry.marketOf(path[0], path[1]));
        IERC20(path[0]).safeTransferFrom(msg.sender, market, amount);
    }

    function _walk(uint256[] memory amounts, address[] calldata path, address to) private {
        for (uint256 i = 1; i < path.length; ++i) {
            Market market = registry.marketOf(path[i - 1], path[i]);
            address next = i + 1 < path.length ? address(registry.marketOf(path[i], path[i + 1])) : to;
            if (path[i - 1] < path[i]) market.trade(0, amounts[i], next);
            else market.trade(amounts[i], 0, next);
        }
    }
}
