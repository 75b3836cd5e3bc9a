// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title What the frequent calls cost: written to snapshots/, compared by tools/check-snapshots
contract LicenseGasTest is LicenseFixture {
    bytes32 internal constant ID = keccak256("AST-120");

    /// @dev REF §4.1 in full: 6 territories, channels, languages.
    function fullSet() internal view returns (IRightsRegistry.Rights memory set) {
        set = rightsSet();
        set.rights = 0x3ff;
        set.channels = 0xff;
        set.languages = 7 << 38;
        set.territories = new bytes5[](6);
        string[6] memory codes = ["CA", "DE", "FR", "GB", "USMD", "USVA"];
        for (uint256 i; i < 6; ++i) {
            set.territories[i] = bytes5(bytes(codes[i]));
        }
    }

    /// @dev 21,000 and calldata by EIP-2028: what a transaction costs before it runs.
    function intrinsic(bytes memory call_) internal pure returns (uint256 gas) {
        gas = 21_000;
        for (uint256 i; i < call_.length; ++i) {
            gas += call_[i] == 0 ? 4 : 16;
        }
    }

    /// @dev The registry's address is warm in a transaction sent to it; nothing else is.
    function measure(address to, address from, bytes memory call_) internal returns (uint256 gas) {
        vm.cool(address(registry));
        vm.cool(address(rights));
        vm.cool(address(splits));
        vm.cool(address(policies));
        vm.cool(address(pauseFlags));
        vm.cool(implementationOf(address(registry)));
        vm.cool(implementationOf(address(rights)));
        vm.cool(implementationOf(address(splits)));
        vm.cool(implementationOf(address(policies)));
        vm.cool(implementationOf(address(pauseFlags)));
        vm.prank(from);
        (bool done,) = to.call(call_);
        require(done, "call");
        gas = vm.lastCallGas().gasTotalUsed;
    }

    function test_a_mint_with_every_field_of_rights_costs_at_most_350k() public {
        IRightsRegistry.Rights memory set = fullSet();
        bytes memory register = abi.encodeCall(IRightsRegistry.register, (set));
        uint256 registering = measure(address(rights), licensor, register) + intrinsic(register);
        vm.snapshotValue("Licences", "register a set of rights, whole transaction", registering);

        ILicenseRegistry.LicenseData memory d = data();
        ILicenseRegistry.Terms memory t = terms();
        t.rightsHash = rights.hashOf(set);
        d.flags = 0x8;
        d.royaltyBps = 2_000;
        commit(ID, d);
        bytes memory call_ = abi.encodeWithSelector(MINT, ID, d, t);
        uint256 minting = measure(address(registry), licensor, call_) + intrinsic(call_);
        vm.snapshotValue("Licences", "mint with all rights, whole transaction", minting);
        assertLe(minting, 350_000);
        assertEq(registry.licensorOf(ID), licensor);
    }

    function test_a_check_of_a_use_costs_at_most_5k_beyond_cold_reads() public {
        mintByRegistrar(ID);
        IRightsRegistry.Use memory use_ = someUse();
        // The first call of the transaction has read it all.
        registry.isUseAllowed(ID, licensee, use_);
        registry.isUseAllowed(ID, licensee, use_);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("Licences", "isUseAllowed, warm", used);
        assertLe(used, 5_000);
        bytes memory call_ = abi.encodeCall(ILicenseRegistry.isUseAllowed, (ID, licensee, use_));
        vm.snapshotValue("Licences", "isUseAllowed, cold", measure(address(registry), stranger, call_));
    }

    function test_changes_cost_what_the_snapshot_says() public {
        mintByRegistrar(ID);
        nextBlock();
        ILicenseRegistry.LicenseData memory d = data();
        d.royaltyBps = 500;
        bytes memory modify = abi.encodeCall(ILicenseRegistry.modify, (ID, d));
        vm.snapshotValue("Licences", "modify the rate", measure(address(registry), licensor, modify));
        bytes memory assign = abi.encodeCall(ILicenseRegistry.assign, (ID, stranger));
        vm.snapshotValue("Licences", "assign", measure(address(registry), licensor, assign));
        bytes memory terms_ = abi.encodeCall(ILicenseRegistry.termsAt, (ID, NOW));
        vm.snapshotValue("Licences", "termsAt, cold", measure(address(registry), licensor, terms_));
        bytes memory revoke = abi.encodeCall(ILicenseRegistry.revoke, (ID));
        vm.snapshotValue("Licences", "revoke", measure(address(registry), licensor, revoke));
        assertState(ID, ILicenseRegistry.State.Revoked);
    }
}
