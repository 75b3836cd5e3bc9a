// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "../core/Governed.sol";
import {Roles} from "../core/Roles.sol";
import {SystemAddresses} from "../core/SystemAddresses.sol";
import {PeriodLib} from "../licensing/libraries/PeriodLib.sol";
import {ILaneRegistry} from "./interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "./interfaces/IPayoutProofs.sol";

/// @title Lanes, their submitters, their payers' source keys
contract LaneRegistry is ILaneRegistry, Governed {
    // ---------------------------------------------------------------- structs

    struct KeyRecord {
        uint40 effectiveFrom;
        bytes32 hash;
        bytes key;
    }

    // ---------------------------------------------------------------- constants

    uint256 public constant MAX_NAME = 64;
    uint256 public constant MAX_DECIMALS = 18;
    /// @notice A blob has 32 rows at most.
    uint256 public constant MAX_ROWS = 32;
    /// @notice What is kept for 30 days can wait no longer.
    uint256 public constant MAX_WINDOW = 30 days;
    /// @notice Blocks of a window at most: 30 days of one second each.
    uint256 public constant MAX_WINDOW_BLOCKS = 2_592_000;
    /// @notice Data outlives the window by the time for appeals at least (REF C20).
    uint256 public constant MIN_MARGIN = 14 days;
    /// @notice Rebates come from the treasury's quarter of the fees, so they are never more than that.
    uint256 public constant MAX_REBATE_BPS = 2_500;
    /// @notice Sources in one call.
    uint256 public constant MAX_SOURCES = 64;

    // ---------------------------------------------------------------- storage

    mapping(bytes20 lane => string) private _names;
    mapping(bytes20 lane => Parameters[]) private _versions;
    mapping(bytes20 lane => Active) private _active;
    mapping(bytes20 lane => mapping(address submitter => bool)) private _submitters;
    mapping(bytes20 lane => mapping(address payer => mapping(bytes32 source => KeyRecord[]))) private _keys;
    mapping(bytes32 allowanceKey => Allowance) private _allowances;
    mapping(bytes32 allowanceKey => mapping(bytes32 source => bool)) private _sources;
    mapping(bytes20 lane => mapping(address watcher => Heartbeat)) private _heartbeats;

    // ---------------------------------------------------------------- constructor

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @notice Once, by the proxy's constructor: the lanes of genesis (REF §1). `authority` keeps lanes' submitters.
    /// @param window T in seconds. @param windowBlocks Heights that must pass too.
    function initialize(address owner, address authority, uint32 window, uint32 windowBlocks) external initializer {
        _govern(owner, authority, Roles.LANE_KEEPER);
        Parameters memory p = Parameters({
            token: address(0),
            decimals: 2,
            tokenDecimals: 18,
            blobRows: 32,
            effectiveFrom: 0,
            zk: false,
            window: window,
            windowBlocks: windowBlocks,
            margin: uint32(MIN_MARGIN),
            timely: 7 days,
            rebateBps: 1_000,
            chmPerUnit: 1 ether,
            currency: "USD"
        });
        _addLane("adluxe", p);
        _addLane("media-ott", p);
        p.zk = true;
        _addLane("retail-cpg", p);
        _addLane("thriveseat", p);
    }

    // ---------------------------------------------------------------- lanes and parameters

    /// @inheritdoc ILaneRegistry
    function addLane(string calldata name, Parameters calldata p) external onlyOwner returns (bytes20 lane) {
        return _addLane(name, p);
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-2].
    function addParameters(bytes20 lane, Parameters calldata p) external onlyOwner returns (uint32 version) {
        Parameters[] storage versions = _known(lane);
        uint256 least = uint256(versions[versions.length - 1].effectiveFrom) + 1;
        if (least < block.timestamp) least = block.timestamp;
        _within("effectiveFrom", p.effectiveFrom, least, type(uint40).max);
        return _addVersion(lane, p);
    }

    /// @inheritdoc ILaneRegistry
    function laneName(bytes20 lane) external view returns (string memory) {
        _known(lane);
        return _names[lane];
    }

    /// @inheritdoc ILaneRegistry
    function versionCount(bytes20 lane) external view returns (uint32) {
        return uint32(_known(lane).length);
    }

    /// @inheritdoc ILaneRegistry
    function parametersOf(bytes20 lane, uint32 version) external view returns (Parameters memory) {
        Parameters[] storage versions = _known(lane);
        if (version == 0 || version > versions.length) revert VersionUnknown(lane, version);
        return versions[version - 1];
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-3].
    function parametersAt(bytes20 lane, uint64 time) public view returns (uint32 version, Parameters memory p) {
        Parameters[] storage versions = _known(lane);
        uint256 low;
        uint256 high = versions.length;
        // Version `low` is in force or is the first; version `high` is not in force.
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            if (versions[middle].effectiveFrom <= time) low = middle;
            else high = middle;
        }
        return (uint32(low + 1), versions[low]);
    }

    /// @dev Upholds [PAY-1].
    function _addLane(string memory name, Parameters memory p) private returns (bytes20 lane) {
        uint256 length = bytes(name).length;
        if (length == 0 || length > MAX_NAME) revert NameLength(length, MAX_NAME);
        lane = bytes20(keccak256(bytes(name)));
        if (_versions[lane].length != 0) revert LaneKnown(lane);
        _names[lane] = name;
        emit LaneAdded(lane, name);
        _addVersion(lane, p);
    }

    /// @dev Upholds [PAY-4].
    function _addVersion(bytes20 lane, Parameters memory p) private returns (uint32 version) {
        _within("tokenDecimals", p.tokenDecimals, 0, MAX_DECIMALS);
        _within("decimals", p.decimals, 0, p.tokenDecimals);
        _within("blobRows", p.blobRows, 1, MAX_ROWS);
        _within("window", p.window, 1, MAX_WINDOW);
        _within("windowBlocks", p.windowBlocks, 0, MAX_WINDOW_BLOCKS);
        _within("margin", p.margin, MIN_MARGIN, type(uint32).max);
        _within("rebateBps", p.rebateBps, 0, MAX_REBATE_BPS);
        _within("chmPerUnit", p.chmPerUnit, 1, type(uint80).max);
        _versions[lane].push(p);
        version = uint32(_versions[lane].length);
        emit ParametersAdded(lane, version, p);
    }

    function _within(bytes32 what, uint256 given, uint256 least, uint256 most) private pure {
        if (given < least || given > most) revert ParameterRefused(what, given, least, most);
    }

    function _known(bytes20 lane) private view returns (Parameters[] storage versions) {
        versions = _versions[lane];
        if (versions.length == 0) revert LaneUnknown(lane);
    }

    // ---------------------------------------------------------------- submitters

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-5].
    function registerSubmitter(bytes20 lane, address submitter) external onlyOwnerOrRoles(Roles.LANE_KEEPER) {
        _known(lane);
        if (submitter == address(0)) revert ZeroAddress();
        if (_submitters[lane][submitter]) revert SubmitterKnown(lane, submitter);
        _submitters[lane][submitter] = true;
        emit SubmitterRegistered(lane, submitter);
        if (_active[lane].submitter == address(0)) _appoint(lane, submitter);
    }

    /// @inheritdoc ILaneRegistry
    function removeSubmitter(bytes20 lane, address submitter) external onlyOwnerOrRoles(Roles.LANE_KEEPER) {
        if (!_submitters[lane][submitter]) revert SubmitterUnknown(lane, submitter);
        _submitters[lane][submitter] = false;
        emit SubmitterRemoved(lane, submitter);
        if (_active[lane].submitter == submitter) delete _active[lane];
    }

    /// @inheritdoc ILaneRegistry
    function appoint(bytes20 lane, address submitter) external onlyOwnerOrRoles(Roles.LANE_KEEPER) {
        if (!_submitters[lane][submitter]) revert SubmitterUnknown(lane, submitter);
        if (_active[lane].submitter == submitter) revert SubmitterActive(lane, submitter);
        _appoint(lane, submitter);
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-6].
    function takeOver(bytes20 lane) external {
        if (!_submitters[lane][msg.sender]) revert SubmitterUnknown(lane, msg.sender);
        address before = _active[lane].submitter;
        if (before == msg.sender) revert SubmitterActive(lane, before);
        uint64 from = takeoverFrom(lane);
        if (block.timestamp < from) revert TakeoverTooEarly(lane, from);
        emit LaneTakenOver(lane, before, msg.sender);
        _appoint(lane, msg.sender);
    }

    /// @inheritdoc ILaneRegistry
    function isSubmitter(bytes20 lane, address submitter) external view returns (bool) {
        return _submitters[lane][submitter];
    }

    /// @inheritdoc ILaneRegistry
    function activeOf(bytes20 lane) external view returns (Active memory) {
        return _active[lane];
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-6]: the end of the second whole period after the one in which the lane last moved.
    function takeoverFrom(bytes20 lane) public view returns (uint64 from) {
        Active memory active = _active[lane];
        if (active.submitter == address(0)) return 0;
        uint256 moved = IPayoutProofs(SystemAddresses.PAYOUT_PROOFS).lastSubmissionAt(lane);
        from = active.since > moved ? active.since : uint64(moved);
        for (uint256 i; i < 3; ++i) {
            (, from) = PeriodLib.bounds(PeriodLib.containing(from));
        }
    }

    /// @inheritdoc ILaneRegistry
    function submissionTerms(bytes20 lane, uint64 periodStart, address submitter)
        external
        view
        returns (uint32 version, Parameters memory p)
    {
        (version, p) = parametersAt(lane, periodStart);
        address active = _active[lane].submitter;
        if (submitter != active) revert SubmitterNotActive(lane, submitter, active);
    }

    function _appoint(bytes20 lane, address submitter) private {
        _active[lane] = Active(submitter, uint40(block.timestamp));
        emit SubmitterAppointed(lane, submitter);
    }

    // ---------------------------------------------------------------- sources

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-7]: the source is made of the caller's address, so nobody can take another's name.
    function registerSourceKey(bytes20 lane, string calldata name, bytes calldata key)
        external
        returns (bytes32 source)
    {
        _known(lane);
        uint256 length = bytes(name).length;
        if (length == 0 || length > MAX_NAME) revert NameLength(length, MAX_NAME);
        _checkKey(key);
        source = sourceOf(lane, msg.sender, name);
        KeyRecord[] storage records = _keys[lane][msg.sender][source];
        bytes32 hash = key.length == 0 ? bytes32(0) : keccak256(key);
        uint256 count = records.length;
        if (hash == (count == 0 ? bytes32(0) : records[count - 1].hash)) revert KeySame(source);
        records.push(KeyRecord(uint40(block.timestamp), hash, key));
        emit SourceKeyRegistered(lane, msg.sender, source, name, key, count);
    }

    /// @inheritdoc ILaneRegistry
    function sourceOf(bytes20 lane, address payer, string calldata name) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(lane, payer, name));
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-8].
    function sourceKeyAt(bytes20 lane, address payer, bytes32 source, uint64 asOf) external view returns (bytes32) {
        KeyRecord[] storage records = _keys[lane][payer][source];
        uint256 low;
        uint256 high = records.length;
        // All before `low` are effective, none from `high` on.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (records[middle].effectiveFrom <= asOf) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? bytes32(0) : records[low - 1].hash;
    }

    /// @inheritdoc ILaneRegistry
    function sourceKeyCount(bytes20 lane, address payer, bytes32 source) external view returns (uint256) {
        return _keys[lane][payer][source].length;
    }

    /// @inheritdoc ILaneRegistry
    function sourceKey(bytes20 lane, address payer, bytes32 source, uint256 index)
        external
        view
        returns (uint40 effectiveFrom, bytes memory key)
    {
        KeyRecord storage record = _keys[lane][payer][source][index];
        return (record.effectiveFrom, record.key);
    }

    /// @dev Scheme byte first: 1 secp256k1 and 3 P-256, compressed, 33 bytes that begin with 2 or 3; 2 Ed25519, 32 bytes.
    function _checkKey(bytes calldata key) private pure {
        uint256 length = key.length;
        if (length == 0) return;
        uint8 scheme = uint8(key[0]);
        if (scheme == 2 && length == 33) return;
        bool compressed = length == 34 && (key[1] == 0x02 || key[1] == 0x03);
        if ((scheme != 1 && scheme != 3) || !compressed) revert KeyMalformed(length);
    }

    // ---------------------------------------------------------------- allowances

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-17], [PAY-18].
    function setAllowance(
        bytes20 lane,
        uint32 period,
        address submitter,
        uint120 limit,
        bool unsignedSources,
        bytes32[] calldata sources
    ) external {
        if (submitter == address(0)) revert ZeroAddress();
        if (sources.length > MAX_SOURCES) revert TooManySources(sources.length, MAX_SOURCES);
        bytes32 key = _allowanceKey(msg.sender, lane, period, submitter);
        Allowance storage a = _allowances[key];
        if (a.unsignedSources && !unsignedSources) revert AllowanceNarrowed();
        (a.limit, a.unsignedSources) = (limit, unsignedSources);
        for (uint256 i; i < sources.length; ++i) {
            _sources[key][sources[i]] = true;
        }
        emit AllowanceSet(msg.sender, lane, submitter, period, limit, unsignedSources, sources);
    }

    /// @inheritdoc ILaneRegistry
    function allowanceOf(address payer, bytes20 lane, uint32 period, address submitter)
        external
        view
        returns (Allowance memory)
    {
        return _allowances[_allowanceKey(payer, lane, period, submitter)];
    }

    /// @inheritdoc ILaneRegistry
    function sourceConsent(address payer, bytes20 lane, uint32 period, address submitter, bytes32 source)
        external
        view
        returns (bool named, bool unsignedSources)
    {
        bytes32 key = _allowanceKey(payer, lane, period, submitter);
        return (_sources[key][source], _allowances[key].unsignedSources);
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-17].
    function draw(bytes20 lane, uint32 period, address submitter, Draw[] calldata draws) external onlyPayouts {
        for (uint256 i; i < draws.length; ++i) {
            (address payer, uint256 amount) = (draws[i].payer, draws[i].amount);
            if (payer == address(0)) continue;
            Allowance storage a = _allowances[_allowanceKey(payer, lane, period, submitter)];
            (uint256 limit, uint256 used) = (a.limit, a.used);
            if (used + amount > limit) revert AllowanceShort(payer, amount, limit > used ? limit - used : 0);
            // At most the limit.
            // forge-lint: disable-next-line(unsafe-typecast)
            a.used = uint120(used + amount);
        }
    }

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-34].
    function giveBack(address payer, bytes20 lane, uint32 period, address submitter, uint256 amount)
        external
        onlyPayouts
    {
        // What was drawn.
        // forge-lint: disable-next-line(unsafe-typecast)
        _allowances[_allowanceKey(payer, lane, period, submitter)].used -= uint120(amount);
    }

    modifier onlyPayouts() {
        if (msg.sender != SystemAddresses.PAYOUT_PROOFS) revert CallerNotPayouts(msg.sender);
        _;
    }

    function _allowanceKey(address payer, bytes20 lane, uint32 period, address submitter)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(payer, lane, period, submitter));
    }

    // ---------------------------------------------------------------- watchers

    /// @inheritdoc ILaneRegistry
    /// @dev Upholds [PAY-9].
    function heartbeat(bytes20 lane, bytes32 checked) external {
        _known(lane);
        _heartbeats[lane][msg.sender] = Heartbeat(checked, uint40(block.timestamp), uint40(block.number));
        emit WatcherSeen(lane, msg.sender, checked);
    }

    /// @inheritdoc ILaneRegistry
    function heartbeatOf(bytes20 lane, address watcher) external view returns (Heartbeat memory) {
        return _heartbeats[lane][watcher];
    }
}
