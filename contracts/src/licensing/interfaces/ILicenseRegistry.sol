// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IRightsRegistry} from "./IRightsRegistry.sol";

/// @title Licences: who may use what, where, when, at which royalty, under which policy (REF §4, C13–C15; ARCHITECTURE §6)
/// @notice A licence's terms are an append-only list of checkpoints, each with the time it was recorded and the time from
/// which it is effective; what held at a time, as known at another, never changes. The ERC-721 token is the licensee's
/// right; `owner` is the licensor. An id is used once for ever.
/// @dev Guards of REF §4.2 are `Error(string)`: `EXISTS`, `POLICY`, `SPLIT`, `TIME`, `OWNER`, in that table's order. What is
/// new is a custom error.
interface ILicenseRegistry {
    // ---------------------------------------------------------------- types

    /// @notice Persistent states (C13). `Expired` is worked out from the window and never stored.
    enum State {
        Draft,
        Active,
        Suspended,
        Revoked,
        Expired
    }

    /// @notice REF §4.2. `royaltyBps` ≤ 10,000 (C31). `flags`: 0x1 rates_private, 0x2 exclusive, 0x4 transferable by the
    /// licensee, 0x8 audit rights; others are refused.
    struct LicenseData {
        address owner;
        address licensee;
        uint96 royaltyBps;
        uint64 startTs;
        uint64 endTs;
        bytes32 adeSplitHash;
        bytes32 acePolicyHash;
        uint8 flags;
        bytes32 metaHash;
    }

    /// @notice What REF §4.1 knows beyond `LicenseData`.
    /// @param assetId What is licensed; 0: nothing that another licence could name.
    /// @param rightsHash A set of RightsRegistry; 0: none stated, and then no use is allowed by name.
    /// @param cap Usage cap; 0 means none (`type(uint256).max`, C32).
    /// @param parent Licence above in the override tree; 0: a root.
    /// @param numer Share of gross that passes up, `numer/denom` ≤ 1.
    /// @param draft Begin as a draft, to be activated.
    struct Terms {
        bytes32 assetId;
        bytes32 rightsHash;
        uint256 cap;
        bytes32 parent;
        uint64 numer;
        uint64 denom;
        bool draft;
    }

    /// @notice One checkpoint of a licence: all that changes with time. Times are seconds.
    struct Checkpoint {
        uint40 recordedAt;
        uint40 effectiveFrom;
        uint40 startTs;
        uint40 endTs;
        uint16 royaltyBps;
        State state;
        uint8 flags;
        uint32 splitVersion;
        uint32 reason;
        bytes32 policyHash;
    }

    /// @notice What held at a time.
    struct Status {
        State state;
        uint64 startTs;
        uint64 endTs;
        uint16 royaltyBps;
        bytes32 policyHash;
        uint32 splitVersion;
        uint32 reason;
    }

    struct Usage {
        uint256 used;
        uint256 cap;
        uint64 nonce;
    }

    // ---------------------------------------------------------------- events

    event LicenseMinted(bytes32 indexed id, address indexed owner, address indexed licensee);
    event LicenseModified(bytes32 indexed id);
    event LicenseAssigned(bytes32 indexed id, address indexed newLicensee);
    event LicenseRevoked(bytes32 indexed id);
    event LicenseStateChanged(bytes32 indexed id, State state, uint32 reason, uint64 effectiveFrom);
    event UsageRecorded(bytes32 indexed id, uint256 delta, uint256 used, uint64 nonce);
    event MintCommitted(bytes32 indexed commitment);
    event PermissionSet(
        address indexed owner, address indexed operator, bytes32 indexed id, bytes4 selector, uint64 until
    );

    // ---------------------------------------------------------------- errors

    error LicenseUnknown(bytes32 id);
    error RoyaltyTooHigh(uint256 royaltyBps, uint256 most);
    error FlagsUnknown(uint8 flags);
    error TimeTooFar(uint64 given, uint64 latest);
    /// @notice Only a mint by a registrar needs no commitment made in an earlier block and not older than a day.
    error MintNotCommitted(bytes32 commitment);
    error CommitmentTooNew(bytes32 commitment, uint64 madeAt);
    error CommitmentTooOld(bytes32 commitment, uint64 madeAt);
    error IntentExpired(uint64 deadline, uint64 time);
    error IntentNonce(uint256 given, uint256 expected);
    error IntentSignature(address owner);
    error RevokedForever(bytes32 id);
    error StateConflict(bytes32 id, State state);
    /// @notice A later checkpoint is effective no earlier than its block.
    error EffectiveInPast(uint64 effectiveFrom, uint64 time);
    error TooManyScheduled(bytes32 id, uint256 most);
    error ExclusivityConflict(bytes32 id, bytes32 other);
    /// @notice The asset has so many licences that exclusivity can no longer be checked.
    error AssetOpen(address owner, bytes32 assetId);
    error ExclusiveNeedsRights(bytes32 id);
    /// @notice A sublicence exceeds the licence above it. `what`: `WINDOW`, `RIGHT`, `CHANNEL`, `LANGUAGE`, `TERRITORY`, as ASCII.
    error BeyondParent(bytes32 parent, bytes32 what);
    error ParentConsent(bytes32 parent, address caller);
    error ParentNotActive(bytes32 parent, State state);
    error CapExceeded(bytes32 id, uint256 used, uint256 delta, uint256 cap);
    error UsageNonce(bytes32 id, uint64 given, uint64 expected);
    error UsageZero();
    error NotTransferable(bytes32 id);
    error MintPaused(uint64 untilHeight);
    error PermissionMalformed();
    error CheckpointUnknown(uint256 index, uint256 count);
    /// @notice A licence's split, policy or metadata has changed as often as its history can number.
    error VersionsExhausted(bytes32 id);
    /// @notice ERC-721's functions are payable by its standard; nothing here takes money.
    error ValueRefused(uint256 value);

    // ---------------------------------------------------------------- source surface (REF §4.2)

    function mint(bytes32 id, LicenseData calldata d) external;
    /// @notice Keeps the owner and the licensee, whatever `d` says of them; effective from this block. Supersedes what was
    /// scheduled.
    function modify(bytes32 id, LicenseData calldata d) external;
    function assign(bytes32 id, address newLicensee) external;
    function revoke(bytes32 id) external;
    function licenses(bytes32 id)
        external
        view
        returns (
            address owner,
            address licensee,
            uint96 royaltyBps,
            uint64 startTs,
            uint64 endTs,
            bytes32 adeSplitHash,
            bytes32 acePolicyHash,
            uint8 flags,
            bytes32 metaHash
        );

    // ---------------------------------------------------------------- minting

    /// @notice Announces a mint without naming it. `commitment` = keccak256(abi.encode(chainid, registry, id, owner, metaHash)).
    /// Committing again does not renew it while it is valid.
    function commitMint(bytes32 commitment) external;
    function mint(bytes32 id, LicenseData calldata d, Terms calldata t) external;
    /// @notice By anyone, with the owner's EIP-712 (or ERC-1271) signature over `MintIntent(bytes32 id, LicenseData data,
    /// Terms terms, uint256 nonce, uint64 deadline)`.
    function mintWithIntent(
        bytes32 id,
        LicenseData calldata d,
        Terms calldata t,
        uint256 nonce,
        uint64 deadline,
        bytes calldata signature
    ) external;
    function activate(bytes32 id) external;

    // ---------------------------------------------------------------- changes

    /// @notice As `modify`, effective from a time to come; `t.rightsHash`, `t.assetId` and the edge stay as minted.
    function modifyFrom(bytes32 id, LicenseData calldata d, uint64 effectiveFrom) external;
    function revokeFrom(bytes32 id, uint32 reason, uint64 effectiveFrom) external;
    /// @notice By enforcement: freeze (C13).
    function suspend(bytes32 id, uint32 reason) external;
    function lift(bytes32 id, uint32 reason) external;
    /// @notice Burns the token of a licence whose scheduled revocation has become effective; anyone may.
    function burnRevoked(bytes32 id) external;
    /// @notice Lets go, among the first `most` of each of the asset's lists, of licences that can never be in force again, so
    /// that an exclusive licence need not look at them.
    function pruneAsset(address owner, bytes32 assetId, uint256 most) external;
    /// @notice Counts a use: `used + delta ≤ cap`, then the nonce steps.
    function recordUsage(bytes32 id, uint256 delta, uint64 nonce) external;

    /// @notice Lets `operator` call `selector` for the caller's licences; `id` 0: all of them. `until` 0 withdraws it.
    function setPermission(address operator, bytes32 id, bytes4 selector, uint64 until) external;
    /// @notice Likewise, for the rest of this transaction.
    function permitOnce(address operator, bytes32 id, bytes4 selector) external;
    /// @notice Several calls as one; all or none.
    function batch(bytes[] calldata calls) external returns (bytes[] memory results);

    // ---------------------------------------------------------------- what held

    /// @notice The last checkpoint recorded by `asOf` and effective at `time`, with suspensions and revocations of subtrees
    /// above it applied (C27). `Draft` when there is none; `Expired` from `endTs` on.
    function stateAt(bytes32 id, uint64 time, uint64 asOf) external view returns (Status memory);
    /// @notice The checkpoint in force at `time` or, failing that, the first one (ARCHITECTURE §6: terms at a period's start).
    /// Own state only, without subtrees; `Expired` is worked out. Reverts `LicenseUnknown`.
    function termsAt(bytes32 id, uint64 time) external view returns (Status memory);
    /// @notice What a route asks of `termsAt`, of several licences at once: state + splitVersion·2⁸ + royaltyBps·2⁴⁰ each.
    function routeTermsAt(bytes32[] calldata ids, uint64 time) external view returns (uint256[] memory terms);
    function checkpointCount(bytes32 id) external view returns (uint256);
    function checkpointAt(bytes32 id, uint256 index) external view returns (Checkpoint memory);
    /// @notice The metadata commitment of a checkpoint's terms.
    function metaHashAt(bytes32 id, uint256 index) external view returns (bytes32);
    /// @notice Versions count from 1; zero for one that is not.
    function splitHashOf(bytes32 id, uint32 splitVersion) external view returns (bytes32);
    /// @return allowed Whether this licence allows the use at this time by `user` (the licensee; 0: whoever).
    /// @return reason 0, or why not, as ASCII: `UNKNOWN`, `DRAFT`, `SUSPENDED`, `REVOKED`, `NOT_STARTED`, `EXPIRED`, `POLICY`,
    /// `USER`, `CAP`, `NO_RIGHTS`, `RIGHT`, `CHANNEL`, `LANGUAGE`, `TERRITORY`; the first that applies.
    function isUseAllowed(bytes32 id, address user, IRightsRegistry.Use calldata use_)
        external
        view
        returns (bool allowed, bytes32 reason);
    function termsOf(bytes32 id) external view returns (Terms memory);
    function usageOf(bytes32 id) external view returns (Usage memory);
    /// @notice The licensor; zero when unknown. Also of a revoked licence.
    function licensorOf(bytes32 id) external view returns (address);
    function royaltyInfo(uint256 tokenId, uint256 salePrice) external view returns (address receiver, uint256 amount);
    /// @notice The rate, and the vector that divides what is due, as in force now. A split that is a sum tree has none on
    /// chain: then it reverts as `ISplitRegistry.vectorOf` does.
    function royaltyVector(bytes32 id)
        external
        view
        returns (uint16 royaltyBps, bytes32 splitHash, address[] memory payees, uint96[] memory weights, uint96 denom);
    function intentNonce(address owner) external view returns (uint256);
}
