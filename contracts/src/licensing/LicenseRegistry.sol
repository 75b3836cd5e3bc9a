// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ERC721} from "solady/tokens/ERC721.sol";
import {LibString} from "solady/utils/LibString.sol";
import {SignatureCheckerLib} from "solady/utils/SignatureCheckerLib.sol";
import {IPolicyRegistry} from "../compliance/interfaces/IPolicyRegistry.sol";
import {Governed} from "../core/Governed.sol";
import {Roles} from "../core/Roles.sol";
import {SystemAddresses} from "../core/SystemAddresses.sol";
import {IPauseFlags} from "../core/interfaces/IPauseFlags.sol";
import {LicenseExclusivity} from "./LicenseExclusivity.sol";
import {LicensePermissions} from "./LicensePermissions.sol";
import {IADEVerifier} from "./interfaces/IADEVerifier.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";
import {IRightsRegistry} from "./interfaces/IRightsRegistry.sol";
import {ISplitRegistry} from "./interfaces/ISplitRegistry.sol";
import {Ask} from "./libraries/Ask.sol";
import {Checkpoints, PackedCheckpoint} from "./libraries/Checkpoints.sol";
import {Vocabulary} from "./libraries/Vocabulary.sol";

/// @title The licence registry (REF §4.2, C13–C15; ARCHITECTURE §6)
/// @notice A deployment of its own serves its deployer at once, without override edges: those are the system registry's,
/// which is a proxy.
/// @dev Upholds [LIC-1], [LIC-2], [LIC-3], [LIC-4], [LIC-5], [LIC-6], [LIC-7], [LIC-8], [LIC-9], [LIC-10], [LIC-11],
/// [LIC-12], [LIC-13], [LIC-14], [LIC-15], [LIC-16], [LIC-17], [LIC-18], [LIC-19], [LIC-20], [LIC-21], [LIC-22],
/// [LIC-23], [LIC-24], [LIC-25], [LIC-26], [LIC-27], [LIC-28], [LIC-29] and [LIC-44], [LIC-45], [LIC-46], [LIC-47],
/// [LIC-48], [LIC-49].
contract LicenseRegistry is LicenseExclusivity, LicensePermissions, ERC721, Governed {
    // ---------------------------------------------------------------- constants

    uint256 private constant MOST_BPS = 10_000;
    uint256 private constant FLAG_TRANSFERABLE = 0x4;
    uint256 private constant ACTIVE = uint256(State.Active);
    uint256 private constant FLAGS = 0xf;
    uint256 private constant COMMITMENT_LIFE = 1 days;
    IPauseFlags private constant PAUSE = IPauseFlags(SystemAddresses.PAUSE_FLAGS);
    /// @dev The selector by which a permission on a parent consents to sublicences.
    bytes4 private constant SUBLICENSE_SELECTOR = bytes4(
        keccak256(
            "mint(bytes32,(address,address,uint96,uint64,uint64,bytes32,bytes32,uint8,bytes32),(bytes32,bytes32,uint256,bytes32,uint64,uint64,bool))"
        )
    );

    bytes private constant DATA_TYPE =
        "LicenseData(address owner,address licensee,uint96 royaltyBps,uint64 startTs,uint64 endTs,bytes32 adeSplitHash,bytes32 acePolicyHash,uint8 flags,bytes32 metaHash)";
    bytes private constant TERMS_TYPE =
        "Terms(bytes32 assetId,bytes32 rightsHash,uint256 cap,bytes32 parent,uint64 numer,uint64 denom,bool draft)";
    bytes32 private constant DATA_TYPEHASH = keccak256(DATA_TYPE);
    bytes32 private constant TERMS_TYPEHASH = keccak256(TERMS_TYPE);
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant DOMAIN_NAME = keccak256("CHLOM LicenseRegistry");
    bytes32 private constant DOMAIN_VERSION = keccak256("1");
    bytes32 private constant INTENT_TYPEHASH = keccak256(
        bytes.concat(
            "MintIntent(bytes32 id,LicenseData data,Terms terms,uint256 nonce,uint64 deadline)", DATA_TYPE, TERMS_TYPE
        )
    );

    // ---------------------------------------------------------------- immutables

    /// @notice Which policies are in force.
    IPolicyRegistry public immutable policy;
    /// @notice Which splits are valid; for the system registry also the override forest.
    IADEVerifier public immutable ade;
    /// @dev Where this code itself is.
    address private immutable _code = address(this);

    // ---------------------------------------------------------------- storage

    mapping(bytes32 commitment => uint256 madeAt) private _commitments;
    /// @inheritdoc ILicenseRegistry
    mapping(address owner => uint256) public intentNonce;

    // ---------------------------------------------------------------- constructor

    /// @notice Its deployer owns it and allots ids; a proxy in front of it is set up by `initialize`.
    constructor(address policy_, address ade_) {
        if (policy_ == address(0) || ade_ == address(0)) revert ZeroAddress();
        policy = IPolicyRegistry(policy_);
        ade = IADEVerifier(ade_);
        _disableInitializers();
        _govern(msg.sender, msg.sender, Roles.REGISTRAR);
    }

    /// @notice Once, by the proxy's constructor.
    function initialize(address owner_, address authority) external initializer {
        _govern(owner_, authority, Roles.REGISTRAR | Roles.METER | Roles.ENFORCER);
    }

    // ---------------------------------------------------------------- minting

    /// @inheritdoc ILicenseRegistry
    function commitMint(bytes32 commitment) external {
        uint256 madeAt = _commitments[commitment];
        if (madeAt != 0 && block.timestamp <= madeAt + COMMITMENT_LIFE) return;
        _commitments[commitment] = block.timestamp;
        emit MintCommitted(commitment);
    }

    /// @inheritdoc ILicenseRegistry
    function mint(bytes32 id, LicenseData calldata d) external {
        Terms memory none;
        _mintLicense(id, d, none, false);
    }

    /// @inheritdoc ILicenseRegistry
    function mint(bytes32 id, LicenseData calldata d, Terms calldata t) external {
        _mintLicense(id, d, t, false);
    }

    /// @inheritdoc ILicenseRegistry
    function mintWithIntent(
        bytes32 id,
        LicenseData calldata d,
        Terms calldata t,
        uint256 nonce,
        uint64 deadline,
        bytes calldata signature
    ) external {
        if (block.timestamp > deadline) revert IntentExpired(deadline, uint64(block.timestamp));
        uint256 expected = intentNonce[d.owner]++;
        if (nonce != expected) revert IntentNonce(nonce, expected);
        bytes32 digest = _intentDigest(id, d, t, nonce, deadline);
        if (!SignatureCheckerLib.isValidSignatureNowCalldata(d.owner, digest, signature)) {
            revert IntentSignature(d.owner);
        }
        _mintLicense(id, d, t, true);
    }

    /// @inheritdoc ILicenseRegistry
    function activate(bytes32 id) external {
        _requireUnpaused();
        Record storage r = _actedOn(id, 0);
        _setState(r, id, State.Draft, State.Active, 0);
    }

    // ---------------------------------------------------------------- changes

    /// @inheritdoc ILicenseRegistry
    function modify(bytes32 id, LicenseData calldata d) external {
        _modify(id, d, uint64(block.timestamp));
    }

    /// @inheritdoc ILicenseRegistry
    function modifyFrom(bytes32 id, LicenseData calldata d, uint64 effectiveFrom) external {
        _modify(id, d, effectiveFrom);
    }

    /// @inheritdoc ILicenseRegistry
    function assign(bytes32 id, address newLicensee) external {
        Record storage r = _actedOn(id, 0);
        if (_isRevoked(r)) _revoked(id);
        _transfer(_ownerOf(uint256(id)), newLicensee, uint256(id));
    }

    /// @inheritdoc ILicenseRegistry
    function revoke(bytes32 id) external {
        _revoke(id, 0, uint64(block.timestamp));
    }

    /// @inheritdoc ILicenseRegistry
    function revokeFrom(bytes32 id, uint32 reason, uint64 effectiveFrom) external {
        _revoke(id, reason, effectiveFrom);
    }

    /// @inheritdoc ILicenseRegistry
    function suspend(bytes32 id, uint32 reason) external onlyRoles(Roles.ENFORCER) {
        _setState(_known(id), id, State.Active, State.Suspended, reason);
    }

    /// @inheritdoc ILicenseRegistry
    function lift(bytes32 id, uint32 reason) external onlyRoles(Roles.ENFORCER) {
        _setState(_known(id), id, State.Suspended, State.Active, reason);
    }

    /// @inheritdoc ILicenseRegistry
    function burnRevoked(bytes32 id) external {
        Record storage r = _known(id);
        if (!_isRevoked(r)) _conflict(id, _inForce(r, block.timestamp).state());
        if (r.lastLicensee != address(0)) _revoked(id);
        _burnToken(r, id);
    }

    /// @inheritdoc ILicenseRegistry
    function recordUsage(bytes32 id, uint256 delta, uint64 nonce) external {
        Record storage r = _actedOn(id, Roles.METER);
        State state = stateAt(id, uint64(block.timestamp), uint64(block.timestamp)).state;
        if (state != State.Active) _conflict(id, state);
        uint64 expected = r.nonce;
        if (nonce != expected) revert UsageNonce(id, nonce, expected);
        if (delta == 0) revert UsageZero();
        uint256 cap = _capOf(r);
        uint256 used = r.used;
        // used ≤ cap always, so that neither line wraps; a nonce of 64 bits is never spent.
        unchecked {
            if (delta > cap - used) revert CapExceeded(id, used, delta, cap);
            r.used = used + delta;
            r.nonce = expected + 1;
            emit UsageRecorded(id, delta, used + delta, expected + 1);
        }
    }

    /// @inheritdoc ILicenseRegistry
    function batch(bytes[] calldata calls) external returns (bytes[] memory results) {
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (bool done, bytes memory answer) = address(this).delegatecall(calls[i]);
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            results[i] = answer;
        }
    }

    // ---------------------------------------------------------------- what held

    /// @inheritdoc ILicenseRegistry
    function stateAt(bytes32 id, uint64 time, uint64 asOf) public view returns (Status memory s) {
        Record storage r = _records[id];
        uint256 found = _find(r, time, asOf);
        if (found == 0) return s;
        PackedCheckpoint c = r.checkpoints[found - 1];
        s = _statusOf(r, c);
        (s.state, s.reason) = _underMarks(id, c, time, asOf);
        if (s.state == State.Revoked) return s;
        if (time >= s.endTs) s.state = State.Expired;
        else if (time < s.startTs) s.state = State.Draft;
    }

    /// @inheritdoc ILicenseRegistry
    function termsAt(bytes32 id, uint64 time) external view returns (Status memory s) {
        Record storage r = _known(id);
        s = _statusOf(r, _inForce(r, time));
        if (s.state != State.Revoked && time >= s.endTs) s.state = State.Expired;
    }

    /// @inheritdoc ILicenseRegistry
    /// @dev Every settled row asks this: written for gas, one word read of a licence that never changed.
    function routeTermsAt(bytes32[] calldata ids, uint64 time) external view returns (uint256[] memory) {
        uint256 answer;
        uint256 count = ids.length;
        // The answer as it is returned: the offset of the list, its length, its words.
        assembly ("memory-safe") {
            answer := mload(0x40)
            mstore(answer, 0x20)
            mstore(add(answer, 0x20), count)
        }
        unchecked {
            for (uint256 i; i != count; ++i) {
                bytes32 id;
                assembly ("memory-safe") {
                    id := calldataload(add(ids.offset, shl(5, i)))
                }
                PackedCheckpoint c = _inForce(_records[id], time);
                if (c.isNone()) revert LicenseUnknown(id);
                uint256 terms = c.stateBits();
                if (time >= c.endTs() && terms != uint256(State.Revoked)) terms = uint256(State.Expired);
                terms |= c.splitVersion() << 8 | c.royaltyBps() << 40;
                assembly ("memory-safe") {
                    mstore(add(answer, add(0x40, shl(5, i))), terms)
                }
            }
        }
        assembly ("memory-safe") {
            return(answer, add(0x40, shl(5, count)))
        }
    }

    /// @inheritdoc ILicenseRegistry
    function checkpointCount(bytes32 id) external view returns (uint256) {
        return _records[id].count;
    }

    /// @inheritdoc ILicenseRegistry
    function checkpointAt(bytes32 id, uint256 index) external view returns (Checkpoint memory) {
        Record storage r = _known(id);
        PackedCheckpoint c = _checkpoint(r, index);
        return Checkpoint({
            recordedAt: uint40(c.recordedAt()),
            effectiveFrom: uint40(c.effectiveFrom()),
            startTs: uint40(c.startTs()),
            endTs: uint40(c.endTs()),
            royaltyBps: uint16(c.royaltyBps()),
            state: c.state(),
            flags: uint8(c.flags()),
            splitVersion: uint32(c.splitVersion()),
            reason: uint32(c.reason()),
            policyHash: r.policyHashes[c.policyVersion()]
        });
    }

    /// @inheritdoc ILicenseRegistry
    function metaHashAt(bytes32 id, uint256 index) external view returns (bytes32) {
        Record storage r = _known(id);
        return r.metaHashes[_checkpoint(r, index).metaVersion()];
    }

    /// @inheritdoc ILicenseRegistry
    function splitHashOf(bytes32 id, uint32 splitVersion) external view returns (bytes32) {
        return _records[id].splitHashes[splitVersion];
    }

    /// @inheritdoc ILicenseRegistry
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
        )
    {
        Record storage r = _records[id];
        owner = r.owner;
        PackedCheckpoint c = _inForce(r, block.timestamp);
        licensee = _licenseeOf(r, id);
        royaltyBps = uint96(c.royaltyBps());
        startTs = uint64(c.startTs());
        endTs = uint64(c.endTs());
        adeSplitHash = r.splitHashes[c.splitVersion()];
        acePolicyHash = r.policyHashes[c.policyVersion()];
        flags = uint8(c.flags());
        metaHash = r.metaHashes[c.metaVersion()];
    }

    /// @inheritdoc ILicenseRegistry
    function isUseAllowed(bytes32 id, address user, IRightsRegistry.Use calldata use_)
        external
        view
        returns (bool allowed, bytes32 reason)
    {
        reason = _refusal(id, user, use_);
        assembly ("memory-safe") {
            mstore(0, iszero(reason))
            mstore(0x20, reason)
            return(0, 0x40)
        }
    }

    /// @inheritdoc ILicenseRegistry
    function termsOf(bytes32 id) external view returns (Terms memory t) {
        Record storage r = _known(id);
        t.assetId = r.assetId;
        t.rightsHash = r.rightsHash;
        t.cap = _capOf(r);
        t.draft = _inForce(r, block.timestamp).state() == State.Draft;
        ISplitRegistry.Edge memory edge = _edgeOf(id);
        (t.parent, t.numer, t.denom) = (edge.parent, edge.numer, edge.denom);
    }

    /// @inheritdoc ILicenseRegistry
    function usageOf(bytes32 id) external view returns (Usage memory) {
        Record storage r = _known(id);
        return Usage(r.used, _capOf(r), r.nonce);
    }

    /// @inheritdoc ILicenseRegistry
    function licensorOf(bytes32 id) external view returns (address) {
        return _records[id].owner;
    }

    /// @inheritdoc ILicenseRegistry
    function royaltyInfo(uint256 tokenId, uint256 salePrice) external view returns (address receiver, uint256 amount) {
        Record storage r = _records[bytes32(tokenId)];
        receiver = r.owner;
        uint256 bps = _inForce(r, block.timestamp).royaltyBps();
        // ⌊salePrice·bps/10⁴⌋, whatever the price: as bps ≤ 10⁴ nothing exceeds it.
        unchecked {
            amount = salePrice / MOST_BPS * bps + salePrice % MOST_BPS * bps / MOST_BPS;
        }
    }

    /// @inheritdoc ILicenseRegistry
    function royaltyVector(bytes32 id)
        external
        view
        returns (uint16 royaltyBps, bytes32 splitHash, address[] memory payees, uint96[] memory weights, uint96 denom)
    {
        Record storage r = _known(id);
        PackedCheckpoint c = _inForce(r, block.timestamp);
        royaltyBps = uint16(c.royaltyBps());
        splitHash = r.splitHashes[c.splitVersion()];
        bytes memory call_ = abi.encodeCall(ISplitRegistry.vectorOf, (splitHash));
        address splits = address(ade);
        // What is answered there is answered here, behind two words more: the offsets of both arrays move by them.
        assembly ("memory-safe") {
            let at := mload(0x40)
            let done := staticcall(gas(), splits, add(call_, 0x20), mload(call_), 0, 0)
            returndatacopy(add(at, 0x40), 0, returndatasize())
            if or(iszero(done), lt(returndatasize(), 0x60)) { revert(add(at, 0x40), returndatasize()) }
            mstore(at, royaltyBps)
            mstore(add(at, 0x20), splitHash)
            mstore(add(at, 0x40), add(mload(add(at, 0x40)), 0x40))
            mstore(add(at, 0x60), add(mload(add(at, 0x60)), 0x40))
            return(at, add(returndatasize(), 0x40))
        }
    }

    // ---------------------------------------------------------------- ERC-721

    /// @inheritdoc ERC721
    function name() public pure override returns (string memory) {
        return "CHLOM Licence";
    }

    /// @inheritdoc ERC721
    function symbol() public pure override returns (string memory) {
        return "CHLOML";
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        ownerOf(tokenId);
        return string.concat("urn:chlom:licence:", LibString.toHexString(tokenId, 32));
    }

    /// @inheritdoc ERC721
    /// @dev From the moment of a revocation nobody holds the right, burnt or not yet.
    function ownerOf(uint256 tokenId) public view override returns (address) {
        Record storage r = _records[bytes32(tokenId)];
        // While it is being burnt, `lastLicensee` is written already.
        if (r.count != 0 && r.lastLicensee == address(0) && _isRevoked(r)) revert TokenDoesNotExist();
        return super.ownerOf(tokenId);
    }

    /// @inheritdoc ERC721
    /// @dev By the licensee or whom it approved, where the terms let it and the licence is active.
    function transferFrom(address from, address to, uint256 tokenId) public payable override {
        _refuseValue();
        bytes32 id = bytes32(tokenId);
        Record storage r = _known(id);
        PackedCheckpoint c = _inForce(r, block.timestamp);
        if (c.flags() & FLAG_TRANSFERABLE == 0 || _stateNow(id, c) != ACTIVE || block.timestamp >= c.endTs()) {
            revert NotTransferable(id);
        }
        super.transferFrom(from, to, tokenId);
    }

    /// @inheritdoc ERC721
    function approve(address account, uint256 tokenId) public payable override {
        _refuseValue();
        super.approve(account, tokenId);
    }

    /// @inheritdoc ERC721
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        // EIP-2981.
        return interfaceId == 0x2a55205a || super.supportsInterface(interfaceId);
    }

    function _afterTokenTransfer(address from, address to, uint256 tokenId) internal override {
        if (from != address(0) && to != address(0)) emit LicenseAssigned(bytes32(tokenId), to);
    }

    // ---------------------------------------------------------------- minting, inside

    function _mintLicense(bytes32 id, LicenseData calldata d, Terms memory t, bool byIntent) private {
        _requireUnpaused();
        Record storage r = _records[id];
        require(r.owner == address(0), "EXISTS");
        _requireSound(d);
        bool registrar = hasAnyRole(msg.sender, Roles.REGISTRAR);
        if (!byIntent) _requireActor(d.owner, id, Roles.REGISTRAR);
        _requireInRange(d);
        if (d.owner == address(0)) revert ZeroAddress();
        if (t.rightsHash != 0 && !RIGHTS.isRegistered(t.rightsHash)) {
            revert IRightsRegistry.RightsUnknown(t.rightsHash);
        }
        if (!registrar) _spendCommitment(id, d);
        if (t.parent != 0) _requireParent(d, t, registrar);
        else if (t.numer != 0 || t.denom != 0) revert ISplitRegistry.EdgeRate(t.numer, t.denom);

        _write(r, id, d, t);
        _mint(d.licensee, uint256(id));
        emit LicenseMinted(id, d.owner, d.licensee);
        if (t.parent != 0) ISplitRegistry(address(ade)).registerEdge(id, t.parent, t.numer, t.denom);
    }

    function _write(Record storage r, bytes32 id, LicenseData calldata d, Terms memory t) private {
        r.owner = d.owner;
        r.splits = 1;
        r.policies = 1;
        r.metas = 1;
        r.splitHashes[1] = d.adeSplitHash;
        r.policyHashes[1] = d.acePolicyHash;
        if (d.metaHash != 0) r.metaHashes[1] = d.metaHash;
        if (t.assetId != 0) r.assetId = t.assetId;
        if (t.rightsHash != 0) r.rightsHash = t.rightsHash;
        if (t.cap != 0 && t.cap != type(uint256).max) r.cap = t.cap;
        PackedCheckpoint c = _pack(d, t.draft ? State.Draft : State.Active).withVersions(1, 1, 1);
        _claim(r, id, c, d.startTs);
        _append(r, c, d.startTs);
    }

    /// @dev Whoever learns an id from a mint it sees has no commitment of a block before.
    function _spendCommitment(bytes32 id, LicenseData calldata d) private {
        bytes32 commitment = keccak256(abi.encode(block.chainid, address(this), id, d.owner, d.metaHash));
        uint256 madeAt = _commitments[commitment];
        if (madeAt == 0) revert MintNotCommitted(commitment);
        if (madeAt >= block.timestamp) revert CommitmentTooNew(commitment, uint64(madeAt));
        if (block.timestamp > madeAt + COMMITMENT_LIFE) revert CommitmentTooOld(commitment, uint64(madeAt));
        delete _commitments[commitment];
    }

    /// @dev A sublicence: the one above is in force, somebody entitled to agrees, and nothing exceeds it.
    function _requireParent(LicenseData calldata d, Terms memory t, bool registrar) private view {
        Record storage p = _known(t.parent);
        PackedCheckpoint c = _inForce(p, block.timestamp);
        uint256 state = _stateNow(t.parent, c);
        if (state != ACTIVE) revert ParentNotActive(t.parent, State(state));
        if (!registrar && !_consents(p.owner, t.parent, d.owner)) {
            bytes32 word_ = bytes32(uint256(Vocabulary.SUBLICENSE));
            bool sublicensable =
                p.rightsHash != 0 && _askRights(IRightsRegistry.grants.selector, p.rightsHash, word_) != 0;
            if (!sublicensable || !_consents(_licenseeOf(p, t.parent), t.parent, d.owner)) {
                revert ParentConsent(t.parent, msg.sender);
            }
        }
        if (d.startTs < c.startTs() || d.endTs > c.endTs()) _exceeds(t.parent, "WINDOW");
        if (t.rightsHash == 0) return;
        if (p.rightsHash == 0) _exceeds(t.parent, "RIGHT");
        bytes32 excess = _askRights(IRightsRegistry.isWithin.selector, t.rightsHash, p.rightsHash);
        if (excess != 0) _exceeds(t.parent, excess);
    }

    /// @dev Whether `who` agrees to a sublicence: calls, is the child's licensor, or lets the caller.
    function _consents(address who, bytes32 parent, address childOwner) private view returns (bool) {
        return msg.sender == who || childOwner == who || _isPermitted(who, msg.sender, parent, SUBLICENSE_SELECTOR);
    }

    /// @dev EIP-712. Both structs are static, so their encoding is their words as they came; fields out of their type's
    /// range are refused where they are read.
    function _intentDigest(bytes32 id, LicenseData calldata d, Terms calldata t, uint256 nonce, uint64 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32 data = _hashStruct(DATA_TYPEHASH, _wordsOf(d));
        bytes32 terms = _hashStruct(TERMS_TYPEHASH, _wordsOf(t));
        bytes32 intent = keccak256(abi.encode(INTENT_TYPEHASH, id, data, terms, nonce, deadline));
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this)));
        return keccak256(abi.encodePacked(hex"1901", domain, intent));
    }

    function _hashStruct(bytes32 typeHash, bytes calldata words) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(typeHash, words));
    }

    function _wordsOf(LicenseData calldata d) private pure returns (bytes calldata words) {
        assembly ("memory-safe") {
            words.offset := d
            words.length := 288
        }
    }

    function _wordsOf(Terms calldata t) private pure returns (bytes calldata words) {
        assembly ("memory-safe") {
            words.offset := t
            words.length := 224
        }
    }

    // ---------------------------------------------------------------- changes, inside

    function _modify(bytes32 id, LicenseData calldata d, uint64 effectiveFrom) private {
        _requireUnpaused();
        Record storage r = _actedOn(id, 0);
        if (_isDoomed(r)) _revoked(id);
        _requireSound(d);
        _requireInRange(d);
        _requireEffective(r, id, effectiveFrom);
        PackedCheckpoint base = _inForce(r, effectiveFrom);
        State state = base.state();
        if (state == State.Suspended) _conflict(id, state);

        PackedCheckpoint c = _withVersions(r, id, base, _pack(d, state), d);
        bool narrower = d.startTs >= base.startTs() && d.endTs <= base.endTs();
        if (!narrower) _requireWithinParent(id, d);
        // What claims no more than it has collides with nobody.
        if (!narrower || _scheduled(r) != 0 || (base.flags() ^ c.flags()) & FLAG_EXCLUSIVE != 0) {
            _claim(r, id, c, effectiveFrom);
        }
        _append(r, c, effectiveFrom);
        emit LicenseModified(id);
    }

    function _withVersions(
        Record storage r,
        bytes32 id,
        PackedCheckpoint base,
        PackedCheckpoint c,
        LicenseData calldata d
    ) private returns (PackedCheckpoint) {
        uint256 split;
        uint256 policy_;
        uint256 meta;
        (split, r.splits) = _version(r.splitHashes, id, base.splitVersion(), r.splits, d.adeSplitHash);
        (policy_, r.policies) = _version(r.policyHashes, id, base.policyVersion(), r.policies, d.acePolicyHash);
        (meta, r.metas) = _version(r.metaHashes, id, base.metaVersion(), r.metas, d.metaHash);
        return c.withVersions(split, policy_, meta);
    }

    /// @dev The version that says `hash`: the one in force, or a new one behind the last.
    function _version(
        mapping(uint256 => bytes32) storage hashes,
        bytes32 id,
        uint256 inForce,
        uint16 last,
        bytes32 hash
    ) private returns (uint256 version, uint16 newLast) {
        if (hashes[inForce] == hash) return (inForce, last);
        if (last == Checkpoints.LAST_VERSION) revert VersionsExhausted(id);
        newLast = last + 1;
        hashes[newLast] = hash;
        version = newLast;
    }

    /// @dev A change of window stays within the licence above, as that is now.
    function _requireWithinParent(bytes32 id, LicenseData calldata d) private view {
        bytes32 parent = _edgeOf(id).parent;
        if (parent == 0) return;
        PackedCheckpoint p = _inForce(_records[parent], block.timestamp);
        if (d.startTs < p.startTs() || d.endTs > p.endTs()) _exceeds(parent, "WINDOW");
    }

    function _revoke(bytes32 id, uint32 reason, uint64 effectiveFrom) private {
        Record storage r = _actedOn(id, Roles.ENFORCER);
        if (_isDoomed(r) && effectiveFrom >= _last(r).effectiveFrom()) _revoked(id);
        _requireEffective(r, id, effectiveFrom);
        _append(r, _inForce(r, effectiveFrom).withState(State.Revoked, reason), effectiveFrom);
        emit LicenseStateChanged(id, State.Revoked, reason, effectiveFrom);
        if (effectiveFrom == block.timestamp) _burnToken(r, id);
    }

    function _burnToken(Record storage r, bytes32 id) private {
        r.lastLicensee = _ownerOf(uint256(id));
        _burn(uint256(id));
        emit LicenseRevoked(id);
    }

    /// @dev Now, and for all that is scheduled, which is recorded anew: the last that is recorded counts.
    function _setState(Record storage r, bytes32 id, State from, State to, uint32 reason) private {
        if (_isDoomed(r)) _revoked(id);
        PackedCheckpoint c = _inForce(r, block.timestamp);
        if (c.state() != from) _conflict(id, c.state());
        uint256 waiting = _scheduled(r);
        uint256 next = r.count - waiting;
        _recordState(r, id, c.withState(to, reason), block.timestamp);
        for (; waiting != 0; --waiting) {
            c = r.checkpoints[next++];
            _recordState(r, id, c.withState(to, reason), c.effectiveFrom());
        }
    }

    function _recordState(Record storage r, bytes32 id, PackedCheckpoint c, uint256 effectiveFrom) private {
        _append(r, c, effectiveFrom);
        emit LicenseStateChanged(id, c.state(), uint32(c.reason()), uint64(effectiveFrom));
    }

    // ---------------------------------------------------------------- guards

    /// @dev REF §4.2, in its order.
    function _requireSound(LicenseData calldata d) private view {
        require(_isPolicyActive(d.acePolicyHash), "POLICY");
        require(Ask.about(address(ade), IADEVerifier.isValidSplitHash.selector, d.adeSplitHash) != 0, "SPLIT");
        require(d.endTs > d.startTs, "TIME");
    }

    function _requireInRange(LicenseData calldata d) private pure {
        if (d.royaltyBps > MOST_BPS) revert RoyaltyTooHigh(d.royaltyBps, MOST_BPS);
        if (d.flags & ~FLAGS != 0) revert FlagsUnknown(d.flags);
        _requireNear(d.endTs);
    }

    function _requireEffective(Record storage r, bytes32 id, uint64 effectiveFrom) private view {
        if (effectiveFrom < block.timestamp) revert EffectiveInPast(effectiveFrom, uint64(block.timestamp));
        _requireNear(effectiveFrom);
        if (effectiveFrom > block.timestamp && _scheduled(r) >= MOST_SCHEDULED) {
            revert TooManyScheduled(id, MOST_SCHEDULED);
        }
    }

    /// @dev Where no flags are, outside of CHLOM's networks, nothing pauses.
    function _requireUnpaused() private view {
        if (address(PAUSE).code.length == 0) return;
        bytes32 flag = bytes32(uint256(IPauseFlags.Flag.MintModify));
        uint256 until = uint256(Ask.about(address(PAUSE), IPauseFlags.pausedUntil.selector, flag));
        if (until > block.number) revert MintPaused(uint64(until));
    }

    function _refuseValue() private view {
        if (msg.value != 0) revert ValueRefused(msg.value);
    }

    /// @dev A licence on which the caller may act: as its licensor, by a permission for this very call, or by a role.
    function _actedOn(bytes32 id, uint256 roles) private view returns (Record storage r) {
        r = _known(id);
        _requireActor(r.owner, id, roles);
    }

    function _requireActor(address owner, bytes32 id, uint256 roles) private view {
        bool entitled = msg.sender == owner || _isPermitted(owner, msg.sender, id, msg.sig);
        require(entitled || hasAnyRole(msg.sender, roles), "OWNER");
    }

    function _requireNear(uint64 time) private pure {
        if (time > Checkpoints.LATEST) revert TimeTooFar(time, uint64(Checkpoints.LATEST));
    }

    // One place for each refusal that is raised at several: code size is bounded (EIP-170).

    function _conflict(bytes32 id, State state) private pure {
        revert StateConflict(id, state);
    }

    function _exceeds(bytes32 parent, bytes32 what) private pure {
        revert BeyondParent(parent, what);
    }

    function _revoked(bytes32 id) private pure {
        revert RevokedForever(id);
    }

    // ---------------------------------------------------------------- reading, inside

    function _refusal(bytes32 id, address user, IRightsRegistry.Use calldata use_) private view returns (bytes32) {
        Record storage r = _records[id];
        PackedCheckpoint c = _inForce(r, block.timestamp);
        if (c.isNone()) return "UNKNOWN";
        uint256 state = _stateNow(id, c);
        if (state != ACTIVE) {
            if (state == uint256(State.Draft)) return "DRAFT";
            return state == uint256(State.Suspended) ? bytes32("SUSPENDED") : bytes32("REVOKED");
        }
        if (block.timestamp < c.startTs()) return "NOT_STARTED";
        if (block.timestamp >= c.endTs()) return "EXPIRED";
        if (!_isPolicyActive(r.policyHashes[c.policyVersion()])) return "POLICY";
        // The token of an active licence is not burnt.
        if (user != address(0) && user != _ownerOf(uint256(id))) return "USER";
        uint256 cap = r.cap;
        if (cap != 0 && r.used >= cap) return "CAP";
        bytes32 rightsHash = r.rightsHash;
        if (rightsHash == 0) return "NO_RIGHTS";
        return Ask.allows(address(RIGHTS), rightsHash, use_);
    }

    function _isPolicyActive(bytes32 policyHash) private view returns (bool) {
        return Ask.about(address(policy), IPolicyRegistry.isPolicyHashActive.selector, policyHash) != 0;
    }

    function _edgeOf(bytes32 id) private view returns (ISplitRegistry.Edge memory edge) {
        if (_hasForest()) edge = ISplitRegistry(address(ade)).edgeOf(id);
    }

    /// @dev The state that `_underMarks` says of now, as its number: every use asks it.
    function _stateNow(bytes32 id, PackedCheckpoint c) private view returns (uint256 state) {
        state = c.stateBits();
        if (state == uint256(State.Revoked) || !_hasForest()) return state;
        uint256 mark = uint256(Ask.about(address(ade), ISplitRegistry.gravestMark.selector, id));
        if (mark == 0) return state;
        if (mark == uint256(ISplitRegistry.Mark.Revoked)) return uint256(State.Revoked);
        if (state == ACTIVE) return uint256(State.Suspended);
    }

    /// @dev A checkpoint's state beneath the marks on the subtrees it lies in (C27); without its window.
    function _underMarks(bytes32 id, PackedCheckpoint c, uint64 time, uint64 asOf)
        private
        view
        returns (State state, uint32 reason)
    {
        (state, reason) = (c.state(), uint32(c.reason()));
        if (state == State.Revoked || !_hasForest()) return (state, reason);
        (bytes32 mark, bytes32 why) = Ask.words(
            address(ade), ISplitRegistry.subtreeAt.selector, id, bytes32(uint256(time)), bytes32(uint256(asOf))
        );
        if (mark == 0) return (state, reason);
        if (uint256(mark) == uint256(ISplitRegistry.Mark.Revoked)) return (State.Revoked, uint32(uint256(why)));
        if (state == State.Active) return (State.Suspended, uint32(uint256(why)));
    }

    /// @dev Override edges and marks are kept for the system registry, which is a proxy of this code.
    function _hasForest() private view returns (bool) {
        return address(this) != _code;
    }

    function _checkpoint(Record storage r, uint256 index) private view returns (PackedCheckpoint) {
        if (index >= r.count) revert CheckpointUnknown(index, r.count);
        return r.checkpoints[index];
    }

    function _statusOf(Record storage r, PackedCheckpoint c) private view returns (Status memory) {
        return Status({
            state: c.state(),
            startTs: uint64(c.startTs()),
            endTs: uint64(c.endTs()),
            royaltyBps: uint16(c.royaltyBps()),
            policyHash: r.policyHashes[c.policyVersion()],
            splitVersion: uint32(c.splitVersion()),
            reason: uint32(c.reason())
        });
    }

    function _pack(LicenseData calldata d, State state) private pure returns (PackedCheckpoint) {
        return Checkpoints.pack(d.startTs, d.endTs, d.royaltyBps, d.flags, state);
    }

    function _capOf(Record storage r) private view returns (uint256 cap) {
        cap = r.cap;
        if (cap == 0) cap = type(uint256).max;
    }

    /// @dev Of a burnt token, who held it last.
    function _licenseeOf(Record storage r, bytes32 id) private view returns (address licensee) {
        licensee = _ownerOf(uint256(id));
        if (licensee == address(0)) licensee = r.lastLicensee;
    }
}
