// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";

/// @title Takes no money
contract Refuser {
    receive() external payable {
        revert("no");
    }
}

/// @title Burns whatever gas it is given
contract Burner {
    receive() external payable {
        while (true) {}
    }
}

/// @title Withdraws again while it is paid
contract Reentrant {
    IRoyaltyLedger.Payout private _aim;
    uint256 public stolen;

    function aim(IRoyaltyLedger.Payout calldata p) external {
        _aim = p;
    }

    receive() external payable {
        if (_aim.key.licence == 0) return;
        try IRoyaltyLedger(SystemAddresses.ROYALTY_LEDGER).withdraw(_aim) returns (uint256 amount) {
            stolen += amount;
        } catch {}
    }
}
