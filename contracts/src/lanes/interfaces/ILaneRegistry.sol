// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Lanes: their parameters, who submits, whose keys sign, who watches (ARCHITECTURE §6)
/// @notice Parameters and keys are append-only lists with times, so that what held for a period, or as of a second, never
/// changes. A lane is the first 20 bytes of keccak256 of its name (REF C16).
interface ILaneRegistry {
    // ---------------------------------------------------------------- types

    /// @notice One version of a lane's parameters, in force for the periods that begin at `effectiveFrom` or later.
    /// @param token What pots hold; 0: CHM. @param decimals Of the lane's minor unit. @param tokenDecimals Of the token's; one
    /// unit of the currency is one of the token (REF C43).
    /// @param blobRows Rows of a batch's blob at most.
    /// @param window T, seconds. @param windowBlocks Heights that must pass too. @param margin Seconds that data is kept after T.
    /// @param timely Seconds after a period's end within which a batch earns a rebate. @param rebateBps Share of the fee.
    /// @param chmPerUnit Wei of CHM for one whole unit of the currency. @param zk Meant to finalise by proof; optimistic until then.
    /// @param currency ISO 4217 or a token's symbol, as ASCII, at most four.
    struct Parameters {
        address token;
        uint8 decimals;
        uint8 tokenDecimals;
        uint16 blobRows;
        uint40 effectiveFrom;
        bool zk;
        uint32 window;
        uint32 windowBlocks;
        uint32 margin;
        uint32 timely;
        uint16 rebateBps;
        uint80 chmPerUnit;
        bytes4 currency;
    }

    /// @notice Who submits to a lane now. `since`: when it was appointed or took over.
    struct Active {
        address submitter;
        uint40 since;
    }

    /// @notice The last sign of a watcher. `checked`: the last batch that it found right, or 0.
    struct Heartbeat {
        bytes32 checked;
        uint40 time;
        uint40 height;
    }

    /// @notice A payer's standing allowance for one (lane, period, submitter). `used` counts what batches took that are not void.
    struct Allowance {
        uint120 limit;
        uint120 used;
        bool unsignedSources;
    }

    /// @notice What a batch takes of a payer's allowance. Payer 0: nothing, of nobody.
    struct Draw {
        address payer;
        uint256 amount;
    }

    // ---------------------------------------------------------------- events

    event LaneAdded(bytes20 indexed lane, string name);
    event ParametersAdded(bytes20 indexed lane, uint32 indexed version, Parameters parameters);
    event SubmitterRegistered(bytes20 indexed lane, address indexed submitter);
    event SubmitterRemoved(bytes20 indexed lane, address indexed submitter);
    event SubmitterAppointed(bytes20 indexed lane, address indexed submitter);
    event LaneTakenOver(bytes20 indexed lane, address indexed from, address indexed to);
    event SourceKeyRegistered(
        bytes20 indexed lane, address indexed payer, bytes32 indexed source, string name, bytes key, uint256 index
    );
    event AllowanceSet(
        address indexed payer,
        bytes20 indexed lane,
        address indexed submitter,
        uint32 period,
        uint256 limit,
        bool unsignedSources,
        bytes32[] sources
    );
    event WatcherSeen(bytes20 indexed lane, address indexed watcher, bytes32 checked);

    // ---------------------------------------------------------------- errors

    error LaneKnown(bytes20 lane);
    error LaneUnknown(bytes20 lane);
    error NameLength(uint256 given, uint256 most);
    /// @notice `what`: the parameter's name as ASCII.
    error ParameterRefused(bytes32 what, uint256 given, uint256 least, uint256 most);
    error VersionUnknown(bytes20 lane, uint32 version);
    error SubmitterKnown(bytes20 lane, address submitter);
    error SubmitterUnknown(bytes20 lane, address submitter);
    error SubmitterNotActive(bytes20 lane, address given, address active);
    error SubmitterActive(bytes20 lane, address submitter);
    /// @notice Two periods must be missed: the lane is free to take from `from` on, unless it moves before.
    error TakeoverTooEarly(bytes20 lane, uint64 from);
    error KeyMalformed(uint256 length);
    error KeySame(bytes32 source);
    error AllowanceShort(address payer, uint256 asked, uint256 left);
    /// @notice An allowance's consents are never taken back; its limit is.
    error AllowanceNarrowed();
    error TooManySources(uint256 given, uint256 most);
    error CallerNotPayouts(address caller);

    // ---------------------------------------------------------------- lanes and parameters (the owner)

    /// @notice The first version is in force for every period, whatever its `effectiveFrom`.
    function addLane(string calldata name, Parameters calldata p) external returns (bytes20 lane);
    /// @notice `effectiveFrom` is later than the last version's and not in the past.
    function addParameters(bytes20 lane, Parameters calldata p) external returns (uint32 version);
    function laneName(bytes20 lane) external view returns (string memory);
    /// @notice Versions count from 1.
    function versionCount(bytes20 lane) external view returns (uint32);
    function parametersOf(bytes20 lane, uint32 version) external view returns (Parameters memory);
    /// @notice The version in force for a period that begins at `time`.
    function parametersAt(bytes20 lane, uint64 time) external view returns (uint32 version, Parameters memory p);

    // ---------------------------------------------------------------- submitters

    /// @notice By the role LANE_KEEPER or the owner. The first of a lane is active at once.
    function registerSubmitter(bytes20 lane, address submitter) external;
    function removeSubmitter(bytes20 lane, address submitter) external;
    /// @notice Makes a registered one active.
    function appoint(bytes20 lane, address submitter) external;
    /// @notice By a registered submitter, once the active one has missed two whole periods, or when there is none.
    function takeOver(bytes20 lane) external;
    function isSubmitter(bytes20 lane, address submitter) external view returns (bool);
    function activeOf(bytes20 lane) external view returns (Active memory);
    /// @notice The second from which the lane can be taken over, as things stand.
    function takeoverFrom(bytes20 lane) external view returns (uint64);
    /// @notice What a submission needs: `parametersAt`, and that `submitter` is the active one (reverts otherwise).
    function submissionTerms(bytes20 lane, uint64 periodStart, address submitter)
        external
        view
        returns (uint32 version, Parameters memory p);

    // ---------------------------------------------------------------- sources

    /// @notice Registers the caller's key for its source `name`: from this block on a receipt of it needs a valid signature.
    /// @param key Scheme byte first: 1 secp256k1 (33 bytes), 2 Ed25519 (32), 3 P-256 (33). Empty: none from here on.
    function registerSourceKey(bytes20 lane, string calldata name, bytes calldata key) external returns (bytes32 source);
    /// @notice keccak256(lane ‖ payer ‖ name).
    function sourceOf(bytes20 lane, address payer, string calldata name) external pure returns (bytes32);
    /// @notice keccak256 of the key registered last at `asOf` or before; 0: none.
    function sourceKeyAt(bytes20 lane, address payer, bytes32 source, uint64 asOf) external view returns (bytes32);
    function sourceKeyCount(bytes20 lane, address payer, bytes32 source) external view returns (uint256);
    function sourceKey(bytes20 lane, address payer, bytes32 source, uint256 index)
        external
        view
        returns (uint40 effectiveFrom, bytes memory key);

    // ---------------------------------------------------------------- allowances

    /// @notice Sets the caller's allowance for (lane, period, submitter). The limit may fall, to stop it; sources are only
    /// added, `unsignedSources` only granted, so that what was allowed when a batch came stays so.
    function setAllowance(
        bytes20 lane,
        uint32 period,
        address submitter,
        uint120 limit,
        bool unsignedSources,
        bytes32[] calldata sources
    ) external;
    function allowanceOf(address payer, bytes20 lane, uint32 period, address submitter)
        external
        view
        returns (Allowance memory);
    /// @notice Whether the allowance names the source, and whether it admits sources without a key.
    function sourceConsent(address payer, bytes20 lane, uint32 period, address submitter, bytes32 source)
        external
        view
        returns (bool named, bool unsignedSources);
    /// @notice By PayoutProofs: counts what a batch takes against its payers' allowances, or gives a void batch's back.
    function draw(bytes20 lane, uint32 period, address submitter, Draw[] calldata draws) external;
    function giveBack(address payer, bytes20 lane, uint32 period, address submitter, uint256 amount) external;

    // ---------------------------------------------------------------- watchers

    /// @notice Says that the caller watches the lane; `checked`: the last batch that it found right, or 0. Says nothing that
    /// anything depends on.
    function heartbeat(bytes20 lane, bytes32 checked) external;
    function heartbeatOf(bytes20 lane, address watcher) external view returns (Heartbeat memory);
}
