// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";
import {ContractOwner} from "test/mocks/ContractOwner.sol";

/// @title Minting by an owner's EIP-712 signature
/// @dev Proves [LIC-10] and [LIC-11]; I8 across chains and contracts.
contract LicenseIntentTest is LicenseFixture {
    string internal constant DATA =
        "LicenseData(address owner,address licensee,uint96 royaltyBps,uint64 startTs,uint64 endTs,bytes32 adeSplitHash,bytes32 acePolicyHash,uint8 flags,bytes32 metaHash)";
    string internal constant TERMS =
        "Terms(bytes32 assetId,bytes32 rightsHash,uint256 cap,bytes32 parent,uint64 numer,uint64 denom,bool draft)";

    /// @dev Written out from EIP-712, beside the contract's own way.
    function digestFor(address at, bytes32 id, ILicenseRegistry.LicenseData memory d, uint256 nonce, uint64 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("CHLOM LicenseRegistry"),
                keccak256("1"),
                block.chainid,
                at
            )
        );
        bytes32 data_ = keccak256(
            abi.encode(
                keccak256(bytes(DATA)),
                d.owner,
                d.licensee,
                d.royaltyBps,
                d.startTs,
                d.endTs,
                d.adeSplitHash,
                d.acePolicyHash,
                d.flags,
                d.metaHash
            )
        );
        ILicenseRegistry.Terms memory t = terms();
        bytes32 terms_ = keccak256(
            abi.encode(keccak256(bytes(TERMS)), t.assetId, t.rightsHash, t.cap, t.parent, t.numer, t.denom, t.draft)
        );
        bytes memory intent = "MintIntent(bytes32 id,LicenseData data,Terms terms,uint256 nonce,uint64 deadline)";
        bytes32 type_ = keccak256(bytes.concat(intent, bytes(DATA), bytes(TERMS)));
        return keccak256(
            abi.encodePacked(hex"1901", domain, keccak256(abi.encode(type_, id, data_, terms_, nonce, deadline)))
        );
    }

    function sign(address at, bytes32 id, uint256 nonce, uint64 deadline) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(licensorKey, digestFor(at, id, data(), nonce, deadline));
        return abi.encodePacked(r, s, v);
    }

    function test_anyone_brings_the_owners_signature(bytes32 id, address relayer, uint64 deadline) public {
        commit(id, data());
        deadline = uint64(bound(deadline, block.timestamp, type(uint64).max));
        bytes memory signature = sign(address(registry), id, 0, deadline);
        vm.prank(relayer);
        registry.mintWithIntent(id, data(), terms(), 0, deadline, signature);
        assertEq(registry.licensorOf(id), licensor);
        assertEq(registry.intentNonce(licensor), 1);
    }

    function test_an_intent_needs_a_commitment_like_any_mint(bytes32 id) public {
        bytes memory signature = sign(address(registry), id, 0, NOW);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.MintNotCommitted.selector, commitmentOf(id, data())));
        registry.mintWithIntent(id, data(), terms(), 0, NOW, signature);
    }

    function test_an_intent_ends_at_its_deadline(bytes32 id, uint32 later) public {
        later = uint32(bound(later, 1, type(uint32).max));
        bytes memory signature = sign(address(registry), id, 0, NOW);
        skip(later);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentExpired.selector, NOW, NOW + later));
        registry.mintWithIntent(id, data(), terms(), 0, NOW, signature);
    }

    function test_I8_an_intent_is_used_once(bytes32 id, bytes32 other) public {
        vm.assume(id != other);
        commit(id, data());
        bytes memory signature = sign(address(registry), id, 0, NOW + 1 days);
        registry.mintWithIntent(id, data(), terms(), 0, NOW + 1 days, signature);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentNonce.selector, 0, 1));
        registry.mintWithIntent(id, data(), terms(), 0, NOW + 1 days, signature);
        // Nor for another id under the nonce that is due.
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentSignature.selector, licensor));
        registry.mintWithIntent(other, data(), terms(), 1, NOW + 1 days, signature);
    }

    function test_a_nonce_out_of_turn_is_refused(bytes32 id, uint256 nonce) public {
        vm.assume(nonce != 0);
        bytes memory signature = sign(address(registry), id, nonce, NOW);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentNonce.selector, nonce, 0));
        registry.mintWithIntent(id, data(), terms(), nonce, NOW, signature);
    }

    function test_I8_an_intent_is_for_one_chain_and_one_contract(bytes32 id, uint64 chain, address elsewhere) public {
        chain = uint64(bound(chain, 1, type(uint64).max - 1));
        vm.assume(chain != block.chainid && elsewhere != address(registry));
        commit(id, data());
        bytes memory wrong = sign(elsewhere, id, 0, NOW + 1 days);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentSignature.selector, licensor));
        registry.mintWithIntent(id, data(), terms(), 0, NOW + 1 days, wrong);
        bytes memory right = sign(address(registry), id, 0, NOW + 1 days);
        vm.chainId(chain);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentSignature.selector, licensor));
        registry.mintWithIntent(id, data(), terms(), 0, NOW + 1 days, right);
    }

    function test_an_intent_says_every_field(bytes32 id, uint8 field) public {
        commit(id, data());
        bytes memory signature = sign(address(registry), id, 0, NOW + 1 days);
        ILicenseRegistry.LicenseData memory d = data();
        ILicenseRegistry.Terms memory t = terms();
        field = field % 13;
        if (field == 0) d.licensee = stranger;
        if (field == 1) d.royaltyBps += 1;
        if (field == 2) d.startTs += 1;
        if (field == 3) d.endTs += 1;
        if (field == 4) d.adeSplitHash = split2;
        if (field == 5) d.acePolicyHash = POLICY_2;
        if (field == 6) d.flags = 1;
        if (field == 7) d.metaHash = 0;
        if (field == 8) t.assetId = 0;
        if (field == 9) t.rightsHash = 0;
        if (field == 10) t.cap = 1;
        if (field == 11) t.parent = keccak256("parent");
        if (field == 12) t.draft = true;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentSignature.selector, licensor));
        registry.mintWithIntent(id, d, t, 0, NOW + 1 days, signature);
    }

    function test_fields_out_of_their_types_range_are_refused(bytes32 id, uint256 dirt) public {
        commit(id, data());
        dirt = bound(dirt, uint256(1) << 160, type(uint256).max);
        bytes memory signature = sign(address(registry), id, 0, NOW + 1 days);
        bytes memory call_ =
            abi.encodeCall(ILicenseRegistry.mintWithIntent, (id, data(), terms(), 0, NOW + 1 days, signature));
        // The second word of the data: the licensee.
        for (uint256 i; i < 12; ++i) {
            call_[4 + 64 + i] = bytes32(dirt)[i];
        }
        (bool done,) = address(registry).call(call_);
        assertFalse(done);
    }

    function test_a_contract_owner_signs_by_ERC_1271(bytes32 id, bytes calldata signature, bool agrees) public {
        ContractOwner owner_ = new ContractOwner(agrees);
        ILicenseRegistry.LicenseData memory d = data();
        d.owner = address(owner_);
        commit(id, d);
        if (!agrees) {
            vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.IntentSignature.selector, address(owner_)));
        }
        registry.mintWithIntent(id, d, terms(), 0, NOW + 1 days, signature);
        assertEq(registry.licensorOf(id), agrees ? address(owner_) : address(0));
    }
}
