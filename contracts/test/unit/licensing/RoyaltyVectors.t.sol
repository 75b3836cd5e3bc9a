// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {PeriodLib} from "src/licensing/libraries/PeriodLib.sol";
import {RoyaltyMath} from "src/licensing/libraries/RoyaltyMath.sol";
import {Base} from "test/Base.t.sol";

/// @title The vectors of `spec/vectors/royalty`, which `crates/royalty` writes and checks
contract RoyaltyVectors is Base {
    string private _json;
    uint256 private _case;

    // ---------------------------------------------------------------- reading

    function _open(string memory file) private returns (uint256 count) {
        _json = vm.readFile(string.concat(vm.projectRoot(), "/../spec/vectors/royalty/", file));
        count = vm.parseJsonUint(_json, ".count");
        assertGt(count, 0, file);
    }

    function _at(string memory field) private view returns (string memory) {
        return string.concat(".cases[", vm.toString(_case), "].", field);
    }

    function _uint(string memory field) private view returns (uint256) {
        return vm.parseJsonUint(_json, _at(field));
    }

    function _uints(string memory field) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(_json, _at(field));
    }

    function _word(string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, _at(field));
    }

    function _words(string memory field) private view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(_json, _at(field));
    }

    function _weights(string memory field) private view returns (uint96[] memory out) {
        uint256[] memory wide = _uints(field);
        out = new uint96[](wide.length);
        for (uint256 i; i < wide.length; ++i) {
            out[i] = uint96(wide[i]);
            assertEq(out[i], wide[i]);
        }
    }

    function _register() private returns (bytes32) {
        address[] memory payees = vm.parseJsonAddressArray(_json, _at("payees"));
        return splits.registerVector(payees, _weights("weights"), uint96(_uint("denom")));
    }

    // ---------------------------------------------------------------- tests

    function test_Splits_hash_as_the_vectors_say() public {
        uint256 count = _open("splits.json");
        for (_case = 0; _case < count; ++_case) {
            assertEq(_register(), _word("hash"));
        }
    }

    function test_Receipts_allocate_and_prove_as_the_vectors_say() public {
        uint256 count = _open("receipts.json");
        for (_case = 0; _case < count; ++_case) {
            bytes32 hash = _register();
            uint256 kept = _uint("kept");
            uint256[] memory amounts = _uints("amounts");
            (ISplitRegistry.Allocation[] memory all, uint256 whole, uint256 residual, bytes32 root) =
                splits.allocate(hash, kept);
            assertEq(root, _word("root"));
            assertEq(whole, kept);
            assertEq(residual, _uint("residual"));
            assertEq(all.length, amounts.length);
            for (uint256 i; i < amounts.length; ++i) {
                assertEq(all[i].amount, amounts[i]);
            }
            uint256 index = _uint("index");
            (ISplitRegistry.Allocation memory one, bytes32[] memory path,) =
                splits.allocationProof(hash, kept, index, 0);
            assertEq(one.amount, amounts[index]);
            assertEq(path, _words("path"));
        }
    }

    function test_Sum_trees_verify_as_the_vectors_say_and_no_other_leaf_does() public {
        uint256 count = _open("trees.json");
        for (_case = 0; _case < count; ++_case) {
            uint96 denom = uint96(_uint("denom"));
            bytes32 hash = splits.registerTree(_word("root"), denom, uint32(_uint("leaves")));
            assertEq(hash, _word("splitHash"));
            ISplitRegistry.Leaf memory leaf = ISplitRegistry.Leaf(
                vm.parseJsonAddress(_json, _at("payee")), uint96(_uint("start")), uint96(_uint("weight"))
            );
            bytes32[] memory siblings = _words("siblings");
            uint96[] memory sums = _weights("sums");
            uint256 path = _uint("path");
            assertEq(splits.verifyLeaf(hash, leaf, path, siblings, sums), denom);
            leaf.payee = address(uint160(leaf.payee) ^ 1);
            vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafNotInTree.selector, hash));
            splits.verifyLeaf(hash, leaf, path, siblings, sums);
        }
    }

    function test_Routes_chain_as_the_vectors_say() public {
        uint256 count = _open("routes.json");
        for (_case = 0; _case < count; ++_case) {
            bytes32[] memory licences = _words("licences");
            bytes32[] memory routes = _words("routes");
            bytes32[] memory parents = _words("parentRoutes");
            uint256[] memory versions = _uints("splitVersions");
            bool[] memory active = vm.parseJsonBoolArray(_json, _at("active"));
            bytes32 above;
            for (uint256 i = licences.length; i != 0;) {
                --i;
                assertEq(parents[i], above);
                above = keccak256(abi.encode(above, licences[i], uint32(versions[i]), active[i]));
                assertEq(routes[i], above);
            }
        }
    }

    function test_Periods_begin_and_end_as_the_vectors_say() public {
        uint256 count = _open("periods.json");
        for (_case = 0; _case < count; ++_case) {
            uint32 code = uint32(_uint("code"));
            if (!vm.parseJsonBool(_json, _at("valid"))) {
                vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.PeriodMalformed.selector, code));
                this.bounds(code);
                continue;
            }
            (uint64 start, uint64 end) = this.bounds(code);
            assertEq(start, _uint("start"));
            assertEq(end, _uint("end"));
            assertEq(PeriodLib.containing(start), code);
            assertEq(PeriodLib.containing(end - 1), code);
        }
    }

    /// @dev A call of its own, so that its revert can be expected.
    function bounds(uint32 period) external pure returns (uint64, uint64) {
        return PeriodLib.bounds(period);
    }

    function test_Amounts_of_every_step_are_as_the_vectors_say() public {
        uint256 count = _open("amounts.json");
        for (_case = 0; _case < count; ++_case) {
            _sequence();
        }
    }

    function _sequence() private view {
        uint256[] memory revenue = _uints("revenue");
        uint256[4] memory at;
        for (uint256 i; i < revenue.length; ++i) {
            uint256 bps = _uint("royaltyBps");
            assertEq(RoyaltyMath.mostDue(revenue[i], bps), _uints("mostDue")[i]);
            at[0] += revenue[i];
            uint256 base = RoyaltyMath.base(at[0], bps);
            assertEq(base - at[1], _uints("base")[i]);
            uint256 fee = RoyaltyMath.fee(base, _uint("feeBps"), _uint("feeCap"));
            assertEq(fee - at[2], _uints("fee")[i]);
            uint256 up = RoyaltyMath.up(base - fee, _uint("numer"), _uint("denom"));
            assertEq(up - at[3], _uints("passedUp")[i]);
            uint256 kept = base - fee - up;
            assertEq(RoyaltyMath.share(kept, _uint("weight"), _uint("weightDenom")), _uints("owed")[i]);
            (at[1], at[2], at[3]) = (base, fee, up);
        }
    }
}
