// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {Base} from "test/Base.t.sol";

/// @title Licences to test with: policies, splits and rights that are registered, and actors
abstract contract LicenseFixture is Base {
    // ---------------------------------------------------------------- constants

    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant POLICY_2 = keccak256("policy 2");
    bytes32 internal constant META = keccak256("meta");
    bytes32 internal constant ASSET = keccak256("asset");
    uint64 internal constant NOW = uint64(START);
    uint64 internal constant YEAR = 365 days;
    bytes4 internal constant MINT = bytes4(
        keccak256(
            "mint(bytes32,(address,address,uint96,uint64,uint64,bytes32,bytes32,uint8,bytes32),(bytes32,bytes32,uint256,bytes32,uint64,uint64,bool))"
        )
    );
    bytes4 internal constant PLAIN_MINT =
        bytes4(keccak256("mint(bytes32,(address,address,uint96,uint64,uint64,bytes32,bytes32,uint8,bytes32))"));

    // ---------------------------------------------------------------- storage

    uint256 internal licensorKey;
    address internal licensor;
    address internal licensee = makeAddr("licensee");
    address internal stranger = makeAddr("stranger");
    bytes32 internal split;
    bytes32 internal split2;
    bytes32 internal rightsHash;

    // ---------------------------------------------------------------- functions

    function setUp() public virtual override {
        super.setUp();
        (licensor, licensorKey) = makeAddrAndKey("licensor");
        vm.startPrank(authority);
        policies.activate(POLICY, uint64(block.number));
        policies.activate(POLICY_2, uint64(block.number));
        vm.stopPrank();
        split = registerSplit(licensor, 10_000);
        split2 = registerSplit(licensee, 10_000);
        rightsHash = rights.register(rightsSet());
    }

    function registerSplit(address payee, uint96 denom) internal returns (bytes32) {
        address[] memory payees = new address[](1);
        uint96[] memory weights = new uint96[](1);
        (payees[0], weights[0]) = (payee, denom);
        return splits.registerVector(payees, weights, denom);
    }

    /// @dev What the demonstration's licences grant: use, on web and in ads, in Virginia, in English.
    function rightsSet() internal view returns (IRightsRegistry.Rights memory set) {
        set.rights = 1;
        set.channels = 3;
        set.languages = 1 << rights.termIndex(IRightsRegistry.Dimension.Language, "en");
        set.territories = new bytes5[](1);
        set.territories[0] = "USVA";
    }

    /// @dev A use that `rightsSet` allows.
    function someUse() internal view returns (IRightsRegistry.Use memory) {
        return IRightsRegistry.Use(0, 1, rights.termIndex(IRightsRegistry.Dimension.Language, "en"), "USVA");
    }

    function data() internal view returns (ILicenseRegistry.LicenseData memory d) {
        d.owner = licensor;
        d.licensee = licensee;
        d.royaltyBps = 2_000;
        d.startTs = NOW;
        d.endTs = NOW + YEAR;
        d.adeSplitHash = split;
        d.acePolicyHash = POLICY;
        d.metaHash = META;
    }

    function terms() internal view returns (ILicenseRegistry.Terms memory t) {
        t.assetId = ASSET;
        t.rightsHash = rightsHash;
    }

    function mintByRegistrar(bytes32 id) internal {
        mintByRegistrar(id, data(), terms());
    }

    function mintByRegistrar(bytes32 id, ILicenseRegistry.LicenseData memory d, ILicenseRegistry.Terms memory t)
        internal
    {
        vm.prank(authority);
        registry.mint(id, d, t);
    }

    function commitmentOf(bytes32 id, ILicenseRegistry.LicenseData memory d) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(registry), id, d.owner, d.metaHash));
    }

    /// @dev Commits, and lets a block pass.
    function commit(bytes32 id, ILicenseRegistry.LicenseData memory d) internal {
        registry.commitMint(commitmentOf(id, d));
        nextBlock();
    }

    /// @dev What `licenses` answers: nine words, as the struct encodes.
    function dataOf(bytes32 id) internal view returns (ILicenseRegistry.LicenseData memory) {
        (, bytes memory answer) = address(registry).staticcall(abi.encodeCall(ILicenseRegistry.licenses, (id)));
        return abi.decode(answer, (ILicenseRegistry.LicenseData));
    }

    function assertData(bytes32 id, ILicenseRegistry.LicenseData memory d) internal view {
        assertEq(abi.encode(dataOf(id)), abi.encode(d));
    }

    function stateNow(bytes32 id) internal view returns (ILicenseRegistry.State) {
        return registry.stateAt(id, uint64(block.timestamp), uint64(block.timestamp)).state;
    }

    function assertState(bytes32 id, ILicenseRegistry.State expected) internal view {
        assertEq(uint8(stateNow(id)), uint8(expected));
    }
}
