// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Hello} from "../../hello/Hello.sol";

/// @notice Needs no chain: what a newcomer runs first.
contract HelloTest is Test {
    Hello private hello;

    function setUp() external {
        hello = new Hello("hello");
    }

    function test_the_author_changes_the_greeting() external {
        vm.expectEmit(address(hello));
        emit Hello.Greeted(address(this), "good evening");
        hello.greet("good evening");
        assertEq(hello.greeting(), "good evening");
    }

    function testFuzz_nobody_else_changes_it(address caller) external {
        vm.assume(caller != address(this));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Hello.HelloNotAuthor.selector, caller, address(this)));
        hello.greet("mine");
    }
}
