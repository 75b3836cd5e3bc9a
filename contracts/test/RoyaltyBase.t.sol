// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ERC20} from "solady/tokens/ERC20.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {RoyaltyLedger} from "src/licensing/RoyaltyLedger.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {Base} from "test/Base.t.sol";

contract TestToken is ERC20 {
    function name() public pure override returns (string memory) {
        return "Test";
    }

    function symbol() public pure override returns (string memory) {
        return "TST";
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title The royalty ledger among its neighbours, with licences, pots and a settler
abstract contract RoyaltyBase is Base {
    // ---------------------------------------------------------------- constants

    /// @dev The first period of September 2025: it begins at START.
    uint32 internal constant PERIOD = 20250901;
    bytes20 internal constant LANE = bytes20(keccak256("adluxe"));
    address internal constant CHM = address(0);
    bytes32 internal constant POLICY = keccak256("policy");

    // ---------------------------------------------------------------- storage

    RoyaltyLedger internal ledger = RoyaltyLedger(SystemAddresses.ROYALTY_LEDGER);
    address internal settler = makeAddr("settler");
    address internal licensor = makeAddr("licensor");
    address internal payer = makeAddr("payer");
    TestToken internal token;

    // ---------------------------------------------------------------- functions

    function setUp() public virtual override {
        super.setUp();
        address implementation = implementationOf(address(ledger));
        deployCodeTo("RoyaltyLedger.sol:RoyaltyLedger", implementation);
        bytes memory initialize =
            abi.encodeWithSignature("initialize(address,address,address)", address(timelock), authority, settler);
        deployCodeTo("ERC1967Proxy.sol:ERC1967Proxy", abi.encode(implementation, initialize), address(ledger));
        vm.prank(authority);
        policies.activate(POLICY, uint64(block.number));
        token = new TestToken();
        vm.prank(address(timelock));
        ledger.enableToken(address(token), 6);
        // Licences are minted at START; their first period is over.
        vm.warp(START);
        skip(30 days);
    }

    // ---------------------------------------------------------------- licences

    function splitOf(address[] memory payees, uint96[] memory weights) internal returns (bytes32) {
        uint96 denom;
        for (uint256 i; i < weights.length; ++i) {
            denom += weights[i];
        }
        return splits.registerVector(payees, weights, denom);
    }

    /// @dev Payees 0x1000 + 1 … + m, weights 1 … m.
    function rampSplit(uint256 m) internal returns (bytes32) {
        address[] memory payees = new address[](m);
        uint96[] memory weights = new uint96[](m);
        for (uint256 i; i < m; ++i) {
            (payees[i], weights[i]) = (address(uint160(0x1000 + i + 1)), uint96(i + 1));
        }
        return splitOf(payees, weights);
    }

    function singleSplit(address payee) internal returns (bytes32) {
        address[] memory payees = new address[](1);
        uint96[] memory weights = new uint96[](1);
        (payees[0], weights[0]) = (payee, 1);
        return splitOf(payees, weights);
    }

    function data(uint256 bps, bytes32 splitHash) internal view returns (ILicenseRegistry.LicenseData memory) {
        return ILicenseRegistry.LicenseData({
            owner: licensor,
            licensee: address(0xbeef),
            royaltyBps: uint96(bps),
            startTs: uint64(START),
            endTs: uint64(START + 3650 days),
            adeSplitHash: splitHash,
            acePolicyHash: POLICY,
            flags: 0,
            metaHash: keccak256("meta")
        });
    }

    function mintRoot(bytes32 id, uint256 bps, bytes32 splitHash) internal {
        mintUnder(id, bps, splitHash, 0, 0, 0);
    }

    function mintUnder(bytes32 id, uint256 bps, bytes32 splitHash, bytes32 parent, uint64 n, uint64 d) internal {
        mintAs(id, data(bps, splitHash), ILicenseRegistry.Terms(0, 0, 0, parent, n, d, false));
    }

    function mintAs(bytes32 id, ILicenseRegistry.LicenseData memory d, ILicenseRegistry.Terms memory t) internal {
        vm.prank(authority);
        registry.mint(id, d, t);
    }

    // ---------------------------------------------------------------- money

    function fund(address asset, uint256 amount) internal {
        fund(asset, payer, amount);
    }

    function fund(address asset, address whose, uint256 amount) internal {
        if (asset == CHM) {
            vm.deal(address(this), address(this).balance + amount);
            ledger.deposit{value: amount}(asset, LANE, whose, amount);
        } else {
            token.mint(address(this), amount);
            token.approve(address(ledger), amount);
            ledger.deposit(asset, LANE, whose, amount);
        }
    }

    function rowOf(bytes32 batch, address asset, bytes32 licence, uint256 revenue)
        internal
        view
        returns (IRoyaltyLedger.Row memory)
    {
        return IRoyaltyLedger.Row(batch, LANE, PERIOD, asset, payer, licence, uint128(revenue));
    }

    /// @dev What a lane reserves for a row.
    function mostOf(bytes32 licence, uint256 revenue) internal view returns (uint256) {
        uint256 bps = registry.termsAt(licence, uint64(START)).royaltyBps;
        return (revenue * bps + 9_999) / 10_000;
    }

    function reserveFor(IRoyaltyLedger.Row memory row) internal {
        uint256 most = mostOf(row.licence, row.revenue);
        vm.prank(settler);
        ledger.reserve(row.batch, row.token, row.lane, row.payer, most);
    }

    function settleRow(IRoyaltyLedger.Row memory row) internal returns (uint256 base, uint256 fee) {
        vm.prank(settler);
        return ledger.settle(row);
    }

    /// @dev Funds, reserves and settles one row of a batch of its own.
    function pay(address asset, bytes32 licence, uint256 revenue) internal returns (uint256 base, uint256 fee) {
        return payIn(PERIOD, asset, licence, revenue);
    }

    uint256 private _batches;

    function payIn(uint32 period, address asset, bytes32 licence, uint256 revenue)
        internal
        returns (uint256 base, uint256 fee)
    {
        IRoyaltyLedger.Row memory row = rowOf(bytes32(++_batches), asset, licence, revenue);
        row.period = period;
        uint256 most = mostOf(licence, revenue);
        if (most != 0) fund(asset, most);
        reserveFor(row);
        return settleRow(row);
    }

    function keyOf(bytes32 licence) internal view returns (IRoyaltyLedger.RouteKey memory) {
        return ledger.routeKeyOf(licence, PERIOD);
    }

    function payoutOf(address asset, bytes32 licence, uint256 index)
        internal
        view
        returns (IRoyaltyLedger.Payout memory)
    {
        return IRoyaltyLedger.Payout(keyOf(licence), asset, uint32(index));
    }

    function keptOf(address asset, bytes32 licence) internal view returns (uint256) {
        IRoyaltyLedger.Account memory a = ledger.accountOf(asset, keyOf(licence));
        return a.inflow - a.passedUp;
    }

    function balanceOf(address asset, address who) internal view returns (uint256) {
        return asset == CHM ? who.balance : token.balanceOf(who);
    }
}
