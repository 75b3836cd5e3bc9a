// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Dollar
/// @notice An ERC-20 with six decimals, as the stablecoins that royalties are settled in have; the deployer's at first.
contract Dollar is ERC20 {
    constructor(uint256 supply) ERC20("Dollar", "USD") {
        _mint(msg.sender, supply);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
