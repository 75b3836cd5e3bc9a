// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {Vocabulary} from "src/licensing/libraries/Vocabulary.sol";
import {LicenseFixture} from "test/LicenseFixture.sol";

/// @title Sublicences: consent and bounds (README "Sublicences")
/// @dev Proves [LIC-36], [LIC-37], [LIC-38], [LIC-39].
contract LicenseSublicenseTest is LicenseFixture {
    bytes32 internal constant PARENT = keccak256("parent");
    bytes32 internal constant CHILD = keccak256("child");

    /// @dev The parent grants `sublicense` or does not.
    function mintParent(bool sublicensable) internal {
        ILicenseRegistry.Terms memory t = terms();
        IRightsRegistry.Rights memory set = rightsSet();
        if (sublicensable) set.rights |= uint64(1) << Vocabulary.SUBLICENSE;
        t.rightsHash = rights.register(set);
        mintByRegistrar(PARENT, data(), t);
        assertEq(rights.grants(t.rightsHash, Vocabulary.SUBLICENSE), sublicensable);
    }

    function childTerms() internal view returns (ILicenseRegistry.Terms memory t) {
        t = terms();
        (t.parent, t.numer, t.denom) = (PARENT, 1, 10);
    }

    /// @dev Of `owner`, minted by it.
    function mintChild(address owner, bytes memory refusal) internal {
        ILicenseRegistry.LicenseData memory d = data();
        d.owner = owner;
        ILicenseRegistry.Terms memory t = childTerms();
        commit(CHILD, d);
        if (refusal.length != 0) vm.expectRevert(refusal);
        vm.prank(owner);
        registry.mint(CHILD, d, t);
    }

    function test_the_parents_licensor_or_a_licensee_that_may_sublicense_consents(bool sublicensable, bool byLicensee)
        public
    {
        mintParent(sublicensable);
        bytes memory refusal = abi.encodeWithSelector(ILicenseRegistry.ParentConsent.selector, PARENT, licensee);
        mintChild(byLicensee ? licensee : licensor, byLicensee && !sublicensable ? refusal : bytes(""));
        if (byLicensee && !sublicensable) return;
        ILicenseRegistry.Terms memory t = registry.termsOf(CHILD);
        assertEq(t.parent, PARENT);
        assertEq(t.numer, 1);
        assertEq(t.denom, 10);
        assertEq(splits.edgeOf(CHILD).depth, 1);
    }

    function test_nobody_else_mints_below_a_licence(address owner) public {
        vm.assume(owner != licensor && owner != licensee && owner != authority && owner != address(0));
        mintParent(true);
        mintChild(owner, abi.encodeWithSelector(ILicenseRegistry.ParentConsent.selector, PARENT, owner));
    }

    function test_a_permission_for_mint_on_the_parent_consents(address owner, bool byLicensee, bool one) public {
        vm.assume(owner != licensor && owner != licensee && owner != authority && owner != address(0));
        mintParent(true);
        vm.prank(byLicensee ? licensee : licensor);
        registry.setPermission(owner, one ? PARENT : bytes32(0), MINT, type(uint64).max);
        mintChild(owner, "");
        assertEq(registry.licensorOf(CHILD), owner);
    }

    function test_a_licensee_that_was_replaced_consents_no_more() public {
        mintParent(true);
        vm.prank(licensor);
        registry.assign(PARENT, stranger);
        mintChild(licensee, abi.encodeWithSelector(ILicenseRegistry.ParentConsent.selector, PARENT, licensee));
    }

    function test_a_window_lies_within_the_parents(uint64 start, uint64 end) public {
        mintParent(true);
        ILicenseRegistry.LicenseData memory d = data();
        d.startTs = uint64(bound(start, NOW - 5, NOW + 5));
        d.endTs = uint64(bound(end, NOW + YEAR - 5, NOW + YEAR + 5));
        bool beyond = d.startTs < NOW || d.endTs > NOW + YEAR;
        bytes memory refusal = abi.encodeWithSelector(ILicenseRegistry.BeyondParent.selector, PARENT, bytes32("WINDOW"));
        if (beyond) vm.expectRevert(refusal);
        mintByRegistrar(CHILD, d, childTerms());
        if (beyond) return;
        d.endTs = NOW + YEAR + 1;
        vm.startPrank(licensor);
        vm.expectRevert(refusal);
        registry.modify(CHILD, d);
        d.endTs = NOW + YEAR;
        registry.modify(CHILD, d);
    }

    function test_rights_lie_within_the_parents(uint8 how) public {
        mintParent(true);
        IRightsRegistry.Rights memory set = rightsSet();
        bytes32 what;
        if (how % 4 == 0) (set.rights, what) = (5, "RIGHT");
        if (how % 4 == 1) (set.channels, what) = (4, "CHANNEL");
        if (how % 4 == 2) (set.languages, what) = (type(uint256).max, "LANGUAGE");
        if (how % 4 == 3) (set.territories[0], what) = (bytes5("US"), "TERRITORY");
        ILicenseRegistry.Terms memory t = childTerms();
        t.rightsHash = rights.register(set);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.BeyondParent.selector, PARENT, what));
        mintByRegistrar(CHILD, data(), t);
    }

    function test_below_a_licence_without_rights_there_are_none() public {
        ILicenseRegistry.Terms memory t = terms();
        t.rightsHash = 0;
        mintByRegistrar(PARENT, data(), t);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.BeyondParent.selector, PARENT, bytes32("RIGHT")));
        mintByRegistrar(CHILD, data(), childTerms());
        t = childTerms();
        t.rightsHash = 0;
        mintByRegistrar(CHILD, data(), t);
        assertEq(registry.termsOf(CHILD).parent, PARENT);
    }

    function test_the_parent_is_known_and_active(uint8 how, bytes32 unknown) public {
        vm.assume(unknown != 0 && unknown != PARENT);
        ILicenseRegistry.Terms memory t = childTerms();
        t.parent = unknown;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.LicenseUnknown.selector, unknown));
        mintByRegistrar(CHILD, data(), t);

        how = how % 4;
        t = terms();
        t.draft = how == 0;
        mintByRegistrar(PARENT, data(), t);
        vm.startPrank(authority);
        if (how == 1) registry.suspend(PARENT, 1);
        if (how == 2) registry.revoke(PARENT);
        if (how == 3) splits.markSubtree(PARENT, ISplitRegistry.Mark.Suspended, 1);
        vm.stopPrank();
        ILicenseRegistry.State state = how == 0
            ? ILicenseRegistry.State.Draft
            : how == 2 ? ILicenseRegistry.State.Revoked : ILicenseRegistry.State.Suspended;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.ParentNotActive.selector, PARENT, state));
        mintByRegistrar(CHILD, data(), childTerms());
    }

    function test_no_licence_is_its_own_parent_and_no_edge_passes_more_than_all(uint64 numer, uint64 denom) public {
        ILicenseRegistry.Terms memory t = childTerms();
        t.parent = CHILD;
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.LicenseUnknown.selector, CHILD));
        mintByRegistrar(CHILD, data(), t);
        mintParent(true);
        t.parent = PARENT;
        (t.numer, t.denom) = (numer, denom);
        if (denom == 0 || numer > denom) {
            vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.EdgeRate.selector, numer, denom));
        }
        mintByRegistrar(CHILD, data(), t);
    }
}
