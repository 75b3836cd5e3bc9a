// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {Roles} from "src/core/Roles.sol";
import {FraudJudge} from "src/lanes/FraudJudge.sol";
import {LaneRegistry} from "src/lanes/LaneRegistry.sol";
import {PayoutProofs} from "src/lanes/PayoutProofs.sol";
import {IDataAvailability} from "src/lanes/interfaces/IDataAvailability.sol";
import {IFraudJudge} from "src/lanes/interfaces/IFraudJudge.sol";
import {ILane} from "src/lanes/interfaces/ILane.sol";
import {ILaneRegistry} from "src/lanes/interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {BlobIds} from "src/lanes/libraries/BlobIds.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";
import {RowForest} from "test/mocks/RowForest.sol";
import {DataDouble, LaneDouble} from "test/mocks/ModuleDoubles.sol";

/// @title Lanes and payout proofs among their neighbours, with a submitter, payers and licences
abstract contract LaneBase is RoyaltyBase {
    // ---------------------------------------------------------------- types

    /// @dev A batch as the test builds it; `plan` fills what follows from the rows.
    struct Plan {
        ILane.Header h;
        IPayoutProofs.TableRow[] rows;
        bytes32[] leaves;
        bytes header;
        bytes32 root;
        IPayoutProofs.Claim claim;
    }

    // ---------------------------------------------------------------- constants

    /// @dev 22 to 28 September 2025; the tests begin on 1 October.
    uint32 internal constant WEEK = 20250904;
    uint256 internal constant WEEK_START = START + 21 days;
    uint256 internal constant WEEK_END = START + 28 days;
    uint32 internal constant WINDOW = 7 days;
    uint32 internal constant WINDOW_BLOCKS = 1_000;
    /// @dev Token units in one of the lane's minor units: 18 decimals and 2.
    uint256 internal constant UNIT = 1e16;
    bytes32 internal constant FILM = keccak256("FILM-1");
    bytes32 internal constant SONG = keccak256("SONG-1");

    // ---------------------------------------------------------------- storage

    LaneRegistry internal lanes = LaneRegistry(SystemAddresses.LANE_REGISTRY);
    PayoutProofs internal payouts = PayoutProofs(SystemAddresses.PAYOUT_PROOFS);
    FraudJudge internal judge = FraudJudge(SystemAddresses.FRAUD_JUDGE);
    DataDouble internal data_ = DataDouble(SystemAddresses.DATA_AVAILABILITY);
    LaneDouble internal laneModule = LaneDouble(SystemAddresses.LANE);
    address internal submitter = makeAddr("submitter");
    address internal watcher = makeAddr("watcher");
    /// @dev In ascending order.
    Vm.Wallet[] internal payers;
    bytes32 internal lastRoot;

    // ---------------------------------------------------------------- setting up

    function setUp() public virtual override {
        super.setUp();
        _deploy(
            "LaneRegistry.sol:LaneRegistry",
            abi.encodeWithSignature(
                "initialize(address,address,uint32,uint32)", address(timelock), authority, WINDOW, WINDOW_BLOCKS
            ),
            address(lanes)
        );
        deploySystem("PayoutProofs.sol:PayoutProofs", "", address(payouts));
        deploySystem("FraudJudge.sol:FraudJudge", "", address(judge));
        vm.etch(address(data_), address(new DataDouble()).code);
        vm.etch(address(laneModule), address(new LaneDouble()).code);
        vm.startPrank(address(timelock));
        ledger.grantRoles(address(payouts), Roles.SETTLER);
        claimsPool.grantRoles(address(payouts), Roles.SETTLER);
        feeRouter.grantRoles(address(payouts), Roles.SETTLER);
        vm.stopPrank();
        vm.prank(authority);
        lanes.registerSubmitter(LANE, submitter);
        mintRoot(FILM, 2_000, singleSplit(address(0xF11)));
        mintRoot(SONG, 500, singleSplit(address(0x5046)));
        for (uint256 i; i < 3; ++i) {
            payers.push(vm.createWallet(string.concat("payer", vm.toString(i))));
        }
        _sort();
        bond(submitter, 100_000 ether);
        // What is minted above is known as of a batch.
        skip(1 hours);
    }

    function _deploy(string memory artefact, bytes memory initialize, address where) internal {
        address implementation = implementationOf(where);
        deployCodeTo(artefact, "", implementation);
        deployCodeTo("ERC1967Proxy.sol:ERC1967Proxy", abi.encode(implementation, initialize), where);
    }

    function _sort() private {
        for (uint256 i; i < payers.length; ++i) {
            for (uint256 j = i + 1; j < payers.length; ++j) {
                if (payers[j].addr < payers[i].addr) {
                    Vm.Wallet memory w = payers[i];
                    payers[i] = payers[j];
                    payers[j] = w;
                }
            }
        }
    }

    function bond(address who, uint256 amount) internal {
        vm.deal(address(this), address(this).balance + amount);
        payouts.addCollateral{value: amount}(who);
    }

    /// @dev Whole CHM into every payer's pot.
    function fundPayers(uint256 each) internal {
        for (uint256 i; i < payers.length; ++i) {
            fund(CHM, payers[i].addr, each);
        }
    }

    // ---------------------------------------------------------------- batches

    /// @dev Two rows a payer, FILM and SONG, of so many cents each.
    function plan(uint256 cents) internal returns (Plan memory p) {
        return planOf(WEEK, cents, 2 * payers.length);
    }

    function planOf(uint32 period, uint256 cents, uint256 rows) internal returns (Plan memory p) {
        p.rows = new IPayoutProofs.TableRow[](rows);
        (bytes32 first, bytes32 second) = FILM < SONG ? (FILM, SONG) : (SONG, FILM);
        for (uint256 i; i < rows; ++i) {
            bytes32 licence = i % 2 == 0 ? first : second;
            uint16 bps = licence == FILM ? 2_000 : 500;
            p.rows[i] = IPayoutProofs.TableRow({
                payer: payers[i / 2].addr,
                licence: licence,
                firstRecord: uint32(i * 10),
                count: 10,
                revenue: uint128(cents),
                royaltyBps: bps,
                owed: uint128((cents * bps + 9_999) / 10_000)
            });
        }
        p.h.period = period;
        fill(p);
    }

    /// @dev All that follows from rows, period and the lane's state; publishes a blob.
    function fill(Plan memory p) internal {
        p.h.format = 1;
        (p.h.parameters,) = lanes.parametersAt(LANE, uint64(WEEK_START));
        p.h.lane = LANE;
        p.h.number = payouts.nextNumber(LANE, p.h.period);
        p.h.predecessor = payouts.lastBatchOf(LANE);
        p.h.asOf = uint64(block.timestamp - 1);
        (p.h.records, p.h.rows) = (uint32(p.rows.length * 10), uint32(p.rows.length));
        (p.h.recordPages, p.h.tablePages, p.h.nodePages) = (1, 1, 1);
        p.h.receiptsRoot = keccak256(abi.encode("receipts", p.h.predecessor, p.rows));
        p.leaves = new bytes32[](p.rows.length);
        for (uint256 i; i < p.rows.length; ++i) {
            p.leaves[i] = RowForest.leaf(p.rows[i]);
        }
        p.h.licensesRoot = RowForest.root(p.leaves);
        p.h.blobHeader = blobHeaderOf(LANE, p.h.period, 4, p.h.receiptsRoot);
        _total(p);
        publish(p, uint64(block.timestamp + 30 days));
        seal(p);
    }

    /// @dev The payers' totals, from the rows.
    function _total(Plan memory p) private pure {
        ILane.PayerTotal[] memory totals = new ILane.PayerTotal[](p.rows.length);
        uint256 count;
        for (uint256 i; i < p.rows.length; ++i) {
            if (count == 0 || totals[count - 1].payer != p.rows[i].payer) {
                totals[count++] = ILane.PayerTotal(p.rows[i].payer, uint32(i), 0);
            }
            totals[count - 1].owed += p.rows[i].owed;
        }
        assembly {
            mstore(totals, count)
        }
        p.h.payers = totals;
    }

    /// @dev The header's bytes, hash and claim, after a test changed a field.
    function seal(Plan memory p) internal view {
        p.header = laneModule.encode(p.h);
        p.root = keccak256(p.header);
        (, uint256 end) = (WEEK_START, WEEK_END);
        p.claim = IPayoutProofs.Claim({
            lane: LANE,
            period: p.h.period,
            token: CHM,
            scale: 16,
            rebateBps: block.timestamp <= end + 7 days ? 1_000 : 0,
            rows: p.h.rows,
            licensesRoot: p.h.licensesRoot
        });
    }

    function blobHeaderOf(bytes20 lane, uint32 period, uint16 rows, bytes32 salt) internal pure returns (bytes memory) {
        bytes32 commitment = keccak256(abi.encode("commitment", salt));
        bytes32 merkleRoot = keccak256(abi.encode("blob", salt));
        return abi.encodePacked(uint8(1), lane, period, rows, uint16(64), commitment, bytes16(commitment), merkleRoot);
    }

    function publish(Plan memory p, uint64 expiresAt) internal {
        bytes32 commitment = keccak256(abi.encode("commitment", p.h.receiptsRoot));
        bytes32 merkleRoot = keccak256(abi.encode("blob", p.h.receiptsRoot));
        data_.set(
            BlobIds.idOf(p.h),
            IDataAvailability.Blob({
                status: IDataAvailability.Status.Available,
                laneId: LANE,
                period: p.h.period,
                rows: 4,
                merkleRoot: merkleRoot,
                kzgCommitment: abi.encodePacked(commitment, bytes16(commitment)),
                announcedAt: 1,
                availableAt: 2,
                expiresAt: expiresAt,
                pendingExpiry: expiresAt
            })
        );
    }

    // ---------------------------------------------------------------- consents

    function signed(Plan memory p) internal returns (IPayoutProofs.PayerAuthorisation[] memory all) {
        all = new IPayoutProofs.PayerAuthorisation[](p.h.payers.length);
        for (uint256 i; i < all.length; ++i) {
            all[i].signature = signatureOf(p, i);
        }
    }

    function signatureOf(Plan memory p, uint256 i) internal returns (bytes memory) {
        bytes32 digest = payouts.authorisationDigest(p.root, p.h.payers[i].owed * UNIT);
        for (uint256 j; j < payers.length; ++j) {
            if (payers[j].addr != p.h.payers[i].payer) continue;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(payers[j], digest);
            return abi.encodePacked(r, s, v);
        }
        return "";
    }

    function submitPlan(Plan memory p) internal returns (bytes32) {
        return submitPlan(p, signed(p));
    }

    function submitPlan(Plan memory p, IPayoutProofs.PayerAuthorisation[] memory consents) internal returns (bytes32) {
        vm.prank(submitter);
        return payouts.submit(p.header, consents);
    }

    /// @dev Funds, submits and returns a right batch.
    function submitted(uint256 cents) internal returns (Plan memory p) {
        p = plan(cents);
        for (uint256 i; i < p.h.payers.length; ++i) {
            if (p.h.payers[i].owed != 0) fund(CHM, p.h.payers[i].payer, p.h.payers[i].owed * UNIT);
        }
        submitPlan(p);
    }

    function finalized(uint256 cents) internal returns (Plan memory p) {
        p = submitted(cents);
        passWindow();
        payouts.finalize(p.root);
    }

    function passWindow() internal {
        skip(WINDOW);
        vm.roll(block.number + WINDOW_BLOCKS);
    }

    function passReveal() internal {
        skip(10 minutes + 1);
        vm.roll(block.number + 251);
    }

    function settlePlan(Plan memory p, uint256 i) internal returns (uint256 base, uint256 fee) {
        return payouts.settle(p.root, p.claim, p.rows[i], i, RowForest.path(p.leaves, i));
    }

    function statusOf(bytes32 root) internal view returns (IPayoutProofs.Status) {
        return payouts.batchOf(root).status;
    }

    // ---------------------------------------------------------------- frauds

    /// @dev A proof that the double convicts on, with one cell of the batch's blob.
    function proofOf(Plan memory p, ILane.Verdict memory v) internal pure returns (bytes memory) {
        IDataAvailability.Cell[] memory cells = new IDataAvailability.Cell[](1);
        cells[0] = cellOf(p, 0, 3);
        return abi.encode(IFraudJudge.FraudProof(p.header, v.kind, "", cells, abi.encode(v)));
    }

    function cellOf(Plan memory p, uint16 row, uint16 column) internal pure returns (IDataAvailability.Cell memory) {
        bytes memory page = new bytes(2048);
        bytes32 right = keccak256(abi.encode(BlobIds.idOf(p.h), row, column, page));
        return IDataAvailability.Cell(row, column, page, abi.encode(right));
    }

    function wrongSum() internal pure returns (ILane.Verdict memory v) {
        v.kind = 4;
    }

    function fraudProof(Plan memory p) internal pure returns (bytes memory) {
        return proofOf(p, wrongSum());
    }

    function commitmentOf(bytes32 root, bytes memory proof, address who, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(root, keccak256(proof), who, salt));
    }

    /// @dev Commits and challenges a block later.
    function challengeBy(address who, bytes32 root, bytes memory proof) internal {
        vm.prank(who);
        payouts.commitChallenge(commitmentOf(root, proof, who, "salt"));
        nextBlock();
        vm.prank(who);
        payouts.challenge(root, proof, "salt");
    }
}
