// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Enumerable.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title Artwork
/// @notice An enumerable ERC-721 with ERC-2981 royalties; its owner mints.
contract Artwork is ERC721Enumerable, ERC2981, Ownable {
    constructor(address artist, uint96 royaltyBps) ERC721("Artwork", "ART") Ownable(artist) {
        _setDefaultRoyalty(artist, royaltyBps);
    }

    /// @notice Mints the next token to `to`; a contract must accept it.
    function mint(address to) external onlyOwner returns (uint256 tokenId) {
        tokenId = totalSupply() + 1;
        _safeMint(to, tokenId);
    }

    /// @inheritdoc ERC721Enumerable
    function supportsInterface(bytes4 interfaceId) public view override(ERC721Enumerable, ERC2981) returns (bool) {
        return super.supportsInterface(interfaceId);
    }
}
