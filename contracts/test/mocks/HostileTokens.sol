// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ERC20} from "solady/tokens/ERC20.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";

abstract contract Named is ERC20 {
    function name() public pure override returns (string memory) {
        return "Hostile";
    }

    function symbol() public pure override returns (string memory) {
        return "HST";
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title Takes one per cent of what moves
contract FeeToken is Named {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        super.transferFrom(from, to, amount);
        _burn(to, amount / 100);
        return true;
    }
}

/// @title Says yes and moves nothing
contract LyingToken is Named {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }

    function transfer(address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @title Takes from holders at will
contract ShrinkingToken is Named {
    function shrink(address of_, uint256 amount) external {
        _burn(of_, amount);
    }
}

/// @title Calls the ledger back whenever it moves
contract ReentrantToken is Named {
    IRoyaltyLedger private immutable _ledger;
    uint256 public attempts;
    bytes public answer;

    constructor(address ledger) {
        _ledger = IRoyaltyLedger(ledger);
    }

    function _beforeTokenTransfer(address from, address, uint256) internal override {
        if (from == address(0)) return;
        ++attempts;
        try _ledger.deposit(address(this), bytes20("x"), from, 1) {}
        catch (bytes memory why) {
            answer = why;
        }
    }
}
