// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {Governed} from "../../core/Governed.sol";
import {Roles} from "../../core/Roles.sol";
import {SystemAddresses} from "../../core/SystemAddresses.sol";
import {IParameterRegistry} from "../../core/interfaces/IParameterRegistry.sol";
import {IPauseFlags} from "../../core/interfaces/IPauseFlags.sol";
import {ILicenseRegistry} from "../interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "../interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";

/// @title The ledger's storage, its tokens, its settlers, and how money moves in and out
abstract contract LedgerBase is IRoyaltyLedger, Governed {
    // ---------------------------------------------------------------- structs

    /// @dev One slot. `accounted`: all that has come in and not gone out. `liveHolds`: holds in force, of any licence.
    struct TokenRecord {
        uint112 accounted;
        uint104 fees;
        uint8 decimals;
        uint8 status;
        uint24 liveHolds;
    }

    struct PotRecord {
        uint128 free;
        uint128 reserved;
    }

    /// @dev Base and fee so far follow from `revenue`, so they are not stored. `feeBps` 0: nothing settled yet.
    struct AccrualRecord {
        uint128 revenue;
        uint96 feeCap;
        uint16 royaltyBps;
        uint16 feeBps;
    }

    /// @dev `lastPeriod` 0: never received. The bit `CLOSED` is set in it when the account closes.
    struct AccountRecord {
        uint112 inflow;
        uint112 passedUp;
        uint32 lastPeriod;
    }

    /// @dev What a payee of a vector has taken, and the tag of the split (SplitStore) from its first withdrawal on.
    struct TakenRecord {
        uint112 amount;
        uint144 tag;
    }

    /// @dev What a leaf has taken, and the kept money at which it did so last.
    struct LeafRecord {
        uint112 amount;
        uint112 atKept;
    }

    /// @dev Of a tree's account: the weight and the number of leaves that have taken at `kept`, and what all have taken ever.
    struct TallyRecord {
        uint112 kept;
        uint96 weight;
        uint32 leaves;
        uint112 taken;
    }

    /// @dev What a hold has captured of a payee: `owed` is still here, `captured` counts against the quota; and the payee's
    /// largest share so far, by which other holds measure what this one lets go.
    struct CaptureRecord {
        uint128 owed;
        uint128 captured;
        uint96 weight;
        uint96 denom;
    }

    // ---------------------------------------------------------------- constants

    /// @dev A token's status.
    uint8 internal constant UNKNOWN = 0;
    uint8 internal constant ENABLED = 1;
    uint8 internal constant DISABLED = 2;

    uint32 internal constant CLOSED = 1 << 31;
    uint256 internal constant MAX_SETTLERS = 8;
    /// @notice A token's decimals at most: the fee cap, up to 10⁶ units, fits 96 bits.
    uint8 internal constant MAX_DECIMALS = 18;

    ILicenseRegistry internal constant LICENCES = ILicenseRegistry(SystemAddresses.LICENSE_REGISTRY);
    ISplitRegistry internal constant SPLITS = ISplitRegistry(SystemAddresses.SPLIT_REGISTRY);
    IPauseFlags internal constant PAUSES = IPauseFlags(SystemAddresses.PAUSE_FLAGS);
    IParameterRegistry internal constant PARAMETERS = IParameterRegistry(SystemAddresses.PARAMETER_REGISTRY);

    // ---------------------------------------------------------------- storage

    mapping(address token => TokenRecord) internal _tokens;
    mapping(bytes32 potKey => PotRecord) internal _pots;
    mapping(bytes32 reservationKey => uint256) internal _reservations;
    /// @dev 1: settled.
    mapping(bytes32 rowKey => uint256) internal _settled;
    mapping(bytes32 accrualKey => AccrualRecord) internal _accruals;
    mapping(bytes32 accountKey => AccountRecord) internal _accounts;
    /// @dev The generation that receives; read only once the first account is closed.
    mapping(bytes32 tokenRoute => uint16) internal _generations;
    mapping(bytes32 takenKey => TakenRecord) internal _taken;
    mapping(bytes32 takenKey => LeafRecord) internal _leaves;
    mapping(bytes32 accountKey => TallyRecord) internal _tallies;
    mapping(uint256 holdId => Hold) internal _holds;
    /// @dev Ids of the holds in force on (licence, token): eight of 32 bits, packed from the right.
    mapping(bytes32 licenceToken => uint256) internal _liveHolds;
    mapping(uint256 holdId => mapping(address payee => CaptureRecord)) internal _captures;
    /// @dev Leaves that were met under a hold, and the weight of each payee in a tree by these.
    mapping(bytes32 treeLeaf => bool) internal _leavesMet;
    mapping(bytes32 treePayee => uint96) internal _weightsMet;
    address[] internal _settlers;
    uint32 internal _lastHold;
    /// @dev PauseFlags' height for payouts, kept here: asking for it with every settlement and withdrawal would cost 8,000 gas.
    uint64 private _pausedUntil;
    /// @dev Who was made a settler last, while it is one: known without reading its roles, beside what is read anyway.
    address private _lastSettler;
    bool private transient _entered;

    // ---------------------------------------------------------------- constructor

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Places and releases holds.
    /// @param settler The payout contract; zero until there is one.
    function initialize(address owner, address authority, address settler) external initializer {
        _govern(owner, authority, Roles.ENFORCER);
        if (settler != address(0)) _grantRoles(settler, Roles.SETTLER);
        _tokens[address(0)].decimals = 18;
        _tokens[address(0)].status = ENABLED;
        emit TokenEnabled(address(0), 18);
    }

    // ---------------------------------------------------------------- guards

    /// @dev Upholds [ROY-34].
    modifier whilePayoutsOpen() {
        _checkPayoutsOpen();
        _;
    }

    function _checkPayoutsOpen() internal view {
        uint64 until = _pausedUntil;
        if (block.number < until) revert PayoutsPaused(until);
    }

    /// @dev Upholds [ROY-23]. Every way to give or take the role keeps `_lastSettler` true.
    modifier onlySettlers() {
        _checkSettler();
        _;
    }

    function _checkSettler() internal view {
        address last = _lastSettler;
        if (last == address(0) || msg.sender != last) _checkRoles(Roles.SETTLER);
    }

    /// @inheritdoc IRoyaltyLedger
    function notePause() external {
        _pausedUntil = PAUSES.pausedUntil(IPauseFlags.Flag.Payouts);
    }

    /// @dev One function of the ledger at a time. Functions rather than inlined code: the contract must fit its size limit.
    modifier nonReentrant() {
        _enter();
        _;
        _entered = false;
    }

    function _enter() private {
        _checkNotEntered();
        _entered = true;
    }

    function _checkNotEntered() internal view {
        if (_entered) revert Reentrancy();
    }

    function _word(address a) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(a)));
    }

    /// @dev keccak256(abi.encode(a, b)).
    function _key(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return EfficientHashLib.hash(a, b);
    }

    /// @dev keccak256(abi.encode(a, b, c)).
    function _key(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32) {
        return EfficientHashLib.hash(a, b, c);
    }

    /// @dev keccak256(abi.encode(a, b, c, d)).
    function _key(bytes32 a, bytes32 b, bytes32 c, bytes32 d) internal pure returns (bytes32) {
        return EfficientHashLib.hash(a, b, c, d);
    }

    // ---------------------------------------------------------------- governance

    /// @inheritdoc IRoyaltyLedger
    function enableToken(address token, uint8 decimals) external onlyOwner {
        TokenRecord storage t = _tokens[token];
        if (t.status == ENABLED) revert TokenKnown(token);
        if (token != address(0) && token.code.length == 0) revert TokenMissing(token);
        if (decimals > MAX_DECIMALS) revert TokenDecimals(decimals, MAX_DECIMALS);
        // A token that was here keeps its decimals: caps of fees were fixed by them.
        if (t.status == DISABLED && decimals != t.decimals) revert TokenDecimals(decimals, t.decimals);
        (t.decimals, t.status) = (decimals, ENABLED);
        emit TokenEnabled(token, decimals);
    }

    /// @inheritdoc IRoyaltyLedger
    function disableToken(address token) external onlyOwner {
        if (_tokens[token].status != ENABLED) revert TokenNotEnabled(token);
        _tokens[token].status = DISABLED;
        emit TokenDisabled(token);
    }

    /// @inheritdoc IRoyaltyLedger
    function settlers() external view returns (address[] memory) {
        return _settlers;
    }

    /// @dev Every way to give or take a role ends here, so the list of settlers is who has the role.
    function _updateRoles(address user, uint256 roles, bool on) internal override {
        if (roles & Roles.SETTLER != 0 && hasAnyRole(user, Roles.SETTLER) != on) {
            if (on) {
                if (_settlers.length == MAX_SETTLERS) revert TooManySettlers(MAX_SETTLERS);
                _settlers.push(user);
                _lastSettler = user;
            } else {
                if (_lastSettler == user) _lastSettler = address(0);
                _dropSettler(user);
            }
        }
        super._updateRoles(user, roles, on);
    }

    function _dropSettler(address user) private {
        uint256 last = _settlers.length - 1;
        for (uint256 i; i < last; ++i) {
            if (_settlers[i] == user) {
                _settlers[i] = _settlers[last];
                break;
            }
        }
        _settlers.pop();
    }

    // ---------------------------------------------------------------- money in and out

    /// @dev Takes exactly `amount` from the caller. Upholds [ROY-30], [ROY-31].
    function _receive(address token, uint256 amount) internal {
        if (msg.value != (token == address(0) ? amount : 0)) {
            revert ValueMismatch(msg.value, token == address(0) ? amount : 0);
        }
        TokenRecord storage t = _tokens[token];
        if (t.status != ENABLED) revert TokenNotEnabled(token);
        uint256 owed = t.accounted;
        uint256 after_ = owed + amount;
        if (after_ > type(uint112).max) revert AmountTooLarge(amount, type(uint112).max - owed);
        // At most 2¹¹² − 1.
        // forge-lint: disable-next-line(unsafe-typecast)
        t.accounted = uint112(after_);
        if (token == address(0)) return;
        uint256 before = SafeTransferLib.balanceOf(token, address(this));
        // New money never fills the hole of a token that lost some.
        if (before < owed) revert TokenShort(token, before, owed);
        SafeTransferLib.safeTransferFrom(token, msg.sender, address(this), amount);
        _checkMoved(token, amount, SafeTransferLib.balanceOf(token, address(this)), before);
    }

    /// @dev Sends exactly `amount`, already taken off whatever it was owed to. Nothing is written after the call.
    function _send(address token, address to, uint256 amount) internal {
        if (to == address(0) || to == address(this)) revert RecipientForbidden(to);
        TokenRecord storage t = _tokens[token];
        // What is paid was accounted, so this never goes below zero; checked all the same.
        // forge-lint: disable-next-line(unsafe-typecast)
        t.accounted -= uint112(amount);
        if (token == address(0)) {
            uint256 held = address(this).balance;
            SafeTransferLib.safeTransferETH(to, amount);
            _checkMoved(token, amount, held, address(this).balance);
        } else {
            uint256 held = SafeTransferLib.balanceOf(token, address(this));
            SafeTransferLib.safeTransfer(token, to, amount);
            _checkMoved(token, amount, held, SafeTransferLib.balanceOf(token, address(this)));
        }
    }

    /// @dev `more` − `less` must be `amount`.
    function _checkMoved(address token, uint256 amount, uint256 more, uint256 less) internal pure {
        uint256 moved = more > less ? more - less : 0;
        if (moved != amount) revert TokenMoved(token, amount, moved);
    }
}
