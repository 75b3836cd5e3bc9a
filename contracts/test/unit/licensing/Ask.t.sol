// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {Ask} from "src/licensing/libraries/Ask.sol";

/// @dev Asked of it is what to do: 0 answers, 1 refuses, else it says nothing.
contract Answerer {
    error Refused(bytes32 why);

    fallback() external {
        uint256 what = uint256(bytes32(msg.data[4:36]));
        if (what == 1) revert Refused("because");
        if (what != 0) return;
        assembly ("memory-safe") {
            mstore(0, 0xaa)
            mstore(0x20, 0xbb)
            return(0, 0x40)
        }
    }
}

/// @title Questions to other contracts: answers, refusals passed on, and no answer at all
contract AskTest is Test {
    address private _target = address(new Answerer());

    function ask(uint256 how, bytes32 a) external view returns (bytes32 first, bytes32 second) {
        bytes4 selector = 0x12345678;
        if (how == 0) return (Ask.about(_target, selector, a), 0);
        if (how == 1) return (Ask.word(_target, selector, a, 0), 0);
        if (how == 2) return Ask.words(_target, selector, a, 0, 0);
        return (this.askRights(a, IRightsRegistry.Use(0, 0, 0, "US")), 0);
    }

    function askRights(bytes32 a, IRightsRegistry.Use calldata use_) external view returns (bytes32) {
        return Ask.allows(_target, a, use_);
    }

    function test_the_answers_words_come_back() public view {
        for (uint256 how; how < 4; ++how) {
            (bytes32 first, bytes32 second) = this.ask(how, 0);
            assertEq(uint256(first), 0xaa);
            assertEq(uint256(second), how == 2 ? 0xbb : 0);
        }
    }

    function test_a_refusal_is_passed_on_as_it_is() public {
        for (uint256 how; how < 4; ++how) {
            vm.expectRevert(abi.encodeWithSelector(Answerer.Refused.selector, bytes32("because")));
            this.ask(how, bytes32(uint256(1)));
        }
    }

    function test_no_answer_is_no_answer() public {
        for (uint256 how; how < 4; ++how) {
            vm.expectRevert(bytes(""));
            this.ask(how, bytes32(uint256(2)));
        }
    }
}
