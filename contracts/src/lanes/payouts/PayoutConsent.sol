// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ECDSA} from "solady/utils/ECDSA.sol";
import {SignatureCheckerLib} from "solady/utils/SignatureCheckerLib.sol";

import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";
import {PayoutCollateral} from "./PayoutCollateral.sol";

/// @title How a payer consents to a batch by signature; standing allowances are LaneRegistry's
abstract contract PayoutConsent is PayoutCollateral {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant DOMAIN_NAME = keccak256("CHLOM PayoutProofs");
    bytes32 private constant DOMAIN_VERSION = keccak256("1");
    bytes32 private constant AUTHORISATION_TYPEHASH = keccak256("PayerAuthorisation(bytes32 batchRoot,uint256 total)");

    /// @inheritdoc IPayoutProofs
    function authorisationDigest(bytes32 batchRoot, uint256 total) public view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this)));
        bytes32 authorisation = keccak256(abi.encode(AUTHORISATION_TYPEHASH, batchRoot, total));
        return keccak256(abi.encodePacked(hex"1901", domain, authorisation));
    }

    /// @dev Upholds [PAY-16]: by signature. An account with code that is a key's too (EIP-7702) may sign with the key.
    function _checkSignature(address payer, bytes32 batchRoot, uint256 total, bytes calldata signature) internal view {
        bytes32 digest = authorisationDigest(batchRoot, total);
        if (ECDSA.tryRecoverCalldata(digest, signature) == payer && payer != address(0)) return;
        if (payer.code.length == 0 || !SignatureCheckerLib.isValidERC1271SignatureNowCalldata(payer, digest, signature))
        {
            revert AuthorisationInvalid(payer);
        }
    }
}
