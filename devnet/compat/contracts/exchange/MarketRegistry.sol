// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Ownable2Step, Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Market} from "./Market.sol";

/// @title MarketRegistry
/// @notice Opens one market for each pair of tokens, at an address that anyone can compute.
contract MarketRegistry is Ownable2Step {
    /// @notice The `count`-th market opened, for `low` and `high`.
    event MarketOpened(address indexed low, address indexed high, Market market, uint256 count);

    /// @notice From now on the house takes `bps` of every trade's fee.
    event HouseCutSet(uint16 bps);

    error RegistrySameToken(address token);
    error RegistryZeroToken();
    error RegistryAlreadyOpen(Market market);
    error RegistryCutTooHigh(uint16 bps, uint16 most);

    /// @notice The most that the house may take of a trade's fee.
    uint16 public constant MAX_HOUSE_CUT_BPS = 5_000;

    uint16 public houseCutBps;
    Market[] public markets;
    mapping(address low => mapping(address high => Market)) private _byPair;

    constructor(address house) Ownable(house) {}

    /// @notice Opens the market of `a` and `b`, in any order.
    function open(address a, address b) external returns (Market market) {
        (address low, address high) = sorted(a, b);
        market = _byPair[low][high];
        require(address(market) == address(0), RegistryAlreadyOpen(market));
        market = new Market{salt: keccak256(abi.encode(low, high))}(low, high);
        _byPair[low][high] = market;
        markets.push(market);
        emit MarketOpened(low, high, market, markets.length);
    }

    /// @notice Sets the house's share of the trading fee.
    function setHouseCut(uint16 bps) external onlyOwner {
        require(bps <= MAX_HOUSE_CUT_BPS, RegistryCutTooHigh(bps, MAX_HOUSE_CUT_BPS));
        houseCutBps = bps;
        emit HouseCutSet(bps);
    }

    /// @notice The market of `a` and `b`, or zero.
    function marketOf(address a, address b) external view returns (Market) {
        (address low, address high) = sorted(a, b);
        return _byPair[low][high];
    }

    /// @notice How many markets are open.
    function count() external view returns (uint256) {
        return markets.length;
    }

    /// @notice Where the market of `a` and `b` is, or will be.
    function addressOf(address a, address b) external view returns (address) {
        (address low, address high) = sorted(a, b);
        bytes32 salt = keccak256(abi.encode(low, high));
        bytes32 code = keccak256(abi.encodePacked(type(Market).creationCode, abi.encode(low, high)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, code)))));
    }

    /// @notice Orders two different tokens by address.
    function sorted(address a, address b) public pure returns (address low, address high) {
        require(a != b, RegistrySameToken(a));
        (low, high) = a < b ? (a, b) : (b, a);
        require(low != address(0), RegistryZeroToken());
    }
}
