// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {PolicyRegistry} from "src/compliance/PolicyRegistry.sol";
import {ClaimsPool} from "src/core/ClaimsPool.sol";
import {FeeRouter} from "src/core/FeeRouter.sol";
import {ParameterRegistry} from "src/core/ParameterRegistry.sol";
import {PauseFlags} from "src/core/PauseFlags.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {Treasury} from "src/core/Treasury.sol";
import {LicenseRegistry} from "src/licensing/LicenseRegistry.sol";
import {RightsRegistry} from "src/licensing/RightsRegistry.sol";
import {SplitRegistry} from "src/licensing/SplitRegistry.sol";

/// @title Every system contract where genesis puts it, owned by the timelock
/// @dev Creation code runs at the very address, so that immutables are those of the network.
abstract contract Base is Test {
    // ---------------------------------------------------------------- constants

    /// @dev From a proxy to its implementation: 0x…20xx to 0x…21xx.
    uint160 internal constant TO_IMPLEMENTATION = 0x100;
    uint256 internal constant TIMELOCK_DELAY = 2 days;
    /// @dev 2025-09-01T00:00:00Z, the start of the demonstration's licences.
    uint256 internal constant START = 1_756_684_800;

    // ---------------------------------------------------------------- storage

    /// @dev Proposes to the timelock.
    address internal proposer = makeAddr("proposer");
    /// @dev Holds the roles until the council exists.
    address internal authority = makeAddr("authority");

    TimelockController internal timelock = TimelockController(payable(SystemAddresses.TIMELOCK));
    LicenseRegistry internal registry = LicenseRegistry(SystemAddresses.LICENSE_REGISTRY);
    RightsRegistry internal rights = RightsRegistry(SystemAddresses.RIGHTS_REGISTRY);
    PolicyRegistry internal policies = PolicyRegistry(SystemAddresses.POLICY_REGISTRY);
    PauseFlags internal pauseFlags = PauseFlags(SystemAddresses.PAUSE_FLAGS);
    SplitRegistry internal splits = SplitRegistry(SystemAddresses.SPLIT_REGISTRY);
    ParameterRegistry internal parameters = ParameterRegistry(SystemAddresses.PARAMETER_REGISTRY);
    FeeRouter internal feeRouter = FeeRouter(SystemAddresses.FEE_ROUTER);
    Treasury internal treasury = Treasury(payable(SystemAddresses.TREASURY));
    ClaimsPool internal claimsPool = ClaimsPool(SystemAddresses.CLAIMS_POOL);

    // ---------------------------------------------------------------- functions

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(100);
        address[] memory proposers = new address[](1);
        proposers[0] = proposer;
        // Anyone executes what is due.
        address[] memory executors = new address[](1);
        deployCodeTo(
            "TimelockController.sol:TimelockController",
            abi.encode(TIMELOCK_DELAY, proposers, executors, address(0)),
            address(timelock)
        );
        deploySystem(
            "LicenseRegistry.sol:LicenseRegistry",
            abi.encode(SystemAddresses.POLICY_REGISTRY, SystemAddresses.SPLIT_REGISTRY),
            address(registry)
        );
        deploySystem("RightsRegistry.sol:RightsRegistry", "", address(rights));
        deploySystem("PolicyRegistry.sol:PolicyRegistry", "", address(policies));
        deploySystem("PauseFlags.sol:PauseFlags", "", address(pauseFlags));
        deploySystem("SplitRegistry.sol:SplitRegistry", "", address(splits));
        deploySystem("ParameterRegistry.sol:ParameterRegistry", "", address(parameters));
        deploySystem("FeeRouter.sol:FeeRouter", "", address(feeRouter));
        deploySystem("Treasury.sol:Treasury", "", address(treasury));
        deploySystem("ClaimsPool.sol:ClaimsPool", "", address(claimsPool));
    }

    /// @dev A proxy at `where`, its implementation at the address that belongs to it, set up as genesis sets it up.
    function deploySystem(string memory artefact, bytes memory args, address where) internal {
        address implementation = implementationOf(where);
        deployCodeTo(artefact, args, implementation);
        bytes memory initialize = abi.encodeWithSignature("initialize(address,address)", address(timelock), authority);
        deployCodeTo("ERC1967Proxy.sol:ERC1967Proxy", abi.encode(implementation, initialize), where);
        vm.label(where, artefact);
    }

    function implementationOf(address proxy) internal pure returns (address) {
        return address(uint160(proxy) + TO_IMPLEMENTATION);
    }

    /// @dev Through the timelock, with its delay.
    function byTimelock(address target, bytes memory data) internal {
        vm.prank(proposer);
        timelock.schedule(target, 0, data, 0, 0, TIMELOCK_DELAY);
        skip(TIMELOCK_DELAY);
        timelock.execute(target, 0, data, 0, 0);
    }

    /// @dev The next block, 2 seconds on.
    function nextBlock() internal {
        vm.roll(block.number + 1);
        skip(2);
    }
}
