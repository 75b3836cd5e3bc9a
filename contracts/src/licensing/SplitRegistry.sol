// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";

import {Governed} from "../core/Governed.sol";
import {Roles} from "../core/Roles.sol";
import {SystemAddresses} from "../core/SystemAddresses.sol";
import {IADEVerifier} from "./interfaces/IADEVerifier.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";
import {ISplitRegistry} from "./interfaces/ISplitRegistry.sol";
import {PeriodLib} from "./libraries/PeriodLib.sol";
import {ReceiptTree} from "./libraries/ReceiptTree.sol";
import {RoyaltyMath} from "./libraries/RoyaltyMath.sol";
import {SplitStore} from "./libraries/SplitStore.sol";
import {SumTree} from "./libraries/SumTree.sol";

/// @title Split vectors, override edges and subtrees
contract SplitRegistry is ISplitRegistry, Governed {
    // ---------------------------------------------------------------- structs

    /// @dev `denom` 0: no edge above. `isParent`: something hangs from it. `marked`: `_marks` is not empty. The second word
    /// begins as `payableRoute` says a rate.
    struct EdgeRecord {
        bytes32 parent;
        uint64 denom;
        uint64 numer;
        uint8 depth;
        bool isParent;
        bool marked;
    }

    /// @dev One mark, from its block's time on.
    struct MarkRecord {
        uint40 from;
        Mark mark;
        bool byEnforcement;
        uint32 reason;
    }

    /// @dev A way up from a licence, itself first: for each licence the rate of its edge (numer·2⁶⁴ + denom, 0 at the root) and
    /// its terms as `routeTermsAt` packs them. The first `revoked` are in a subtree that a mark has revoked.
    struct Way {
        bytes32[] ids;
        uint256[] rates;
        uint256[] terms;
        uint256 revoked;
    }

    // ---------------------------------------------------------------- constants

    /// @dev Of an edge's second word: `marked`.
    uint256 private constant MARKED = 1 << 144;

    /// @notice Payees of a vector at most: it fits one contract's code.
    uint256 public constant MAX_PAYEES = 512;
    uint256 public constant MAX_LEAVES = 100_000;
    uint8 public constant MAX_EDGE_DEPTH = 16;

    /// @notice How long after its end a period takes batches (ARCHITECTURE §6).
    uint64 public constant BATCH_WINDOW = 60 days;
    /// @notice A period of at most seven days and its window.
    uint64 public constant ROUTE_WINDOW = BATCH_WINDOW + 7 days;

    /// @dev Changes of a licence in one period that are looked at.
    uint256 private constant MAX_CHANGES = 16;

    ILicenseRegistry private constant LICENCES = ILicenseRegistry(SystemAddresses.LICENSE_REGISTRY);

    // ---------------------------------------------------------------- storage

    mapping(bytes32 licence => EdgeRecord) private _edges;
    mapping(bytes32 licence => MarkRecord[]) private _marks;

    // ---------------------------------------------------------------- constructor

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Marks subtrees as enforcement.
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, Roles.ENFORCER);
    }

    // ---------------------------------------------------------------- splits

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-5], [ROY-6] and invariant I1.
    function registerVector(address[] calldata payees, uint96[] calldata weights, uint96 denom)
        external
        returns (bytes32 splitHash)
    {
        bytes memory entries = _packVector(payees, weights, denom);
        splitHash = keccak256(abi.encodePacked("CHLOM_SPLIT_V1", denom, entries));
        if (_isStored(splitHash)) return splitHash;
        SplitStore.write(splitHash, denom, entries);
        emit SplitRegistered(splitHash, denom, payees.length);
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Nothing of the tree but its root is known: whoever names it in a licence answers for its leaves, and what no leaf
    /// covers is paid to nobody.
    function registerTree(bytes32 root, uint96 denom, uint32 leaves) external returns (bytes32 splitHash) {
        if (root == 0) revert TreeRootZero();
        if (leaves == 0) revert SplitEmpty();
        // Each leaf weighs at least one.
        uint256 most = denom < MAX_LEAVES ? denom : MAX_LEAVES;
        if (leaves > most) revert SplitTooLarge(leaves, most);
        splitHash = keccak256(abi.encodePacked("CHLOM_SPLIT_TREE_V1", root, denom, leaves));
        if (_isStored(splitHash)) return splitHash;
        SplitStore.write(splitHash, denom, abi.encodePacked(root, leaves));
        emit SplitTreeRegistered(splitHash, root, denom, leaves);
    }

    /// @inheritdoc IADEVerifier
    function isValidSplitHash(bytes32 splitHash) external view returns (bool) {
        return _isStored(splitHash);
    }

    /// @inheritdoc ISplitRegistry
    function kindOf(bytes32 splitHash) public view returns (Kind kind) {
        (kind,,) = _find(splitHash);
    }

    /// @inheritdoc ISplitRegistry
    function vectorOf(bytes32 splitHash)
        external
        view
        returns (address[] memory payees, uint96[] memory weights, uint96 denom)
    {
        uint256 count;
        (denom, count) = _vector(splitHash);
        bytes32[] memory words = SplitStore.entries(SplitStore.tagOf(splitHash), count);
        payees = new address[](count);
        weights = new uint96[](count);
        for (uint256 i; i < count; ++i) {
            (payees[i], weights[i]) = (address(bytes20(words[i])), uint96(uint256(words[i])));
        }
    }

    /// @inheritdoc ISplitRegistry
    function entryAt(bytes32 splitHash, uint256 index)
        external
        view
        returns (address payee, uint96 weight, uint96 denom)
    {
        (, uint256 count) = _vector(splitHash);
        if (index >= count) revert SplitIndex(splitHash, index, count);
        (payee, weight, denom,) = SplitStore.entry(SplitStore.tagOf(splitHash), index);
    }

    /// @inheritdoc ISplitRegistry
    function payeeCount(bytes32 splitHash) external view returns (uint256 count) {
        (, count) = _vector(splitHash);
    }

    /// @inheritdoc ISplitRegistry
    function treeOf(bytes32 splitHash) public view returns (bytes32 root, uint96 denom, uint32 leaves) {
        Kind kind;
        (kind, denom,) = _find(splitHash);
        if (kind == Kind.None) revert SplitUnknown(splitHash);
        if (kind != Kind.Tree) revert SplitKind(splitHash, kind);
        (root, leaves) = SplitStore.tree(SplitStore.tagOf(splitHash));
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-35].
    function allocate(bytes32 splitHash, uint256 kept)
        external
        view
        returns (Allocation[] memory allocations, uint256 kept_, uint256 residual, bytes32 root)
    {
        (allocations, residual) = _allocate(splitHash, kept);
        return (allocations, kept, residual, ReceiptTree.root(allocations));
    }

    /// @inheritdoc ISplitRegistry
    function residualOf(bytes32 splitHash, uint256 kept)
        external
        view
        returns (uint256 residual, uint96 treeDenom, uint32 treeLeaves)
    {
        if (kindOf(splitHash) == Kind.Tree) (, treeDenom, treeLeaves) = treeOf(splitHash);
        else (, residual) = _allocate(splitHash, kept);
    }

    /// @inheritdoc ISplitRegistry
    function allocationProof(bytes32 splitHash, uint256 kept, uint256 index, bytes32 accountSlot)
        external
        view
        returns (Allocation memory allocation, bytes32[] memory path, bytes32 accountSlot_)
    {
        (Allocation[] memory all,) = _allocate(splitHash, kept);
        if (index >= all.length) revert SplitIndex(splitHash, index, all.length);
        return (all[index], ReceiptTree.path(all, index), accountSlot);
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-7]. Bits of `path` above the leaf's level must be clear, so that a leaf has one proof.
    function verifyLeaf(
        bytes32 splitHash,
        Leaf calldata leaf,
        uint256 path,
        bytes32[] calldata siblings,
        uint96[] calldata sums
    ) external view returns (uint96 denom) {
        bytes32 root;
        (root, denom,) = treeOf(splitHash);
        if (siblings.length > SumTree.MAX_DEPTH) revert ProofTooLong(siblings.length, SumTree.MAX_DEPTH);
        if (siblings.length != sums.length) revert SplitLengths(siblings.length, sums.length);
        if (leaf.weight == 0 || uint256(leaf.start) + leaf.weight > denom) {
            revert LeafRange(leaf.start, leaf.weight, denom);
        }
        (bool ok, bytes32 top, uint256 sum, uint256 left) = SumTree.climb(leaf, denom, path, siblings, sums);
        if (!ok || top != root || sum != denom || path >> siblings.length != 0) revert LeafNotInTree(splitHash);
        if (left != leaf.start) revert LeafRange(leaf.start, leaf.weight, denom);
    }

    // ---------------------------------------------------------------- the override forest

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-8] and invariant I7: a licence that has neither a licence above nor one below becomes a leaf, so the
    /// edges are a forest whatever the caller does.
    function registerEdge(bytes32 child, bytes32 parent, uint64 numer, uint64 denom) external {
        if (msg.sender != SystemAddresses.LICENSE_REGISTRY) revert EdgeCaller(msg.sender);
        if (child == parent) revert EdgeSelf(child);
        if (denom == 0 || numer > denom) revert EdgeRate(numer, denom);
        EdgeRecord storage edge = _edges[child];
        if (edge.denom != 0) revert EdgeExists(child);
        if (edge.isParent) revert EdgeTooLate(child);
        EdgeRecord storage above = _edges[parent];
        uint8 depth = above.depth;
        if (depth >= MAX_EDGE_DEPTH) revert EdgeDepth(parent, depth, MAX_EDGE_DEPTH);
        ++depth;
        if (!above.isParent) above.isParent = true;
        edge.parent = parent;
        (edge.numer, edge.denom, edge.depth) = (numer, denom, depth);
        emit EdgeRegistered(child, parent, numer, denom, depth);
    }

    /// @inheritdoc ISplitRegistry
    function edgeOf(bytes32 child) external view returns (Edge memory) {
        EdgeRecord storage edge = _edges[child];
        return Edge(edge.parent, edge.numer, edge.denom, edge.depth);
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-9]. Enforcement may repeat a licensor's mark to make it its own.
    function markSubtree(bytes32 root, Mark mark, uint32 reason) external {
        address licensor = LICENCES.licensorOf(root);
        bool enforcement = hasAnyRole(msg.sender, Roles.ENFORCER);
        if (licensor == address(0) || (!enforcement && msg.sender != licensor)) revert MarkCaller(root, msg.sender);
        MarkRecord[] storage marks = _marks[root];
        if (marks.length != 0) {
            MarkRecord memory last = marks[marks.length - 1];
            if (last.mark == Mark.Revoked) revert MarkForever(root);
            if (last.byEnforcement && !enforcement && mark < last.mark) revert MarkCaller(root, msg.sender);
            if (mark == last.mark && (last.byEnforcement || !enforcement)) revert MarkSame(root, mark);
        } else {
            if (mark == Mark.None) revert MarkSame(root, mark);
            _edges[root].marked = true;
        }
        // Seconds fit 40 bits until the year 36812.
        // forge-lint: disable-next-line(unsafe-typecast)
        marks.push(MarkRecord(uint40(block.timestamp), mark, enforcement, reason));
        emit SubtreeMarked(root, mark, reason, uint64(block.timestamp));
    }

    /// @inheritdoc ISplitRegistry
    function subtreeAt(bytes32 id, uint64 time, uint64 asOf) external view returns (Mark mark, uint32 reason) {
        // A mark is effective from the block that records it.
        uint64 by = time < asOf ? time : asOf;
        while (true) {
            EdgeRecord storage edge = _edges[id];
            uint256 word = _rateWord(edge);
            if (word & MARKED != 0) {
                MarkRecord memory found = _markAt(id, by);
                if (found.mark > mark) (mark, reason) = (found.mark, found.reason);
            }
            // No denominator: no edge above.
            if (uint64(word) == 0) return (mark, reason);
            id = edge.parent;
        }
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Marks are effective from their block, so the last one counts. Every use asks this: written for gas.
    function gravestMark(bytes32 id) external view returns (Mark) {
        uint256 mark;
        while (true) {
            EdgeRecord storage edge = _edges[id];
            uint256 word = _rateWord(edge);
            if (word & MARKED != 0) {
                uint256 found = uint256(_marks[id][_marks[id].length - 1].mark);
                if (found > mark) mark = found;
            }
            if (uint64(word) == 0) break;
            id = edge.parent;
        }
        // It was read from a Mark.
        assembly ("memory-safe") {
            mstore(0, mark)
            return(0, 0x20)
        }
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-13]. Edges never change, terms and marks of a time gone by neither: so a route at such a time is
    /// the same whenever it is asked for.
    function routeAt(bytes32 licence, uint64 time) external view returns (RouteNode[] memory nodes) {
        Way memory way = _way(licence, time);
        nodes = new RouteNode[](way.ids.length);
        bytes32 above;
        for (uint256 i = nodes.length; i != 0;) {
            RouteNode memory node = nodes[--i];
            uint256 rate = way.rates[i];
            (node.licence, node.splitVersion) = (way.ids[i], uint32(way.terms[i] >> 8));
            (node.numer, node.denom) = (uint64(rate >> 64), uint64(rate));
            (node.active, node.parentRoute) = (_isActiveOn(way, i), above);
            above = _hop(above, node.licence, way.terms[i], node.active);
            node.route = above;
        }
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-20]. What was sold is the lane's to prove. A licence that woke within the period keeps its own money.
    /// Every settled row asks this: written for gas, from the root down into the very bytes that are answered.
    function payableRoute(bytes32 licence, uint32 period) external view returns (uint64, uint16, bytes32[] memory) {
        (uint64 start, uint64 end) = PeriodLib.bounds(period);
        if (start >= block.timestamp) revert PeriodNotBegun(period, start);
        Way memory way = _way(licence, start);
        if (!_isPayable(way, start, end)) revert LicenceInactive(licence);
        uint256 terms = way.terms[0];
        uint256 count = way.ids.length;
        uint256 place;
        uint256 finish;
        // Behind room for start, rate, offset and length: four words for each node that counts, filled from the end.
        assembly ("memory-safe") {
            finish := add(mload(0x40), add(0x80, shl(7, count)))
            place := finish
            mstore(0x40, finish)
        }
        bytes32 above;
        unchecked {
            while (count != 0) {
                --count;
                bytes32 id = _at(way.ids, count);
                uint256 t = _at(way.terms, count);
                // No mark of revocation is above.
                bool active = count == 0 || _isActive(t);
                bytes32 route = _hop(above, id, t, active);
                if (active) {
                    uint256 rate = _at(way.rates, count);
                    assembly ("memory-safe") {
                        place := sub(place, 0x80)
                        mstore(place, id)
                        mstore(add(place, 0x20), route)
                        mstore(add(place, 0x40), above)
                        mstore(add(place, 0x60), or(shl(128, and(shr(8, t), 0xffffffff)), rate))
                    }
                }
                above = route;
            }
        }
        assembly ("memory-safe") {
            mstore(sub(place, 0x20), shr(5, sub(finish, place)))
            mstore(sub(place, 0x40), 0x60)
            mstore(sub(place, 0x60), and(shr(40, terms), 0xffff))
            place := sub(place, 0x80)
            mstore(place, start)
            return(place, sub(finish, place))
        }
    }

    /// @inheritdoc ISplitRegistry
    /// @dev Upholds [ROY-28].
    function checkSuperseded(bytes32 licence, bytes32 route, uint32 lastPeriod) external view returns (uint32 until) {
        _checkNotInForce(licence, route, block.timestamp);
        _checkNotInForce(licence, route, block.timestamp - ROUTE_WINDOW);
        (, uint64 end) = PeriodLib.bounds(lastPeriod);
        if (block.timestamp < end + BATCH_WINDOW) revert RouteTooRecent(lastPeriod, end + BATCH_WINDOW);
        // Each period that still takes batches: 13 at most. What counts of a period is its start.
        until = PeriodLib.containing(block.timestamp);
        uint64 start;
        (start, end) = PeriodLib.bounds(until);
        while (block.timestamp < end + BATCH_WINDOW) {
            if (_receivesIn(licence, route, start, end)) revert RouteInForce(licence, route);
            until = PeriodLib.containing(start - 1);
            (start, end) = PeriodLib.bounds(until);
        }
    }

    function _checkNotInForce(bytes32 licence, bytes32 route, uint256 time) private view {
        Way memory way = _way(licence, time);
        if (_isActiveOn(way, 0) && _routeOf(way) == route) revert RouteInForce(licence, route);
    }

    /// @dev Whether a row of the period can pay by the route: the licence's own, or one of a licence below it.
    function _receivesIn(bytes32 licence, bytes32 route, uint64 start, uint64 end) private view returns (bool) {
        Way memory way = _way(licence, start);
        return _routeOf(way) == route && _isPayable(way, start, end);
    }

    /// @dev The route of a way's first licence, that one counted as active.
    function _routeOf(Way memory way) private pure returns (bytes32 above) {
        for (uint256 i = way.ids.length; i != 0;) {
            --i;
            above = _hop(above, way.ids[i], way.terms[i], i == 0 || _isActiveOn(way, i));
        }
    }

    /// @dev Upholds [ROY-20]. `way`: at `start`.
    function _isPayable(Way memory way, uint64 start, uint64 end) private view returns (bool) {
        uint256 terms = way.terms[0];
        if (way.revoked != 0 || uint8(terms) == uint256(ILicenseRegistry.State.Revoked)) return false;
        return _isActive(terms) || _wokeWithin(way.ids[0], start, end);
    }

    /// @dev Who is on the way up from a licence at `time`, from it to its root.
    function _way(bytes32 licence, uint256 time) private view returns (Way memory way) {
        EdgeRecord storage edge = _edges[licence];
        uint256 word = _rateWord(edge);
        uint256 count = uint8(word >> 128) + 1;
        bytes32[] memory ids;
        uint256[] memory rates;
        address licences = address(LICENCES);
        bytes4 selector = ILicenseRegistry.routeTermsAt.selector;
        uint256 question;
        // The question to the licence registry as it is sent, with the ids as its last part; behind it the rates.
        assembly ("memory-safe") {
            question := mload(0x40)
            mstore(question, selector)
            mstore(add(question, 0x04), 0x40)
            mstore(add(question, 0x24), time)
            ids := add(question, 0x44)
            mstore(ids, count)
            rates := add(ids, shl(5, add(count, 1)))
            mstore(rates, count)
            mstore(0x40, add(rates, shl(5, add(count, 1))))
        }
        unchecked {
            for (uint256 i;;) {
                if (word & MARKED != 0 && _markAt(licence, uint64(time)).mark == Mark.Revoked) way.revoked = i + 1;
                assembly ("memory-safe") {
                    let at := shl(5, add(i, 1))
                    mstore(add(ids, at), licence)
                    mstore(add(rates, at), and(word, 0xffffffffffffffffffffffffffffffff))
                }
                if (++i == count) break;
                licence = edge.parent;
                edge = _edges[licence];
                word = _rateWord(edge);
            }
        }
        uint256[] memory terms;
        assembly ("memory-safe") {
            let answer := mload(0x40)
            let size := add(0x40, shl(5, count))
            if iszero(staticcall(gas(), licences, question, add(size, 0x24), answer, size)) {
                returndatacopy(answer, 0, returndatasize())
                revert(answer, returndatasize())
            }
            if lt(returndatasize(), size) { revert(0, 0) }
            terms := add(answer, 0x20)
            mstore(0x40, add(answer, size))
        }
        (way.ids, way.rates, way.terms) = (ids, rates, terms);
    }

    /// @dev The second word of an edge: its rate, depth and marks in one reading.
    function _rateWord(EdgeRecord storage edge) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(add(edge.slot, 1))
        }
    }

    /// @dev Without a check of the index: `_way` makes its lists of one length.
    function _at(bytes32[] memory list, uint256 i) private pure returns (bytes32 item) {
        assembly ("memory-safe") {
            item := mload(add(list, shl(5, add(i, 1))))
        }
    }

    function _at(uint256[] memory list, uint256 i) private pure returns (uint256 item) {
        assembly ("memory-safe") {
            item := mload(add(list, shl(5, add(i, 1))))
        }
    }

    /// @dev The route one licence further down; `terms` as `routeTermsAt` packs them.
    function _hop(bytes32 above, bytes32 licence, uint256 terms, bool active) private pure returns (bytes32) {
        return EfficientHashLib.hash(above, licence, bytes32(terms >> 8 & type(uint32).max), bytes32(_one(active)));
    }

    function _one(bool yes) private pure returns (uint256 one) {
        assembly ("memory-safe") {
            one := yes
        }
    }

    function _isActiveOn(Way memory way, uint256 i) private pure returns (bool) {
        return i >= way.revoked && _isActive(way.terms[i]);
    }

    /// @dev Suspended counts as active for money (REF C27).
    function _isActive(uint256 terms) private pure returns (bool) {
        uint256 state = uint8(terms);
        return state == uint256(ILicenseRegistry.State.Active) || state == uint256(ILicenseRegistry.State.Suspended);
    }

    /// @dev Whether a licence that was no longer or not yet in force at `start` was so at some time before `end`. From the last
    /// checkpoint recorded before `end` back, each holds from its time on until one recorded after it takes effect; times of
    /// recording ascend. What is below a draft was never more than that.
    function _wokeWithin(bytes32 licence, uint64 start, uint64 end) private view returns (bool) {
        uint256 low;
        uint256 high = LICENCES.checkpointCount(licence);
        // Checkpoints below `low` were recorded before the end, those from `high` on were not.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (LICENCES.checkpointAt(licence, middle).recordedAt < end) low = middle + 1;
            else high = middle;
        }
        uint256 until = end;
        for (uint256 seen; low != 0; ++seen) {
            // A row must not cost without bound: what lies behind so many changes is the lane's to prove.
            if (seen == MAX_CHANGES) return true;
            ILicenseRegistry.Checkpoint memory c = LICENCES.checkpointAt(licence, --low);
            if (c.state == ILicenseRegistry.State.Draft) return false;
            uint256 from = c.effectiveFrom > start ? c.effectiveFrom : start;
            uint256 to = c.endTs < until ? c.endTs : until;
            if (c.state != ILicenseRegistry.State.Revoked && from < to) return true;
            if (c.effectiveFrom <= start) return false;
            if (c.effectiveFrom < until) until = c.effectiveFrom;
        }
        return false;
    }

    // ---------------------------------------------------------------- within

    /// @dev The vector's canonical bytes: 20 of payee and 12 of weight an entry.
    function _packVector(address[] calldata payees, uint96[] calldata weights, uint96 denom)
        private
        pure
        returns (bytes memory)
    {
        uint256 count = payees.length;
        if (count == 0) revert SplitEmpty();
        if (count > MAX_PAYEES) revert SplitTooLarge(count, MAX_PAYEES);
        if (count != weights.length) revert SplitLengths(count, weights.length);
        bytes32[] memory words = new bytes32[](count);
        address before;
        uint256 sum;
        for (uint256 i; i < count; ++i) {
            (address payee, uint96 weight) = (payees[i], weights[i]);
            if (payee == address(0)) revert SplitPayeeZero(i);
            if (weight == 0) revert SplitWeightZero(i);
            if (payee <= before) revert SplitOrder(i, before, payee);
            before = payee;
            sum += weight;
            words[i] = bytes32(uint256(uint160(payee)) << 96 | weight);
        }
        if (sum != denom) revert SplitSum(sum, denom);
        return abi.encodePacked(words);
    }

    /// @dev Upholds theorem T12: weights sum to the denominator, so each of m floors leaves less than one, together at most m − 1.
    function _allocate(bytes32 splitHash, uint256 kept)
        private
        view
        returns (Allocation[] memory allocations, uint256 residual)
    {
        (uint96 denom, uint256 count) = _vector(splitHash);
        bytes32[] memory words = SplitStore.entries(SplitStore.tagOf(splitHash), count);
        allocations = new Allocation[](count);
        residual = kept;
        for (uint256 i; i < count; ++i) {
            uint256 amount = RoyaltyMath.share(kept, uint96(uint256(words[i])), denom);
            residual -= amount;
            (allocations[i].to, allocations[i].amount) = (address(bytes20(words[i])), amount);
        }
    }

    function _isStored(bytes32 splitHash) private view returns (bool) {
        (bytes32 stored,,) = SplitStore.head(SplitStore.tagOf(splitHash));
        return splitHash != 0 && stored == splitHash;
    }

    /// @dev `count`: payees of a vector, 0 of a tree.
    function _find(bytes32 splitHash) private view returns (Kind kind, uint96 denom, uint256 count) {
        bytes32 stored;
        uint256 rest;
        (stored, denom, rest) = SplitStore.head(SplitStore.tagOf(splitHash));
        if (splitHash == 0 || stored != splitHash) return (Kind.None, 0, 0);
        (bool isVector, uint256 length) = SplitStore.vectorLength(rest);
        return isVector ? (Kind.Vector, denom, length) : (Kind.Tree, denom, 0);
    }

    function _vector(bytes32 splitHash) private view returns (uint96 denom, uint256 count) {
        Kind kind;
        (kind, denom, count) = _find(splitHash);
        if (kind == Kind.None) revert SplitUnknown(splitHash);
        if (kind != Kind.Vector) revert SplitKind(splitHash, kind);
    }

    /// @dev The last mark made by `time`; none before the first. Marks are in order of time.
    function _markAt(bytes32 root, uint64 time) private view returns (MarkRecord memory found) {
        MarkRecord[] storage marks = _marks[root];
        uint256 low;
        uint256 high = marks.length;
        // Marks below `low` were made by `time`, those from `high` on later.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (marks[middle].from <= time) low = middle + 1;
            else high = middle;
        }
        if (low != 0) found = marks[low - 1];
    }
}
