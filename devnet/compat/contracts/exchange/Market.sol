// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {MarketRegistry} from "./MarketRegistry.sol";

/// @title Market
/// @notice A constant-product market of two tokens, whose shares are an ERC-20 with permit.
/// @dev Whoever calls sends the tokens first; the market counts what it holds beyond its books. `Trader` does both in one step.
contract Market is ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    event Supplied(address indexed by, address indexed to, uint256 low, uint256 high, uint256 shares);
    event Withdrawn(address indexed by, address indexed to, uint256 low, uint256 high, uint256 shares);
    event Traded(
        address indexed by, address indexed to, uint256 lowIn, uint256 highIn, uint256 lowOut, uint256 highOut
    );
    event Booked(uint112 low, uint112 high);

    error MarketNothingSupplied(uint256 low, uint256 high);
    error MarketNothingWithdrawn(uint256 shares);
    error MarketNothingAsked();
    error MarketTooMuchAsked(uint256 lowOut, uint256 highOut, uint112 low, uint112 high);
    error MarketUnderpaid(uint256 product, uint256 required);
    error MarketNotHouse(address caller);

    struct Books {
        uint112 low;
        uint112 high;
    }

    /// @notice What a trader pays of what comes in, in 1/10,000.
    uint256 public constant FEE_BPS = 30;
    /// @notice Shares that nobody ever gets back, so that the first supplier cannot make one share worth a fortune.
    uint256 public constant LOCKED_SHARES = 1_000;
    uint256 private constant BPS = 10_000;
    address private constant NOBODY = address(0xdead);

    MarketRegistry public immutable registry;
    IERC20 public immutable low;
    IERC20 public immutable high;

    Books public books;
    /// @notice Fees put aside for the house; they are not part of the books.
    uint128 public houseLow;
    uint128 public houseHigh;

    constructor(address low_, address high_) ERC20("Market share", "SHARE") ERC20Permit("Market share") {
        registry = MarketRegistry(msg.sender);
        low = IERC20(low_);
        high = IERC20(high_);
    }

    /// @notice Turns both tokens sent here into shares for `to`.
    function supply(address to) external nonReentrant returns (uint256 shares) {
        Books memory was = books;
        (uint256 lowIn, uint256 highIn) = _received(was);
        uint256 all = totalSupply();
        if (all == 0) {
            uint256 root = Math.sqrt(lowIn * highIn);
            require(root > LOCKED_SHARES, MarketNothingSupplied(lowIn, highIn));
            shares = root - LOCKED_SHARES;
            _mint(NOBODY, LOCKED_SHARES);
        } else {
            shares = Math.min(Math.mulDiv(lowIn, all, was.low), Math.mulDiv(highIn, all, was.high));
            require(shares != 0, MarketNothingSupplied(lowIn, highIn));
        }
        _mint(to, shares);
        _book(was.low + lowIn, was.high + highIn);
        emit Supplied(msg.sender, to, lowIn, highIn, shares);
    }

    /// @notice Burns the shares sent here and pays their part of both tokens to `to`.
    function withdraw(address to) external nonReentrant returns (uint256 lowOut, uint256 highOut) {
        Books memory was = books;
        uint256 shares = balanceOf(address(this));
        uint256 all = totalSupply();
        if (all != 0) {
            lowOut = Math.mulDiv(shares, was.low, all);
            highOut = Math.mulDiv(shares, was.high, all);
        }
        require(lowOut != 0 && highOut != 0, MarketNothingWithdrawn(shares));
        _burn(address(this), shares);
        _book(was.low - lowOut, was.high - highOut);
        emit Withdrawn(msg.sender, to, lowOut, highOut, shares);
        low.safeTransfer(to, lowOut);
        high.safeTransfer(to, highOut);
    }

    /// @notice Pays out what is asked, if what was sent here is worth it after the fee.
    function trade(uint256 lowOut, uint256 highOut, address to) external nonReentrant {
        Books memory was = books;
        require(lowOut != 0 || highOut != 0, MarketNothingAsked());
        require(lowOut < was.low && highOut < was.high, MarketTooMuchAsked(lowOut, highOut, was.low, was.high));
        (uint256 lowIn, uint256 highIn) = _received(was);
        uint256 product = (was.low + _net(lowIn) - lowOut) * (was.high + _net(highIn) - highOut);
        uint256 required = uint256(was.low) * was.high;
        require(product >= required, MarketUnderpaid(product, required));
        (uint256 lowCut, uint256 highCut) = _cut(lowIn, highIn);
        _book(was.low + lowIn - lowOut - lowCut, was.high + highIn - highOut - highCut);
        emit Traded(msg.sender, to, lowIn, highIn, lowOut, highOut);
        if (lowOut != 0) low.safeTransfer(to, lowOut);
        if (highOut != 0) high.safeTransfer(to, highOut);
    }

    /// @notice Pays the house what was put aside for it.
    function collect(address to) external nonReentrant returns (uint256 lowOut, uint256 highOut) {
        require(msg.sender == registry.owner(), MarketNotHouse(msg.sender));
        (lowOut, highOut) = (houseLow, houseHigh);
        (houseLow, houseHigh) = (0, 0);
        low.safeTransfer(to, lowOut);
        high.safeTransfer(to, highOut);
    }

    /// @notice Takes into the books what was sent here by mistake: the suppliers' gain.
    function absorb() external nonReentrant {
        Books memory was = books;
        (uint256 lowIn, uint256 highIn) = _received(was);
        _book(was.low + lowIn, was.high + highIn);
    }

    function _received(Books memory was) private view returns (uint256 lowIn, uint256 highIn) {
        lowIn = low.balanceOf(address(this)) - was.low - houseLow;
        highIn = high.balanceOf(address(this)) - was.high - houseHigh;
    }

    function _net(uint256 amount) private pure returns (uint256) {
        return amount - Math.mulDiv(amount, FEE_BPS, BPS, Math.Rounding.Ceil);
    }

    function _cut(uint256 lowIn, uint256 highIn) private returns (uint256 lowCut, uint256 highCut) {
        uint256 bps = registry.houseCutBps();
        if (bps == 0) return (0, 0);
        lowCut = Math.mulDiv(lowIn, FEE_BPS * bps, BPS * BPS);
        highCut = Math.mulDiv(highIn, FEE_BPS * bps, BPS * BPS);
        houseLow += lowCut.toUint128();
        houseHigh += highCut.toUint128();
    }

    function _book(uint256 lowNow, uint256 highNow) private {
        books = Books(lowNow.toUint112(), highNow.toUint112());
        emit Booked(books.low, books.high);
    }
}
