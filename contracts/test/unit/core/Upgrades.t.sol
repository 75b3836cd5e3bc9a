// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {Ownable} from "solady/auth/Ownable.sol";
import {UUPSUpgradeable} from "solady/utils/UUPSUpgradeable.sol";
import {ParameterKeys} from "src/core/ParameterKeys.sol";
import {Roles} from "src/core/Roles.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";

interface IInitialize {
    function initialize(address owner, address authority) external;
    function initialize(address owner, address authority, address settler) external;
}

/// @title Upgrades of every proxied contract: by the timelock alone, and no word of its storage changes
contract UpgradesTest is RoyaltyBase {
    bytes32 private constant ROOT = "root";
    bytes32 private constant ERC1967_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    address[10] private _proxies = [
        SystemAddresses.LICENSE_REGISTRY,
        SystemAddresses.SPLIT_REGISTRY,
        SystemAddresses.ROYALTY_LEDGER,
        SystemAddresses.POLICY_REGISTRY,
        SystemAddresses.FEE_ROUTER,
        SystemAddresses.TREASURY,
        SystemAddresses.CLAIMS_POOL,
        SystemAddresses.PAUSE_FLAGS,
        SystemAddresses.PARAMETER_REGISTRY,
        SystemAddresses.RIGHTS_REGISTRY
    ];
    mapping(address proxy => bytes32[]) private _slots;
    mapping(address proxy => mapping(bytes32 slot => bool)) private _isListed;

    // ---------------------------------------------------------------- what is stored

    /// @dev Something in every contract; every word written is remembered.
    function _fill() private {
        vm.startStateDiffRecording();
        mintRoot(ROOT, 10_000, rampSplit(3));
        mintUnder("leaf", 1_000, rampSplit(2), ROOT, 1, 3);
        pay(CHM, "leaf", 1e9);
        pay(address(token), ROOT, 1e9);
        ledger.withdraw(payoutOf(CHM, ROOT, 1));
        ledger.collectFees(CHM);
        feeRouter.payTreasury(CHM);
        vm.startPrank(authority);
        splits.markSubtree("leaf", ISplitRegistry.Mark.Suspended, 3);
        ledger.placeHold(ROOT, CHM, address(0), 5, "x");
        policies.retire(POLICY, uint64(block.number + 9));
        pauseFlags.flagFraud("fraud");
        pauseFlags.pause(IPauseFlags.Flag.Payouts, uint64(block.number + 5), "fraud");
        rights.addTerm(IRightsRegistry.Dimension.Right, "lease");
        vm.stopPrank();
        vm.startPrank(address(timelock));
        parameters.setParameter(ParameterKeys.FEE_DYNAMIC_BPS, 70, uint64(block.timestamp + 1));
        claimsPool.grantRoles(address(this), Roles.SETTLER);
        vm.stopPrank();
        address[] memory excluded = new address[](1);
        excluded[0] = address(0xbad);
        vm.deal(address(this), 5);
        claimsPool.deposit{value: 5}("batch", CHM, 5, excluded);
        _list(vm.stopAndReturnStateDiff());
    }

    function _list(Vm.AccountAccess[] memory accesses) private {
        for (uint256 i; i < accesses.length; ++i) {
            Vm.StorageAccess[] memory touched = accesses[i].storageAccesses;
            for (uint256 j; j < touched.length; ++j) {
                (address account, bytes32 slot) = (touched[j].account, touched[j].slot);
                if (slot == ERC1967_SLOT || _isListed[account][slot]) continue;
                _isListed[account][slot] = true;
                _slots[account].push(slot);
            }
        }
    }

    function _digest(address proxy) private view returns (bytes32 digest) {
        bytes32[] storage slots = _slots[proxy];
        for (uint256 i; i < slots.length; ++i) {
            digest = keccak256(abi.encode(digest, slots[i], vm.load(proxy, slots[i])));
        }
    }

    // ---------------------------------------------------------------- tests

    /// @dev [LIC-49].
    function test_an_upgrade_through_the_timelock_keeps_every_word_of_every_contract() public {
        _fill();
        for (uint256 i; i < _proxies.length; ++i) {
            address proxy = _proxies[i];
            address next = _copyOf(proxy);
            bytes32 before = _digest(proxy);
            uint256 balance = proxy.balance;
            byTimelock(proxy, abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (next, "")));
            assertEq(address(uint160(uint256(vm.load(proxy, ERC1967_SLOT)))), next);
            // The treasury's is a balance and no word.
            if (proxy != SystemAddresses.TREASURY) assertGt(_slots[proxy].length, 0, "something was stored");
            assertEq(_digest(proxy), before);
            assertEq(proxy.balance, balance);
            assertEq(Ownable(proxy).owner(), address(timelock));
        }
        // And they go on together.
        vm.roll(block.number + 6);
        ledger.withdraw(payoutOf(CHM, ROOT, 0));
        assertGt(address(uint160(0x1001)).balance, 0);
    }

    function testFuzz_nobody_but_the_timelock_upgrades_or_sets_up_again(address caller, uint256 which) public {
        vm.assume(caller != address(timelock));
        address proxy = _proxies[which % _proxies.length];
        address next = _copyOf(proxy);
        vm.startPrank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        UUPSUpgradeable(proxy).upgradeToAndCall(next, "");
        bytes4 again = bytes4(keccak256("InvalidInitialization()"));
        // Neither the proxy nor what lies behind it.
        address[2] memory both = [proxy, implementationOf(proxy)];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(again);
            if (proxy == SystemAddresses.ROYALTY_LEDGER) IInitialize(both[i]).initialize(caller, caller, caller);
            else IInitialize(both[i]).initialize(caller, caller);
        }
        // Nor can what lies behind it be upgraded itself.
        vm.expectRevert();
        UUPSUpgradeable(implementationOf(proxy)).upgradeToAndCall(next, "");
        vm.stopPrank();
    }

    function test_an_upgrade_to_what_is_no_implementation_is_refused() public {
        for (uint256 i; i < _proxies.length; ++i) {
            vm.prank(address(timelock));
            vm.expectRevert(UUPSUpgradeable.UpgradeFailed.selector);
            UUPSUpgradeable(_proxies[i]).upgradeToAndCall(address(token), "");
        }
    }

    /// @dev The same code elsewhere; immutables that name its own address are made anew where it has such.
    function _copyOf(address proxy) private returns (address next) {
        next = address(uint160(proxy) + 0x90000);
        if (proxy == SystemAddresses.LICENSE_REGISTRY) {
            bytes memory args = abi.encode(SystemAddresses.POLICY_REGISTRY, SystemAddresses.SPLIT_REGISTRY);
            deployCodeTo("LicenseRegistry.sol:LicenseRegistry", args, next);
        } else {
            string[9] memory names = [
                "SplitRegistry",
                "RoyaltyLedger",
                "PolicyRegistry",
                "FeeRouter",
                "Treasury",
                "ClaimsPool",
                "PauseFlags",
                "ParameterRegistry",
                "RightsRegistry"
            ];
            for (uint256 i; i < 9; ++i) {
                if (_proxies[i + 1] == proxy) {
                    deployCodeTo(string.concat(names[i], ".sol:", names[i]), next);
                }
            }
        }
    }
}
