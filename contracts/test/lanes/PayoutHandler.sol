// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title Receives no money
contract Refusing {
    receive() external payable {
        revert("no");
    }
}

/// @title Comes back while it is paid
contract Returning {
    uint256 public gained;

    receive() external payable {
        (bool done,) = msg.sender.call(abi.encodeCall(IPayoutProofs.withdrawCollateral, (msg.value, address(this))));
        if (done) ++gained;
    }
}

/// @title Random acts at PayoutProofs; what each must change is counted here, independently of it
contract PayoutHandler is LaneBase {
    struct Known {
        Plan plan;
        bytes proof;
        uint256 committedAt;
        uint256 settledRows;
        bool released;
        bool paid;
        bool standing;
    }

    Known[] private _known;
    uint256 public deposited;
    uint256 public withdrawn;
    uint256 public collateralIn;
    uint256 public collateralOut;
    uint256 public forfeited;
    mapping(bytes32 root => IPayoutProofs.Status) public expected;
    mapping(string act => uint256) public done;
    address[] public accounts;
    Returning public returning;

    function begin() external {
        setUp();
        returning = new Returning();
        accounts = [submitter, watcher, address(new Refusing()), address(returning)];
        collateralIn = 100_000 ether;
        for (uint256 i; i < 3; ++i) {
            vm.prank(payers[i].addr);
            lanes.setAllowance(LANE, WEEK, submitter, type(uint112).max, false, new bytes32[](0));
        }
    }

    // ---------------------------------------------------------------- acts

    function fundPot(uint256 seed, uint96 amount) external {
        amount = uint96(bound(amount, 1, 10_000 ether));
        fund(CHM, payers[seed % 3].addr, amount);
        deposited += amount;
    }

    function takePot(uint256 seed, uint96 amount) external {
        address payer = payers[seed % 3].addr;
        (uint256 free,) = ledger.potOf(CHM, LANE, payer);
        if (free == 0) return;
        amount = uint96(bound(amount, 1, free));
        vm.prank(payer);
        ledger.withdrawPot(CHM, LANE, amount, payer);
        withdrawn += amount;
    }

    function addCollateral(uint256 seed, uint96 amount) external {
        amount = uint96(bound(amount, 1, 50_000 ether));
        bond(accounts[seed % 4], amount);
        collateralIn += amount;
    }

    function takeCollateral(uint256 seed, uint128 amount) external {
        address who = accounts[seed % 4];
        address to = accounts[(seed >> 8) % 4];
        uint256 free = payouts.collateralOf(who).free;
        if (free == 0) return;
        amount = uint128(bound(amount, 1, free));
        vm.prank(who);
        try payouts.withdrawCollateral(amount, to) {
            collateralOut += amount;
            ++done["takeCollateral"];
        } catch {
            require(payouts.collateralOf(who).free == free, "a refusal moved money");
        }
    }

    /// @dev Cents that divide evenly, so that what is reserved is what is due.
    function submit(uint256 seed, uint96 cents) external {
        Plan memory p = planOf(WEEK, bound(cents, 1, 100) * 10_000, 1 + seed % 6);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        bool standing = seed >> 8 & 1 == 1;
        if (standing) consents[0] = IPayoutProofs.PayerAuthorisation(true, "");
        vm.prank(submitter);
        try payouts.submit(p.header, consents) {
            Known storage k = _known.push();
            k.plan.header = p.header;
            k.plan.root = p.root;
            k.plan.claim = p.claim;
            k.plan.leaves = p.leaves;
            k.plan.h.receiptsRoot = p.h.receiptsRoot;
            k.plan.h.period = p.h.period;
            k.plan.h.lane = p.h.lane;
            k.plan.h.blobHeader = p.h.blobHeader;
            for (uint256 i; i < p.rows.length; ++i) {
                k.plan.rows.push(p.rows[i]);
            }
            for (uint256 i; i < p.h.payers.length; ++i) {
                k.plan.h.payers.push(p.h.payers[i]);
            }
            k.standing = standing;
            k.proof = fraudProof(p);
            expected[p.root] = IPayoutProofs.Status.Open;
            ++done["submit"];
        } catch {}
    }

    function commit(uint256 seed) external {
        if (_known.length == 0) return;
        Known storage k = _known[seed % _known.length];
        address who = accounts[(seed >> 8) % 4];
        vm.prank(who);
        payouts.commitChallenge(commitmentOf(k.plan.root, k.proof, who, "salt"));
        ++done["commit"];
    }

    /// @dev With or without a commitment.
    function challenge(uint256 seed) external {
        if (_known.length == 0) return;
        Known storage k = _known[seed % _known.length];
        bytes32 root = k.plan.root;
        bool open = expected[root] == IPayoutProofs.Status.Open;
        vm.prank(accounts[(seed >> 8) % 4]);
        if (seed >> 16 & 3 != 0) {
            try payouts.challenge(root, k.proof, "salt") {
                require(open || (expected[root] == IPayoutProofs.Status.Void && !k.paid), "revealed too late");
                ++done["reveal"];
            } catch {
                return;
            }
        } else {
            try payouts.challenge(root, k.proof) {
                require(open, "voided what was not open");
            } catch {
                require(!open, "a proof was refused");
                return;
            }
        }
        expected[root] = IPayoutProofs.Status.Void;
        ++done["challenge"];
    }

    function payAward(uint256 seed) external {
        if (_known.length == 0) return;
        Known storage k = _known[seed % _known.length];
        uint256 slashed = 10 * uint256(payouts.batchOf(k.plan.root).bond);
        address winner = payouts.awardOf(k.plan.root).winner;
        uint256 before = claimsPool.heldFor(k.plan.root, CHM);
        try payouts.payAward(k.plan.root, k.plan.header) {
            require(expected[k.plan.root] == IPayoutProofs.Status.Void && !k.paid, "paid what was not due");
            k.paid = true;
            uint256 rest = claimsPool.heldFor(k.plan.root, CHM) - before;
            require(rest == (winner == address(0) ? slashed : slashed * 6 / 10), "another share");
            forfeited += rest;
            ++done["payAward"];
        } catch {}
    }

    function finalize(uint256 seed) external {
        if (_known.length == 0) return;
        bytes32 root = _known[seed % _known.length].plan.root;
        IPayoutProofs.Batch memory b = payouts.batchOf(root);
        try payouts.finalize(root) {
            require(expected[root] == IPayoutProofs.Status.Open, "finalised what was not open");
            require(block.timestamp >= b.closesAt && block.number >= b.closesHeight, "too early");
            expected[root] = IPayoutProofs.Status.Finalized;
            ++done["finalize"];
        } catch {}
    }

    function settle(uint256 seed) external {
        if (_known.length == 0) return;
        Known storage k = _known[seed % _known.length];
        uint256 i = (seed >> 8) % k.plan.rows.length;
        bool was = ledger.isSettled(k.plan.root, k.plan.rows[i].payer, k.plan.rows[i].licence);
        Plan memory p = k.plan;
        try this.settleRow(p, i) {
            require(!was && expected[p.root] == IPayoutProofs.Status.Finalized, "settled what was not due");
            ++k.settledRows;
            if (k.settledRows == p.rows.length) expected[p.root] = IPayoutProofs.Status.Done;
            ++done["settle"];
        } catch {
            require(was || expected[p.root] != IPayoutProofs.Status.Finalized, "a row was refused");
        }
    }

    function settleRow(Plan memory p, uint256 i) external {
        settlePlan(p, i);
    }

    function release(uint256 seed) external {
        if (_known.length == 0) return;
        Known storage k = _known[seed % _known.length];
        bytes32 root = k.plan.root;
        try payouts.release(root, k.plan.claim, k.plan.header) {
            require(!k.released && expected[root] != IPayoutProofs.Status.Open, "released what was not free");
            if (expected[root] == IPayoutProofs.Status.Finalized) {
                require(block.timestamp >= payouts.batchOf(root).finalizedAt + 365 days, "too early");
                expected[root] = IPayoutProofs.Status.Done;
            }
            k.released = true;
            ++done["release"];
        } catch {}
    }

    function claimRebate() external {
        if (ledger.feesOwed(CHM) != 0) {
            withdrawn += ledger.feesOwed(CHM);
            ledger.collectFees(CHM);
        }
        vm.prank(submitter);
        try payouts.claimRebate(CHM) {
            ++done["claimRebate"];
        } catch {}
    }

    function wait(uint24 seconds_, uint16 blocks) external {
        skip(seconds_ % 2 days);
        vm.roll(block.number + blocks % 700);
    }

    // ---------------------------------------------------------------- sums

    function count() external view returns (uint256) {
        return _known.length;
    }

    function rootAt(uint256 i) external view returns (bytes32) {
        return _known[i].plan.root;
    }

    /// @dev CHM of void batches that is not paid out yet.
    function pendingAwards() external view returns (uint256 sum) {
        for (uint256 i; i < _known.length; ++i) {
            bytes32 root = _known[i].plan.root;
            if (expected[root] == IPayoutProofs.Status.Void && !_known[i].paid) {
                sum += 10 * uint256(payouts.batchOf(root).bond);
            }
        }
    }

    /// @dev Ten units of each open batch.
    function openStakes() external view returns (uint256 sum) {
        for (uint256 i; i < _known.length; ++i) {
            bytes32 root = _known[i].plan.root;
            if (expected[root] == IPayoutProofs.Status.Open) sum += 10 * uint256(payouts.batchOf(root).bond);
        }
    }

    /// @dev What batches hold of a payer's pot: all rows that are not settled, of all that are not released.
    function heldOf(uint256 payer) external view returns (uint256 sum) {
        for (uint256 i; i < _known.length; ++i) {
            Known storage k = _known[i];
            if (k.released) continue;
            for (uint256 j; j < k.plan.rows.length; ++j) {
                IPayoutProofs.TableRow storage r = k.plan.rows[j];
                if (r.payer != payers[payer].addr || ledger.isSettled(k.plan.root, r.payer, r.licence)) continue;
                sum += uint256(r.owed) * UNIT;
            }
        }
    }

    /// @dev What batches took of a payer's allowance and did not give back.
    function drawnOf(uint256 payer) external view returns (uint256 sum) {
        for (uint256 i; i < _known.length; ++i) {
            Known storage k = _known[i];
            bool back = k.released && expected[k.plan.root] == IPayoutProofs.Status.Void;
            if (!k.standing || back || k.plan.h.payers[0].payer != payers[payer].addr) continue;
            sum += k.plan.h.payers[0].owed * UNIT;
        }
    }

    /// @dev Batches of the period with rows to come.
    function live() external view returns (uint256 n) {
        for (uint256 i; i < _known.length; ++i) {
            IPayoutProofs.Status s = expected[_known[i].plan.root];
            if (s == IPayoutProofs.Status.Open || s == IPayoutProofs.Status.Finalized) ++n;
        }
    }

    function payerAt(uint256 i) external view returns (address) {
        return payers[i].addr;
    }

    function accountsLength() external view returns (uint256) {
        return accounts.length;
    }
}
