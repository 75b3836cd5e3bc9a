// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {SystemAddresses} from "../core/SystemAddresses.sol";
import {IFeeRouter} from "../core/interfaces/IFeeRouter.sol";
import {IRoyaltyLedger, ISettlementSource} from "./interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "./interfaces/ISplitRegistry.sol";
import {LedgerPayouts} from "./ledger/LedgerPayouts.sol";

/// @title The only place where settlement money rests
/// @notice In layers, each on the one before: `ledger/LedgerBase` (storage, tokens, money in and out), `LedgerPots`,
/// `LedgerSettlement`, `LedgerHolds`, `LedgerPayouts`; here fees, closing and receipts.
contract RoyaltyLedger is LedgerPayouts {
    // ---------------------------------------------------------------- fees

    /// @inheritdoc IRoyaltyLedger
    /// @dev Upholds [ROY-36].
    function collectFees(address token) external nonReentrant returns (uint256 amount) {
        TokenRecord storage t = _tokens[token];
        amount = t.fees;
        if (amount == 0) revert AmountZero();
        t.fees = 0;
        // Fees are part of what is accounted.
        // forge-lint: disable-next-line(unsafe-typecast)
        t.accounted -= uint112(amount);
        emit FeesCollected(token, amount);
        IFeeRouter router = IFeeRouter(SystemAddresses.FEE_ROUTER);
        if (token == address(0)) {
            router.receiveFees{value: amount}(token, amount);
        } else {
            uint256 held = SafeTransferLib.balanceOf(token, address(this));
            SafeTransferLib.safeApproveWithRetry(token, address(router), amount);
            router.receiveFees(token, amount);
            _checkMoved(token, amount, held, SafeTransferLib.balanceOf(token, address(this)));
        }
    }

    /// @inheritdoc IRoyaltyLedger
    function feesOwed(address token) external view returns (uint256) {
        return _tokens[token].fees;
    }

    /// @inheritdoc IRoyaltyLedger
    function accounted(address token) external view returns (uint256) {
        return _tokens[token].accounted;
    }

    // ---------------------------------------------------------------- closing

    /// @inheritdoc IRoyaltyLedger
    /// @dev Upholds [ROY-28], [ROY-29]. Payees of a closed account still withdraw: only what no floor gives leaves.
    function closeRoute(address token, RouteKey calldata key)
        external
        nonReentrant
        whilePayoutsOpen
        returns (uint256 residual)
    {
        (bytes32 accountKey, uint256 kept, bytes32 route) = _keptOf(token, key);
        AccountRecord storage account = _accounts[accountKey];
        uint32 lastPeriod = account.lastPeriod;
        if (lastPeriod & CLOSED != 0) revert RouteUnknown(route);
        _checkSettled(key.licence, SPLITS.checkSuperseded(key.licence, route, lastPeriod));
        residual = _residual(accountKey, key, kept);
        account.lastPeriod = lastPeriod | CLOSED;
        // One generation takes 67 days at least: 65,535 of them outlast the chain. Checked all the same.
        _generations[_key(_word(token), route)] = key.generation + 1;
        emit RouteClosed(key.licence, route, token, key.generation, residual);
        if (residual != 0) _send(token, SystemAddresses.TREASURY, residual);
    }

    /// @dev Asks every settler with code; whatever is not a clear no keeps the route open.
    function _checkSettled(bytes32 licence, uint32 until) private view {
        for (uint256 i; i < _settlers.length; ++i) {
            address settler = _settlers[i];
            if (settler.code.length == 0) continue;
            try ISettlementSource(settler).hasUnsettledRows(licence, until) returns (bool unsettled) {
                if (!unsettled) continue;
            } catch {}
            revert RouteUnsettled(licence, settler);
        }
    }

    /// @dev What no floor gives of `kept`, once that is known: for a tree, when every leaf has taken at `kept`.
    function _residual(bytes32 accountKey, RouteKey calldata key, uint256 kept)
        private
        view
        returns (uint256 residual)
    {
        if (kept == 0) return 0;
        uint96 denom;
        uint32 leaves;
        (residual, denom, leaves) = SPLITS.residualOf(_splitOf(key), kept);
        if (denom == 0) return residual;
        TallyRecord storage t = _tallies[accountKey];
        // By weight, which proofs vouch for; the count of leaves is only what the tree's maker said.
        if (t.kept != kept || t.weight != denom) revert LeavesUnclaimed(t.kept == kept ? t.leaves : 0, leaves);
        return kept - t.taken;
    }

    // ---------------------------------------------------------------- receipts

    /// @inheritdoc IRoyaltyLedger
    /// @dev Upholds [ROY-35].
    function payoutReceipt(address token, RouteKey calldata key)
        external
        view
        returns (ISplitRegistry.Allocation[] memory, uint256, uint256, bytes32)
    {
        (, uint256 kept,) = _keptOf(token, key);
        _forward(abi.encodeCall(ISplitRegistry.allocate, (_splitOf(key), kept)));
    }

    /// @inheritdoc IRoyaltyLedger
    function payoutProof(address token, RouteKey calldata key, uint256 index)
        external
        view
        returns (ISplitRegistry.Allocation memory, bytes32[] memory, bytes32)
    {
        (bytes32 accountKey, uint256 kept,) = _keptOf(token, key);
        mapping(bytes32 => AccountRecord) storage accounts = _accounts;
        uint256 slot;
        assembly ("memory-safe") {
            slot := accounts.slot
        }
        bytes32 accountSlot = _key(accountKey, bytes32(slot));
        _forward(abi.encodeCall(ISplitRegistry.allocationProof, (_splitOf(key), kept, index, accountSlot)));
    }

    /// @dev Answers what SplitRegistry answers, which has the types of the function that ends so: decoding and encoding it
    /// again would take more code than the ledger has room for.
    function _forward(bytes memory data) private view {
        address splits = address(SPLITS);
        assembly ("memory-safe") {
            let ok := staticcall(gas(), splits, add(data, 0x20), mload(data), 0, 0)
            let answer := mload(0x40)
            returndatacopy(answer, 0, returndatasize())
            if iszero(ok) { revert(answer, returndatasize()) }
            return(answer, returndatasize())
        }
    }
}
