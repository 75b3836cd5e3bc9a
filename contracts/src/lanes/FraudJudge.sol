// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "../core/Governed.sol";
import {SystemAddresses} from "../core/SystemAddresses.sol";
import {ILicenseRegistry} from "../licensing/interfaces/ILicenseRegistry.sol";
import {IDataAvailability} from "./interfaces/IDataAvailability.sol";
import {IFraudJudge} from "./interfaces/IFraudJudge.sol";
import {ILane} from "./interfaces/ILane.sol";
import {ILaneRegistry} from "./interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "./interfaces/IPayoutProofs.sol";
import {BlobIds} from "./libraries/BlobIds.sol";

/// @title The judge of fraud proofs: apart from PayoutProofs for the size of a contract, without storage of its own
contract FraudJudge is IFraudJudge, Governed {
    // ---------------------------------------------------------------- constants

    uint256 public constant MAX_CELLS = 3;

    /// @dev What the module says of a record when the evidence has no key: keccak256 of nothing.
    bytes32 private constant NO_KEY = keccak256("");

    ILane private constant LANE = ILane(SystemAddresses.LANE);
    IDataAvailability private constant DATA = IDataAvailability(SystemAddresses.DATA_AVAILABILITY);
    ILaneRegistry private constant LANES = ILaneRegistry(SystemAddresses.LANE_REGISTRY);
    ILicenseRegistry private constant LICENCES = ILicenseRegistry(SystemAddresses.LICENSE_REGISTRY);
    IPayoutProofs private constant PAYOUTS = IPayoutProofs(SystemAddresses.PAYOUT_PROOFS);

    // ---------------------------------------------------------------- constructor

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Gets no role here.
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, 0);
    }

    // ---------------------------------------------------------------- functions

    /// @inheritdoc IFraudJudge
    /// @dev Upholds [PAY-28], [PAY-29].
    function convict(bytes32 batchRoot, bytes calldata fraudProof) external view returns (uint8 kind, uint32 period) {
        FraudProof memory proof = _decoded(fraudProof);
        bytes32 given = keccak256(proof.header);
        if (given != batchRoot) revert HeaderMismatch(batchRoot, given);
        ILane.Header memory h = LANE.decodeHeader(proof.header);
        ILane.Cell[] memory cells = _openCells(BlobIds.idOf(h), proof);
        ILane.Verdict memory v = LANE.judge(proof.header, proof.kind, cells, proof.evidence);
        if (!_isConfirmed(batchRoot, h, v)) revert NotConfirmed(v.check);
        return (v.kind, h.period);
    }

    /// @inheritdoc IFraudJudge
    function decodeProof(bytes calldata fraudProof) external pure returns (FraudProof memory) {
        return abi.decode(fraudProof, (FraudProof));
    }

    /// @dev Through a call, so that malformed bytes have an error of their own.
    function _decoded(bytes calldata fraudProof) private view returns (FraudProof memory proof) {
        try this.decodeProof(fraudProof) returns (FraudProof memory p) {
            return p;
        } catch {
            revert ProofMalformed();
        }
    }

    /// @dev The cells without their proofs, which the module has verified.
    function _openCells(bytes32 blobId, FraudProof memory proof) private view returns (ILane.Cell[] memory cells) {
        uint256 count = proof.cells.length;
        if (count > MAX_CELLS) revert CellCount(count, MAX_CELLS);
        cells = new ILane.Cell[](count);
        if (count == 0) return cells;
        if (!DATA.verifyCells(blobId, proof.commitments, proof.cells)) revert CellsNotOfBlob(blobId);
        for (uint256 i; i < count; ++i) {
            IDataAvailability.Cell memory cell = proof.cells[i];
            cells[i] = ILane.Cell(cell.row, cell.column, cell.data);
        }
    }

    /// @dev What contract state says to a verdict, by what was recorded when the batch says that it looked: nothing done later
    /// makes an honest batch wrong.
    function _isConfirmed(bytes32 batchRoot, ILane.Header memory h, ILane.Verdict memory v)
        private
        view
        returns (bool)
    {
        if (v.check == ILane.Check.None) return true;
        if (v.check == ILane.Check.Licence) {
            ILicenseRegistry.State state = LICENCES.stateAt(v.licence, v.time, h.asOf).state;
            return state != ILicenseRegistry.State.Active && state != ILicenseRegistry.State.Suspended;
        }
        if (v.check == ILane.Check.Terms) return _isTermsWrong(h, v);
        if (v.check == ILane.Check.Source) return _isSourceWrong(batchRoot, h, v);
        (,, uint40 order, bool isVoid) = PAYOUTS.consentOf(v.earlier);
        (,, uint40 own,) = PAYOUTS.consentOf(batchRoot);
        return order != 0 && order < own && !isVoid;
    }

    /// @dev A licence that nobody knew then has no terms. Terms at a time gone by never change.
    function _isTermsWrong(ILane.Header memory h, ILane.Verdict memory v) private view returns (bool) {
        if (LICENCES.checkpointCount(v.licence) == 0) return true;
        if (LICENCES.checkpointAt(v.licence, 0).recordedAt > h.asOf) return true;
        return LICENCES.termsAt(v.licence, v.time).royaltyBps != v.royaltyBps;
    }

    /// @dev With a key: the one registered as of then. Without: the payer consented by an allowance that does not admit the source.
    function _isSourceWrong(bytes32 batchRoot, ILane.Header memory h, ILane.Verdict memory v)
        private
        view
        returns (bool)
    {
        bytes32 registered = LANES.sourceKeyAt(h.lane, v.payer, v.source, h.asOf);
        if (v.key != NO_KEY) return registered == v.key;
        (address submitter, uint256 standing,,) = PAYOUTS.consentOf(batchRoot);
        if (!_isIn(standing, h, v.payer)) return false;
        (bool named, bool unsignedSources) = LANES.sourceConsent(v.payer, h.lane, h.period, submitter, v.source);
        return !named || (registered == 0 && !unsignedSources);
    }

    /// @dev Whether `payer` is in the header and its bit is set.
    function _isIn(uint256 standing, ILane.Header memory h, address payer) private pure returns (bool) {
        for (uint256 i; i < h.payers.length; ++i) {
            if (h.payers[i].payer == payer) return standing >> i & 1 == 1;
        }
        return false;
    }
}
