// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IDataAvailability} from "src/lanes/interfaces/IDataAvailability.sol";
import {ILane} from "src/lanes/interfaces/ILane.sol";

/// @title Stands at 0x…1003 where forge has no modules: blobs as the test sets them
/// @dev A cell opens the blob when its proof is keccak256(id, row, column, data). Test code only.
contract DataDouble {
    mapping(bytes32 id => IDataAvailability.Blob) private _blobs;

    function set(bytes32 id, IDataAvailability.Blob calldata b) external {
        _blobs[id] = b;
    }

    function blob(bytes32 id) public view returns (IDataAvailability.Blob memory b) {
        b = _blobs[id];
        if (b.status == IDataAvailability.Status.Available && block.timestamp >= b.expiresAt) {
            b.status = IDataAvailability.Status.Expired;
        }
    }

    function isAvailableUntil(bytes32 id, uint64 time) external view returns (bool) {
        IDataAvailability.Blob memory b = blob(id);
        return b.status == IDataAvailability.Status.Available && b.expiresAt >= time;
    }

    function verifyCells(bytes32 id, bytes calldata, IDataAvailability.Cell[] calldata cells)
        external
        pure
        returns (bool)
    {
        for (uint256 i; i < cells.length; ++i) {
            bytes32 right = keccak256(abi.encode(id, cells[i].row, cells[i].column, cells[i].data));
            if (keccak256(cells[i].proof) != keccak256(abi.encode(right))) return false;
        }
        return true;
    }
}

/// @title Stands at 0x…1014 where forge has no modules: the real header's bytes, and verdicts that the evidence dictates
/// @dev What the real module proves is tested with the real module, in Rust. Test code only.
contract LaneDouble {
    function encode(ILane.Header calldata h) external pure returns (bytes memory out) {
        out = abi.encodePacked(
            abi.encodePacked(h.format, h.parameters, h.lane, h.period, h.number, h.predecessor, h.asOf),
            abi.encodePacked(h.records, h.rows, h.recordPages, h.tablePages, h.nodePages),
            abi.encodePacked(h.receiptsRoot, h.licensesRoot, h.blobHeader, uint16(h.payers.length))
        );
        for (uint256 i; i < h.payers.length; ++i) {
            out = abi.encodePacked(out, h.payers[i].payer, h.payers[i].firstRow, h.payers[i].owed);
        }
    }

    function decodeHeader(bytes calldata b) public pure returns (ILane.Header memory h) {
        uint256 fixed_ = 2 + 4 + 20 + 4 + 4 + 32 + 8 + 20 + 64 + 109 + 2;
        if (b.length < fixed_ || b.length != fixed_ + 40 * uint256(uint16(bytes2(b[267:269])))) {
            revert ILane.HeaderInvalid(1);
        }
        (h.format, h.parameters) = (uint16(bytes2(b[0:2])), uint32(bytes4(b[2:6])));
        h.lane = bytes20(b[6:26]);
        (h.period, h.number) = (uint32(bytes4(b[26:30])), uint32(bytes4(b[30:34])));
        (h.predecessor, h.asOf) = (bytes32(b[34:66]), uint64(bytes8(b[66:74])));
        (h.records, h.rows) = (uint32(bytes4(b[74:78])), uint32(bytes4(b[78:82])));
        (h.recordPages, h.tablePages) = (uint32(bytes4(b[82:86])), uint32(bytes4(b[86:90])));
        h.nodePages = uint32(bytes4(b[90:94]));
        (h.receiptsRoot, h.licensesRoot) = (bytes32(b[94:126]), bytes32(b[126:158]));
        h.blobHeader = b[158:267];
        uint256 count = (b.length - fixed_) / 40;
        h.payers = new ILane.PayerTotal[](count);
        // Little gas, so that figures of whole transactions say something.
        for (uint256 i; i < count; ++i) {
            (uint256 head, uint256 owed) = (0, 0);
            assembly {
                let at := add(b.offset, add(fixed_, mul(i, 40)))
                head := calldataload(at)
                owed := shr(128, calldataload(add(at, 24)))
            }
            h.payers[i] = ILane.PayerTotal(address(uint160(head >> 96)), uint32(head >> 64), uint128(owed));
        }
    }

    /// @dev `evidence` = abi.encode(Verdict), or nothing: no fraud.
    function judge(bytes calldata, uint8 kind, ILane.Cell[] calldata, bytes calldata evidence)
        external
        pure
        returns (ILane.Verdict memory v)
    {
        if (evidence.length == 0) revert ILane.NoFraud(7);
        v = abi.decode(evidence, (ILane.Verdict));
        if (v.kind != kind) revert ILane.NoFraud(8);
    }
}

/// @title A payer that is a contract: agrees to one digest (ERC-1271)
contract ContractPayer {
    bytes32 public agreed;

    function agree(bytes32 digest) external {
        agreed = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == agreed ? bytes4(0x1626ba7e) : bytes4(0);
    }
}
