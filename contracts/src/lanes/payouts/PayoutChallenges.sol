// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILane} from "../interfaces/ILane.sol";
import {IADEProofs} from "../interfaces/IADEProofs.sol";
import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";
import {PayoutSubmission} from "./PayoutSubmission.sol";

/// @title How a wrong batch dies, and who is paid for it
/// @dev The first proof voids. Whoever committed to a proof before that block may still reveal it, and the earliest commitment
/// has the reward: a proof that is copied from the pool comes without a commitment of that age.
abstract contract PayoutChallenges is PayoutSubmission {
    // ---------------------------------------------------------------- constants

    /// @notice Of what a fraud loses, in hundredths.
    uint256 public constant REWARD_PERCENT = 40;
    /// @notice A commitment lives for so many seconds and heights, whichever takes longer: an outage ends none.
    uint256 public constant REVEAL_SECONDS = 10 minutes;
    uint256 public constant REVEAL_BLOCKS = 250;

    // ---------------------------------------------------------------- commitments

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-30].
    function commitChallenge(bytes32 commitment) external {
        Commitment storage c = _commitments[commitment];
        if (c.order != 0 && !_isOver(c.time, c.height)) return;
        uint64 order = ++_lastCommitment;
        (c.time, c.height, c.order) = (uint40(block.timestamp), uint40(block.number), order);
        emit ChallengeCommitted(commitment, order);
    }

    /// @inheritdoc IPayoutProofs
    function commitmentOf(bytes32 commitment) external view returns (Commitment memory) {
        return _commitments[commitment];
    }

    /// @inheritdoc IPayoutProofs
    function awardOf(bytes32 batchRoot) external view returns (Award memory) {
        return _awards[batchRoot];
    }

    /// @dev Whether ten minutes and their blocks have gone by since.
    function _isOver(uint256 time, uint256 height) private view returns (bool) {
        return block.timestamp > time + REVEAL_SECONDS && block.number > height + REVEAL_BLOCKS;
    }

    // ---------------------------------------------------------------- challenges

    /// @inheritdoc IADEProofs
    /// @dev Without a commitment nobody is rewarded. Upholds [PAY-31].
    function challenge(bytes32 batchRoot, bytes calldata fraudProof) external nonReentrant {
        _checkStatus(batchRoot, Status.Open);
        _void(batchRoot, fraudProof);
    }

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-31], [PAY-32].
    function challenge(bytes32 batchRoot, bytes calldata fraudProof, bytes32 salt) external nonReentrant {
        bool open = _batches[batchRoot].status == Status.Open;
        if (!open) _checkStatus(batchRoot, Status.Void);
        Award storage award = _awards[batchRoot];
        if (award.paid) revert AlreadyPaid(batchRoot);
        uint64 order = _takeCommitment(
            keccak256(abi.encode(batchRoot, keccak256(fraudProof), msg.sender, salt)),
            open ? block.number : award.voidHeight
        );
        if (award.order != 0 && order > award.order) revert NotEarlier(batchRoot, order, award.order);
        if (open) _void(batchRoot, fraudProof);
        else JUDGE.convict(batchRoot, fraudProof);
        (award.winner, award.order) = (msg.sender, order);
        emit ChallengeRevealed(batchRoot, msg.sender, order);
    }

    /// @dev Spends a commitment that was made before height `before`.
    function _takeCommitment(bytes32 id, uint256 before) private returns (uint64 order) {
        Commitment memory c = _commitments[id];
        order = c.order;
        if (order == 0) revert CommitmentUnknown(id);
        if (c.height >= before) revert CommitmentTooNew(id);
        if (_isOver(c.time, c.height)) revert CommitmentExpired(id);
        delete _commitments[id];
    }

    function _checkStatus(bytes32 batchRoot, Status wanted) internal view {
        Status status = _batches[batchRoot].status;
        if (status != wanted) revert BatchStatus(batchRoot, status);
    }

    /// @dev Ten units leave the submitter's collateral; the reservations are anyone's to release. Upholds [PAY-33].
    function _void(bytes32 batchRoot, bytes calldata fraudProof) private {
        (uint8 kind, uint32 period) = JUDGE.convict(batchRoot, fraudProof);
        Batch storage b = _batches[batchRoot];
        b.status = Status.Void;
        --_unsettled[period];
        Award storage award = _awards[batchRoot];
        (award.voidAt, award.voidHeight) = (uint40(block.timestamp), uint40(block.number));
        uint256 slashed = SLASH_UNITS * b.bond;
        _slash(b.submitter, slashed);
        emit Challenged(batchRoot, msg.sender);
        emit BatchVoided(batchRoot, b.submitter, kind, slashed);
    }

    // ---------------------------------------------------------------- the award

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-35], [PAY-36].
    function payAward(bytes32 batchRoot, bytes calldata header) external nonReentrant {
        _checkStatus(batchRoot, Status.Void);
        Award storage award = _awards[batchRoot];
        if (award.paid) revert AlreadyPaid(batchRoot);
        if (!_isOver(award.voidAt, award.voidHeight)) revert RevealOpen(batchRoot);
        award.paid = true;
        address winner = award.winner;
        uint256 slashed = SLASH_UNITS * _batches[batchRoot].bond;
        uint256 reward = winner == address(0) ? 0 : slashed * REWARD_PERCENT / 100;
        if (reward != 0) _credit(winner, reward);
        emit AwardPaid(batchRoot, winner, reward, slashed - reward);
        address[] memory excluded = new address[](2);
        (excluded[0], excluded[1]) = (_batches[batchRoot].submitter, winner);
        CLAIMS.deposit{value: slashed - reward}(batchRoot, address(0), slashed - reward, excluded);
        ILane.PayerTotal[] memory payers = _headerOf(batchRoot, header).payers;
        excluded = new address[](payers.length);
        for (uint256 i; i < payers.length; ++i) {
            excluded[i] = payers[i].payer;
        }
        CLAIMS.exclude(batchRoot, excluded);
    }
}
