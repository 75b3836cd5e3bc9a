// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title What the frequent calls cost: written to snapshots/, compared by tools/check-snapshots
/// @dev Isolated: each call is a transaction of its own, where everything but its target is cold.
/// forge-config: default.isolate = true
contract LicenseGasTest is LicenseFixture {
    bytes32 internal constant ID = keccak256("AST-120");
    /// @dev Four proxies and three questions to other registries are most of it.
    uint256 internal constant MOST_FOR_A_USE = 5_000;

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

    function measure(address to, address from, bytes memory call_) internal returns (uint256 gas) {
        vm.prank(from);
        (bool done,) = to.call(call_);
        require(done, "call");
        gas = vm.lastCallGas().gasTotalUsed;
    }

    function test_a_mint_with_every_field_of_rights_costs_at_most_350k() public {
        IRightsRegistry.Rights memory set = fullSet();
        bytes memory register = abi.encodeCall(IRightsRegistry.register, (set));
        uint256 registering = measure(address(rights), licensor, register);
        vm.snapshotValue("Licences", "register a set of rights, whole transaction", registering);

        ILicenseRegistry.LicenseData memory d = data();
        ILicenseRegistry.Terms memory t = terms();
        t.rightsHash = rights.hashOf(set);
        d.flags = 0x8;
        d.royaltyBps = 2_000;
        commit(ID, d);
        bytes memory call_ = abi.encodeWithSelector(MINT, ID, d, t);
        uint256 minting = measure(address(registry), licensor, call_);
        vm.snapshotValue("Licences", "mint with all rights, whole transaction", minting);
        assertLe(minting, 350_000);
        assertEq(registry.licensorOf(ID), licensor);
    }

    /// @dev What reading costs the first time: 2,100 a word and 2,600 an account (EIP-2929), each once.
    function coldReads() internal returns (uint256 gas) {
        address[5] memory proxies =
            [address(registry), address(rights), address(splits), address(policies), address(pauseFlags)];
        for (uint256 i; i < proxies.length; ++i) {
            (bytes32[] memory reads,) = vm.accesses(proxies[i]);
            if (reads.length == 0) continue;
            // The proxy and its implementation; the registry's own account is the transaction's target, and warm.
            gas += i == 0 ? 2_600 : 5_200;
            for (uint256 k; k < reads.length; ++k) {
                bool again;
                for (uint256 j; j < k && !again; ++j) {
                    again = reads[j] == reads[k];
                }
                if (!again) gas += 2_100;
            }
        }
    }

    function test_a_check_of_a_use_costs_at_most_5k_beyond_cold_reads() public {
        mintByRegistrar(ID);
        bytes memory call_ = abi.encodeCall(ILicenseRegistry.isUseAllowed, (ID, licensee, someUse()));
        vm.record();
        uint256 cold = measure(address(registry), stranger, call_) - intrinsic(call_);
        uint256 reads = coldReads();
        vm.snapshotValue("Licences", "isUseAllowed, cold", cold);
        vm.snapshotValue("Licences", "isUseAllowed, beyond cold reads", cold - reads);
        assertLe(cold - reads, MOST_FOR_A_USE);
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
