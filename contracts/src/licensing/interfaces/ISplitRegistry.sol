// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IADEVerifier} from "./IADEVerifier.sol";

/// @title Split vectors, override edges and subtrees (REF §8.1–8.2, C11, C12, C27; ARCHITECTURE §6)
interface ISplitRegistry is IADEVerifier {
    // ---------------------------------------------------------------- types

    /// @notice A split stored in full (`Vector`) or by the root of a sum tree (`Tree`).
    enum Kind {
        None,
        Vector,
        Tree
    }

    /// @notice One leaf of a sum tree: its payee holds the weights `[start, start + weight)` of `[0, denom)`.
    struct Leaf {
        address payee;
        uint96 start;
        uint96 weight;
    }

    /// @notice REF §8.1: one payee's part of a payout.
    struct Allocation {
        address to;
        uint256 amount;
    }

    /// @notice What passes up from a licence to the one above: `numer/denom` of its gross. `depth`: edges from the root.
    struct Edge {
        bytes32 parent;
        uint64 numer;
        uint64 denom;
        uint8 depth;
    }

    /// @notice A mark on a whole subtree, its root included. `Revoked` is for ever.
    enum Mark {
        None,
        Suspended,
        Revoked
    }

    /// @notice A licence on the way up, at one time. `active`: its own state was Active or Suspended and no revocation marked it.
    /// @param route Hash of the way from this licence to its root: keccak256(abi.encode(route of the parent or 0, licence,
    /// splitVersion, active)).
    struct RouteNode {
        bytes32 licence;
        uint32 splitVersion;
        bool active;
        uint64 numer;
        uint64 denom;
        bytes32 route;
        bytes32 parentRoute;
    }

    // ---------------------------------------------------------------- events

    event SplitRegistered(bytes32 indexed splitHash, uint96 denom, uint256 payees);
    event SplitTreeRegistered(bytes32 indexed splitHash, bytes32 indexed root, uint96 denom, uint32 leaves);
    event EdgeRegistered(bytes32 indexed child, bytes32 indexed parent, uint64 numer, uint64 denom, uint8 depth);
    event SubtreeMarked(bytes32 indexed root, Mark mark, uint32 reason, uint64 effectiveFrom);

    // ---------------------------------------------------------------- errors

    error SplitEmpty();
    error SplitTooLarge(uint256 payees, uint256 most);
    error SplitLengths(uint256 payees, uint256 weights);
    error SplitPayeeZero(uint256 index);
    error SplitWeightZero(uint256 index);
    /// @notice Payees ascend strictly, so that a vector has one canonical form and nobody twice.
    error SplitOrder(uint256 index, address before, address given);
    error SplitSum(uint256 sum, uint256 denom);
    error SplitUnknown(bytes32 splitHash);
    error SplitIndex(bytes32 splitHash, uint256 index, uint256 payees);
    error SplitKind(bytes32 splitHash, Kind kind);
    error TreeRootZero();
    error LeafNotInTree(bytes32 splitHash);
    error LeafRange(uint96 start, uint96 weight, uint96 denom);
    error ProofTooLong(uint256 given, uint256 most);
    error EdgeCaller(address caller);
    error EdgeExists(bytes32 child);
    error EdgeSelf(bytes32 licence);
    /// @notice A licence gets its edge before anything hangs from it: so the forest can have no cycle.
    error EdgeTooLate(bytes32 child);
    error EdgeRate(uint64 numer, uint64 denom);
    error EdgeDepth(bytes32 parent, uint8 depth, uint8 most);
    error MarkCaller(bytes32 root, address caller);
    error MarkForever(bytes32 root);
    error MarkSame(bytes32 root, Mark mark);
    error LicenceInactive(bytes32 licence);
    error PeriodMalformed(uint32 period);
    /// @notice Terms and routes are those at the period's start, which must have passed to be known.
    error PeriodNotBegun(uint32 period, uint64 start);
    error RouteInForce(bytes32 licence, bytes32 route);
    error RouteTooRecent(uint32 lastPeriod, uint64 until);

    // ---------------------------------------------------------------- splits

    /// @notice Up to 512 payees, strictly ascending, weights above zero that sum to `denom`. Registering again changes nothing.
    /// @return splitHash keccak256(abi.encodePacked("CHLOM_SPLIT_V1", denom, payee₀, weight₀, payee₁, …)): uint96, then 20 and
    /// 12 bytes an entry.
    function registerVector(address[] calldata payees, uint96[] calldata weights, uint96 denom)
        external
        returns (bytes32 splitHash);
    /// @notice Up to 100,000 leaves whose intervals tile `[0, denom)`.
    /// @return splitHash keccak256(abi.encodePacked("CHLOM_SPLIT_TREE_V1", root, denom, leaves)): bytes32, uint96, uint32.
    function registerTree(bytes32 root, uint96 denom, uint32 leaves) external returns (bytes32 splitHash);
    function kindOf(bytes32 splitHash) external view returns (Kind);
    function vectorOf(bytes32 splitHash)
        external
        view
        returns (address[] memory payees, uint96[] memory weights, uint96 denom);
    function entryAt(bytes32 splitHash, uint256 index)
        external
        view
        returns (address payee, uint96 weight, uint96 denom);
    function payeeCount(bytes32 splitHash) external view returns (uint256);
    function treeOf(bytes32 splitHash) external view returns (bytes32 root, uint96 denom, uint32 leaves);
    /// @notice What each payee of a vector has of `kept` (⌊weight·kept/denom⌋), what flooring leaves, and the root over them:
    /// leaves keccak256(0x00 ‖ abi.encode(index, to, amount)) in index order, nodes keccak256(0x01 ‖ left ‖ right), an odd node
    /// promoted.
    /// @dev Answers what `IRoyaltyLedger.payoutReceipt` answers: the ledger forwards it.
    function allocate(bytes32 splitHash, uint256 kept)
        external
        view
        returns (Allocation[] memory allocations, uint256 kept_, uint256 residual, bytes32 root);
    /// @notice Of a vector: what flooring leaves of `kept`. Of a tree, whose leaves are not here: its denominator and leaves.
    function residualOf(bytes32 splitHash, uint256 kept)
        external
        view
        returns (uint256 residual, uint96 treeDenom, uint32 treeLeaves);
    /// @notice One allocation, with its Merkle path to that root, from the leaf up.
    /// @dev Answers what `IRoyaltyLedger.payoutProof` answers, `accountSlot` as given: the ledger forwards it.
    function allocationProof(bytes32 splitHash, uint256 kept, uint256 index, bytes32 accountSlot)
        external
        view
        returns (Allocation memory allocation, bytes32[] memory path, bytes32 accountSlot_);
    /// @notice Reverts unless `leaf` is in the tree. A leaf hashes as keccak256(0x00 ‖ payee ‖ start ‖ weight), a node as
    /// keccak256(0x01 ‖ left ‖ sum of left ‖ right ‖ sum of right), sums as uint96; `siblings` and `sums` from the leaf up,
    /// bit i of `path` set when the node at level i is the right child. The start that the sums to the left give must be the
    /// leaf's, and the sum at the root must be `denom`: intervals that verify never overlap.
    function verifyLeaf(
        bytes32 splitHash,
        Leaf calldata leaf,
        uint256 path,
        bytes32[] calldata siblings,
        uint96[] calldata sums
    ) external view returns (uint96 denom);

    // ---------------------------------------------------------------- the override forest

    /// @notice By LicenseRegistry, when `child` is minted: fixed for ever. Depth is at most 16.
    function registerEdge(bytes32 child, bytes32 parent, uint64 numer, uint64 denom) external;
    function edgeOf(bytes32 child) external view returns (Edge memory);
    /// @notice Marks the subtree in one write, by the licensor of its root or by enforcement; effective from this block.
    /// Only enforcement lifts what enforcement set.
    function markSubtree(bytes32 root, Mark mark, uint32 reason) external;
    /// @notice The gravest mark on `id` or above it, recorded by `asOf` and effective at `time`.
    function subtreeAt(bytes32 id, uint64 time, uint64 asOf) external view returns (Mark mark, uint32 reason);
    /// @notice The same mark now, by all that is recorded: what every use asks.
    function gravestMark(bytes32 id) external view returns (Mark mark);
    /// @notice From the licence (first) to its root, by the terms at `time` or, failing that, each licence's first.
    function routeAt(bytes32 licence, uint64 time) external view returns (RouteNode[] memory nodes);
    /// @notice What settling a row of `licence` for a period (REF C16) needs: when that begins, the licence's rate then, and of
    /// `routeAt` then the licence itself, counted as active, and the active ones above. Four words each: licence, route, route
    /// of the one above, splitVersion·2¹²⁸ + numer·2⁶⁴ + denom. Reverts `LicenceInactive` when nothing can have been sold
    /// under it in the period: revoked at its start (itself or by a mark), or a draft or expired then and active at no time
    /// before its end. Only what no later act can change decides, so the period must have begun.
    function payableRoute(bytes32 licence, uint32 period)
        external
        view
        returns (uint64 start, uint16 royaltyBps, bytes32[] memory words);
    /// @notice Reverts unless `route` (of the licence, counted as active) is in force neither now nor 67 days ago, the last
    /// period that it received for ended 60 days ago or earlier, and no later period that still takes batches pays by it.
    /// @return until The last period whose rows may still come to it: of those that take no more batches.
    function checkSuperseded(bytes32 licence, bytes32 route, uint32 lastPeriod) external view returns (uint32 until);
}
