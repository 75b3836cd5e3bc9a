// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Initializable} from "solady/utils/Initializable.sol";
import {Ownable} from "solady/auth/Ownable.sol";
import {Governed} from "src/core/Governed.sol";
import {LaneRegistry} from "src/lanes/LaneRegistry.sol";
import {ILaneRegistry} from "src/lanes/interfaces/ILaneRegistry.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

contract LaneRegistryTest is LaneBase {
    bytes20 private constant OTT = bytes20(keccak256("media-ott"));
    address private _other = makeAddr("other submitter");

    function _last() private view returns (ILaneRegistry.Parameters memory p) {
        return lanes.parametersOf(LANE, lanes.versionCount(LANE));
    }

    function _refused(string memory what, uint256 given, uint256 least, uint256 most) private {
        bytes32 name;
        assembly {
            name := mload(add(what, 32))
        }
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.ParameterRefused.selector, name, given, least, most));
    }

    // ---------------------------------------------------------------- lanes and parameters

    /// @dev Upholds [PAY-1].
    function test_genesis_has_four_lanes_and_the_owner_adds_others() public {
        string[4] memory names = ["adluxe", "media-ott", "retail-cpg", "thriveseat"];
        for (uint256 i; i < 4; ++i) {
            bytes20 lane = bytes20(keccak256(bytes(names[i])));
            assertEq(lanes.laneName(lane), names[i]);
            ILaneRegistry.Parameters memory p = lanes.parametersOf(lane, 1);
            assertEq(p.zk, i > 1);
            assertEq(p.window, WINDOW);
            assertEq(p.windowBlocks, WINDOW_BLOCKS);
            assertEq(p.currency, bytes4("USD"));
        }
        ILaneRegistry.Parameters memory own = _last();
        vm.expectRevert(Ownable.Unauthorized.selector);
        lanes.addLane("x", own);
        vm.startPrank(address(timelock));
        assertEq(lanes.addLane("x", own), bytes20(keccak256("x")));
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.LaneKnown.selector, LANE));
        lanes.addLane("adluxe", own);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.NameLength.selector, 0, 64));
        lanes.addLane("", own);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.NameLength.selector, 65, 64));
        lanes.addLane(string(new bytes(65)), own);
    }

    /// @dev Upholds [PAY-2], [PAY-3].
    function test_versions_are_appended_and_a_period_keeps_the_one_of_its_start() public {
        ILaneRegistry.Parameters memory p = _last();
        p.chmPerUnit = 3 ether;
        p.effectiveFrom = uint40(block.timestamp + 1 days);
        vm.expectRevert(Ownable.Unauthorized.selector);
        lanes.addParameters(LANE, p);
        vm.startPrank(address(timelock));
        assertEq(lanes.addParameters(LANE, p), 2);
        (uint32 version,) = lanes.parametersAt(LANE, uint64(block.timestamp + 1 days - 1));
        assertEq(version, 1);
        ILaneRegistry.Parameters memory found;
        (version, found) = lanes.parametersAt(LANE, uint64(block.timestamp + 1 days));
        assertEq(version, 2);
        assertEq(found.chmPerUnit, 3 ether);
        _refused("effectiveFrom", p.effectiveFrom, p.effectiveFrom + 1, type(uint40).max);
        lanes.addParameters(LANE, p);
        skip(10 days);
        p.effectiveFrom = uint40(block.timestamp - 1);
        _refused("effectiveFrom", p.effectiveFrom, block.timestamp, type(uint40).max);
        lanes.addParameters(LANE, p);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.VersionUnknown.selector, LANE, 3));
        lanes.parametersOf(LANE, 3);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.VersionUnknown.selector, LANE, 0));
        lanes.parametersOf(LANE, 0);
    }

    /// @dev Upholds [PAY-3]: against a walk through all versions.
    function testFuzz_the_version_in_force_is_the_last_effective_one(uint40[8] memory steps, uint64 time) public {
        ILaneRegistry.Parameters memory p = _last();
        uint256 at = block.timestamp;
        uint64[8] memory from;
        for (uint256 i; i < 8; ++i) {
            at += bound(steps[i], 1, 30 days);
            from[i] = uint64(at);
            p.effectiveFrom = uint40(at);
            vm.prank(address(timelock));
            lanes.addParameters(LANE, p);
        }
        time = uint64(bound(time, 0, at + 30 days));
        uint32 expected = 1;
        for (uint256 i; i < 8; ++i) {
            if (from[i] <= time) expected = uint32(i + 2);
        }
        (uint32 version,) = lanes.parametersAt(LANE, time);
        assertEq(version, expected);
    }

    /// @dev Upholds [PAY-4].
    function test_parameters_out_of_bounds_are_named() public {
        ILaneRegistry.Parameters memory good = _last();
        vm.startPrank(address(timelock));
        ILaneRegistry.Parameters memory p = _copy(good);
        p.tokenDecimals = 19;
        _refused("tokenDecimals", 19, 0, 18);
        lanes.addLane("a", p);
        p = _copy(good);
        p.decimals = 19;
        _refused("decimals", 19, 0, 18);
        lanes.addLane("a", p);
        p = _copy(good);
        p.blobRows = 33;
        _refused("blobRows", 33, 1, 32);
        lanes.addLane("a", p);
        p = _copy(good);
        p.window = 0;
        _refused("window", 0, 1, 30 days);
        lanes.addLane("a", p);
        p = _copy(good);
        p.windowBlocks = 2_592_001;
        _refused("windowBlocks", 2_592_001, 0, 2_592_000);
        lanes.addLane("a", p);
        p = _copy(good);
        p.margin = 14 days - 1;
        _refused("margin", 14 days - 1, 14 days, type(uint32).max);
        lanes.addLane("a", p);
        p = _copy(good);
        p.rebateBps = 2_501;
        _refused("rebateBps", 2_501, 0, 2_500);
        lanes.addLane("a", p);
        p = _copy(good);
        p.chmPerUnit = 0;
        _refused("chmPerUnit", 0, 1, type(uint80).max);
        lanes.addLane("a", p);
    }

    function _copy(ILaneRegistry.Parameters memory p) private pure returns (ILaneRegistry.Parameters memory) {
        return abi.decode(abi.encode(p), (ILaneRegistry.Parameters));
    }

    function test_what_is_no_lane_is_refused_everywhere() public {
        bytes20 none = bytes20(keccak256("none"));
        bytes memory unknown = abi.encodeWithSelector(ILaneRegistry.LaneUnknown.selector, none);
        ILaneRegistry.Parameters memory p = _last();
        vm.expectRevert(unknown);
        lanes.laneName(none);
        vm.expectRevert(unknown);
        lanes.parametersAt(none, 0);
        vm.expectRevert(unknown);
        lanes.registerSourceKey(none, "shop", "");
        vm.expectRevert(unknown);
        lanes.heartbeat(none, 0);
        vm.prank(authority);
        vm.expectRevert(unknown);
        lanes.registerSubmitter(none, submitter);
        vm.prank(address(timelock));
        vm.expectRevert(unknown);
        lanes.addParameters(none, p);
    }

    // ---------------------------------------------------------------- submitters

    /// @dev Upholds [PAY-5].
    function test_keepers_register_appoint_and_remove_submitters() public {
        vm.expectRevert(Ownable.Unauthorized.selector);
        lanes.registerSubmitter(LANE, _other);
        vm.expectRevert(Ownable.Unauthorized.selector);
        lanes.appoint(LANE, _other);
        vm.expectRevert(Ownable.Unauthorized.selector);
        lanes.removeSubmitter(LANE, submitter);
        vm.startPrank(authority);
        vm.expectRevert(Governed.ZeroAddress.selector);
        lanes.registerSubmitter(LANE, address(0));
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterKnown.selector, LANE, submitter));
        lanes.registerSubmitter(LANE, submitter);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterUnknown.selector, LANE, _other));
        lanes.appoint(LANE, _other);
        lanes.registerSubmitter(LANE, _other);
        assertTrue(lanes.isSubmitter(LANE, _other));
        assertEq(lanes.activeOf(LANE).submitter, submitter, "the first stays active");
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterActive.selector, LANE, submitter));
        lanes.appoint(LANE, submitter);
        lanes.appoint(LANE, _other);
        assertEq(lanes.activeOf(LANE).submitter, _other);
        lanes.removeSubmitter(LANE, _other);
        assertEq(lanes.activeOf(LANE).submitter, address(0));
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterUnknown.selector, LANE, _other));
        lanes.removeSubmitter(LANE, _other);
        vm.stopPrank();
        vm.prank(submitter);
        lanes.takeOver(LANE);
        assertEq(lanes.activeOf(LANE).submitter, submitter, "nobody was active");
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterNotActive.selector, LANE, _other, submitter));
        lanes.submissionTerms(LANE, 0, _other);
    }

    /// @dev Upholds [PAY-6]: the lane moves on 1 October, so October's weeks 2 and 3 must pass: until the 22nd.
    function test_another_submitter_takes_over_after_two_missed_periods() public {
        vm.prank(authority);
        lanes.registerSubmitter(LANE, _other);
        fundPayers(1_000 ether);
        submitPlan(plan(10_000));
        uint64 from = uint64(START + 51 days);
        assertEq(lanes.takeoverFrom(LANE), from, "2025-10-22");
        vm.warp(from - 1);
        vm.startPrank(_other);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.TakeoverTooEarly.selector, LANE, from));
        lanes.takeOver(LANE);
        vm.warp(from);
        lanes.takeOver(LANE);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterActive.selector, LANE, _other));
        lanes.takeOver(LANE);
        vm.stopPrank();
        assertEq(lanes.takeoverFrom(LANE), START + 68 days, "and it has two periods of its own: 2025-11-08");
        vm.prank(watcher);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterUnknown.selector, LANE, watcher));
        lanes.takeOver(LANE);
    }

    // ---------------------------------------------------------------- sources

    /// @dev Upholds [PAY-7].
    function test_keys_are_of_known_schemes_and_sizes() public {
        bytes[7] memory bad;
        bad[0] = hex"00";
        bad[1] = abi.encodePacked(uint8(1), bytes32(uint256(1)));
        bad[2] = abi.encodePacked(uint8(1), uint8(4), bytes32(uint256(1)));
        bad[3] = abi.encodePacked(uint8(2), uint8(2), bytes32(uint256(1)));
        bad[4] = abi.encodePacked(uint8(3), uint8(5), bytes32(uint256(1)));
        bad[5] = abi.encodePacked(uint8(4), uint8(2), bytes32(uint256(1)));
        bad[6] = new bytes(2_000);
        for (uint256 i; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.KeyMalformed.selector, bad[i].length));
            lanes.registerSourceKey(LANE, "shop", bad[i]);
        }
        lanes.registerSourceKey(LANE, "shop", abi.encodePacked(uint8(1), uint8(2), bytes32(uint256(1))));
        lanes.registerSourceKey(LANE, "shop", abi.encodePacked(uint8(2), bytes32(uint256(1))));
        lanes.registerSourceKey(LANE, "shop", abi.encodePacked(uint8(3), uint8(3), bytes32(uint256(1))));
        lanes.registerSourceKey(LANE, "shop", "");
        bytes32 source = lanes.sourceOf(LANE, address(this), "shop");
        assertEq(lanes.sourceKeyCount(LANE, address(this), source), 4);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.KeySame.selector, source));
        lanes.registerSourceKey(LANE, "shop", "");
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.NameLength.selector, 0, 64));
        lanes.registerSourceKey(LANE, "", "");
    }

    /// @dev Upholds [PAY-7]: a squatter of a name gets another source.
    function test_nobody_takes_anothers_source_name() public {
        bytes memory key = abi.encodePacked(uint8(2), bytes32(uint256(7)));
        vm.prank(watcher);
        bytes32 squatted = lanes.registerSourceKey(LANE, "shop", key);
        bytes32 own = lanes.sourceOf(LANE, payers[0].addr, "shop");
        assertNotEq(squatted, own);
        assertEq(lanes.sourceKeyAt(LANE, payers[0].addr, own, uint64(block.timestamp)), 0);
        assertEq(lanes.sourceKeyAt(LANE, payers[0].addr, squatted, uint64(block.timestamp)), 0);
        assertNotEq(lanes.sourceOf(OTT, payers[0].addr, "shop"), own, "nor in another lane");
    }

    /// @dev Upholds [PAY-8]: against a walk through all keys.
    function testFuzz_the_key_as_of_a_second_is_the_last_one_registered_by_then(uint16[10] memory gaps, uint32 back)
        public
    {
        bytes32 source = lanes.sourceOf(LANE, address(this), "shop");
        uint256 first = block.timestamp;
        uint256[10] memory times;
        for (uint256 i; i < 10; ++i) {
            skip(gaps[i] % 3 == 0 ? 0 : gaps[i]);
            times[i] = block.timestamp;
            lanes.registerSourceKey(LANE, "shop", abi.encodePacked(uint8(2), bytes32(i)));
        }
        uint64 asOf = uint64(bound(back, first - 1, block.timestamp + 1));
        bytes32 expected;
        for (uint256 i; i < 10; ++i) {
            if (times[i] <= asOf) expected = keccak256(abi.encodePacked(uint8(2), bytes32(i)));
        }
        assertEq(lanes.sourceKeyAt(LANE, address(this), source, asOf), expected);
        (uint40 from, bytes memory key) = lanes.sourceKey(LANE, address(this), source, 9);
        assertEq(from, times[9]);
        assertEq(key, abi.encodePacked(uint8(2), bytes32(uint256(9))));
    }

    // ---------------------------------------------------------------- allowances

    /// @dev Upholds [PAY-18].
    function test_an_allowances_consents_only_widen() public {
        bytes32[] memory sources = new bytes32[](1);
        sources[0] = "shop";
        vm.startPrank(payers[0].addr);
        lanes.setAllowance(LANE, WEEK, submitter, 100, false, sources);
        lanes.setAllowance(LANE, WEEK, submitter, 50, true, new bytes32[](0));
        (bool named, bool unsignedSources) = lanes.sourceConsent(payers[0].addr, LANE, WEEK, submitter, "shop");
        assertTrue(named && unsignedSources);
        vm.expectRevert(ILaneRegistry.AllowanceNarrowed.selector);
        lanes.setAllowance(LANE, WEEK, submitter, 50, false, sources);
        lanes.setAllowance(LANE, WEEK, submitter, 0, true, sources);
        assertEq(lanes.allowanceOf(payers[0].addr, LANE, WEEK, submitter).limit, 0, "but the limit falls");
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.TooManySources.selector, 65, 64));
        lanes.setAllowance(LANE, WEEK, submitter, 1, true, new bytes32[](65));
        vm.expectRevert(Governed.ZeroAddress.selector);
        lanes.setAllowance(LANE, WEEK, address(0), 1, true, sources);
        vm.stopPrank();
        (named,) = lanes.sourceConsent(payers[1].addr, LANE, WEEK, submitter, "shop");
        assertFalse(named, "nobody else's");
    }

    function test_only_payouts_draw_on_allowances() public {
        bytes memory stranger = abi.encodeWithSelector(ILaneRegistry.CallerNotPayouts.selector, submitter);
        vm.startPrank(submitter);
        vm.expectRevert(stranger);
        lanes.draw(LANE, WEEK, submitter, new ILaneRegistry.Draw[](0));
        vm.expectRevert(stranger);
        lanes.giveBack(payers[0].addr, LANE, WEEK, submitter, 0);
    }

    // ---------------------------------------------------------------- watchers, governance

    /// @dev Upholds [PAY-9].
    function test_a_watchers_heartbeat_is_its_own() public {
        vm.prank(watcher);
        lanes.heartbeat(LANE, "checked");
        ILaneRegistry.Heartbeat memory h = lanes.heartbeatOf(LANE, watcher);
        assertEq(h.checked, "checked");
        assertEq(h.time, block.timestamp);
        assertEq(h.height, block.number);
        assertEq(lanes.heartbeatOf(LANE, submitter).time, 0);
    }

    function test_contracts_are_initialised_once_and_upgraded_by_the_timelock_alone() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        lanes.initialize(watcher, watcher, 1, 0);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        payouts.initialize(watcher, watcher);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        judge.initialize(watcher, watcher);
        address[3] memory all = [address(lanes), address(payouts), address(judge)];
        for (uint256 i; i < 3; ++i) {
            assertEq(LaneRegistry(all[i]).owner(), address(timelock));
            vm.prank(authority);
            vm.expectRevert(Ownable.Unauthorized.selector);
            LaneRegistry(all[i]).upgradeToAndCall(implementationOf(all[i]), "");
        }
    }
}
