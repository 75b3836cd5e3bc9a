// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";

/// @title The demonstration's licences, paid to the unit, in one batch and in many in any order
contract RoyaltyDemoTest is RoyaltyBase {
    string private _given;
    string private _expected;
    bytes32[] private _ids;
    uint256[] private _revenues;

    function setUp() public override {
        super.setUp();
        vm.warp(START);
        _given = vm.readFile("../spec/vectors/demo/licenses.json");
        _expected = vm.readFile("../spec/vectors/demo/expected.json");
        for (uint256 i; vm.keyExistsJson(_expected, _expectedAt(i, "")); ++i) {
            _ids.push(_idOf(vm.parseJsonString(_expected, _expectedAt(i, ".id"))));
            _revenues.push(vm.parseJsonUint(_expected, _expectedAt(i, ".revenue")));
        }
        // Parents before children, whatever the file's order.
        for (uint256 minted; minted < _ids.length;) {
            for (uint256 i; i < _ids.length; ++i) {
                if (registry.licensorOf(_idOf(vm.parseJsonString(_given, _givenAt(i, ".id")))) != address(0)) continue;
                string memory parent = _givenAt(i, ".parent");
                bool child = vm.keyExistsJson(_given, parent);
                bytes32 above = child ? _idOf(vm.parseJsonString(_given, string.concat(parent, ".id"))) : bytes32(0);
                if (child && registry.licensorOf(above) == address(0)) continue;
                _mint(i, above);
                ++minted;
            }
        }
        skip(30 days);
    }

    // ---------------------------------------------------------------- tests

    function test_one_batch_pays_the_demonstration_to_the_unit() public {
        IRoyaltyLedger.Row[] memory rows = new IRoyaltyLedger.Row[](_ids.length);
        for (uint256 i; i < rows.length; ++i) {
            rows[i] = rowOf("batch", address(token), _ids[i], _revenues[i]);
            fund(address(token), mostOf(_ids[i], _revenues[i]));
            reserveFor(rows[i]);
        }
        vm.prank(settler);
        ledger.settleBatch(rows);
        _checkAll();
    }

    /// @dev Theorem T10, the fee included.
    /// forge-config: default.fuzz.runs = 12
    /// forge-config: slow.fuzz.runs = 256
    function testFuzz_T10_totals_do_not_depend_on_batches_or_their_order(uint256 seed) public {
        uint256[] memory left = _revenues;
        uint256 open = left.length;
        fund(address(token), 1e15);
        for (uint256 batch = 1; open != 0; ++batch) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 i = seed % left.length;
            if (left[i] == 0) continue;
            // A part now and then, all of it in the end.
            uint256 part = batch < 150 ? (seed >> 64) % (left[i] + 1) : left[i];
            IRoyaltyLedger.Row memory row = rowOf(bytes32(batch), address(token), _ids[i], part);
            reserveFor(row);
            settleRow(row);
            left[i] -= part;
            if (left[i] == 0) --open;
        }
        _checkAll();
    }

    // ---------------------------------------------------------------- within

    function _checkAll() private {
        uint256 residual;
        for (uint256 i; i < _ids.length; ++i) {
            residual += _checkLicence(i);
        }
        assertEq(residual, vm.parseJsonUint(_expected, ".totals.residual"));
        uint256 fees = vm.parseJsonUint(_expected, ".totals.fees");
        assertEq(ledger.feesOwed(address(token)), fees);
        uint256 paid = _withdrawAll();
        assertEq(paid, vm.parseJsonUint(_expected, ".totals.paid"));
        assertEq(fees + paid + residual, vm.parseJsonUint(_expected, ".totals.gross"));
        (uint256 free, uint256 reserved) = ledger.potOf(address(token), LANE, payer);
        assertEq(reserved, 0);
        assertEq(ledger.accounted(address(token)), fees + residual + free);
    }

    function _checkLicence(uint256 i) private view returns (uint256 residual) {
        IRoyaltyLedger.Accrual memory a = ledger.accrualOf(address(token), _ids[i], LANE, PERIOD);
        assertEq(a.base, vm.parseJsonUint(_expected, _expectedAt(i, ".base")));
        assertEq(a.fee, vm.parseJsonUint(_expected, _expectedAt(i, ".fee")));
        ISplitRegistry.Allocation[] memory all;
        (all,, residual,) = ledger.payoutReceipt(address(token), keyOf(_ids[i]));
        assertEq(residual, vm.parseJsonUint(_expected, _expectedAt(i, ".residual")));
        for (uint256 j; j < all.length; ++j) {
            string memory payee = string.concat(_expectedAt(i, ".payees["), vm.toString(j), "]");
            address to = vm.parseJsonAddress(_expected, string.concat(payee, ".address"));
            uint256 amount = vm.parseJsonUint(_expected, string.concat(payee, ".amount"));
            assertEq(_allocated(all, to), amount);
        }
        assertFalse(
            vm.keyExistsJson(_expected, string.concat(_expectedAt(i, ".payees["), vm.toString(all.length), "]"))
        );
    }

    function _allocated(ISplitRegistry.Allocation[] memory all, address to) private pure returns (uint256) {
        for (uint256 i; i < all.length; ++i) {
            if (all[i].to == to) return all[i].amount;
        }
        revert("not a payee");
    }

    function _withdrawAll() private returns (uint256 paid) {
        for (uint256 i; i < _ids.length; ++i) {
            uint256 count = splits.payeeCount(registry.splitHashOf(_ids[i], 1));
            IRoyaltyLedger.Payout[] memory ps = new IRoyaltyLedger.Payout[](count);
            for (uint256 j; j < count; ++j) {
                ps[j] = payoutOf(address(token), _ids[i], j);
            }
            uint256[] memory amounts = ledger.withdrawBatch(ps);
            for (uint256 j; j < count; ++j) {
                paid += amounts[j];
            }
        }
    }

    function _mint(uint256 i, bytes32 parent) private {
        ILicenseRegistry.LicenseData memory d =
            data(_bpsOf(vm.parseJsonString(_given, _givenAt(i, ".royalty.value"))), _split(i));
        d.owner = vm.parseJsonAddress(_given, _givenAt(i, ".owner"));
        d.licensee = vm.parseJsonAddress(_given, _givenAt(i, ".licensee"));
        d.endTs = uint64(START + 364 days);
        ILicenseRegistry.Terms memory t;
        t.parent = parent;
        if (parent != 0) {
            t.numer = uint64(vm.parseJsonUint(_given, _givenAt(i, ".parent.rate[0]")));
            t.denom = uint64(vm.parseJsonUint(_given, _givenAt(i, ".parent.rate[1]")));
        }
        mintAs(_idOf(vm.parseJsonString(_given, _givenAt(i, ".id"))), d, t);
    }

    /// @dev Ascending by payee, as the canonical form wants.
    function _split(uint256 i) private returns (bytes32) {
        uint256 count;
        while (vm.keyExistsJson(_given, string.concat(_givenAt(i, ".splits["), vm.toString(count), "]"))) ++count;
        address[] memory payees = new address[](count);
        uint96[] memory weights = new uint96[](count);
        for (uint256 j; j < count; ++j) {
            string memory entry = string.concat(_givenAt(i, ".splits["), vm.toString(j), "]");
            address payee = vm.parseJsonAddress(_given, string.concat(entry, ".to"));
            uint96 weight = uint96(vm.parseJsonUint(_given, string.concat(entry, ".weight")));
            uint256 k = j;
            for (; k != 0 && payees[k - 1] > payee; --k) {
                (payees[k], weights[k]) = (payees[k - 1], weights[k - 1]);
            }
            (payees[k], weights[k]) = (payee, weight);
        }
        return splits.registerVector(payees, weights, uint96(vm.parseJsonUint(_given, _givenAt(i, ".denom"))));
    }

    /// @dev Per cent with up to two decimals, in basis points.
    function _bpsOf(string memory percent) private pure returns (uint256 bps) {
        bytes memory s = bytes(percent);
        uint256 decimals;
        bool dot;
        for (uint256 i; i < s.length; ++i) {
            if (s[i] == ".") {
                dot = true;
                continue;
            }
            bps = bps * 10 + uint8(s[i]) - 48;
            if (dot) ++decimals;
        }
        require(decimals <= 2, "more than two decimals");
        return bps * 10 ** (2 - decimals);
    }

    function _idOf(string memory id) private pure returns (bytes32) {
        return keccak256(bytes(id));
    }

    function _givenAt(uint256 i, string memory key) private pure returns (string memory) {
        return string.concat(".[", vm.toString(i), "]", key);
    }

    function _expectedAt(uint256 i, string memory key) private pure returns (string memory) {
        return string.concat(".licenses[", vm.toString(i), "]", key);
    }
}
