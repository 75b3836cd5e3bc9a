//! What the test calls, hears and is refused with, as `contracts/src/licensing/interfaces` has it.

#![allow(clippy::too_many_arguments, reason = "events have as many values as the interface gives them")]

alloy_sol_types::sol! {
    #![sol(all_derives)]

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
    struct Terms {
        bytes32 assetId;
        bytes32 rightsHash;
        uint256 cap;
        bytes32 parent;
        uint64 numer;
        uint64 denom;
        bool draft;
    }
    struct Row {
        bytes32 batch;
        bytes20 lane;
        uint32 period;
        address token;
        address payer;
        bytes32 licence;
        uint128 revenue;
    }
    struct RouteKey {
        bytes32 licence;
        uint32 splitVersion;
        bytes32 parentRoute;
        uint16 generation;
    }
    struct Account {
        uint112 inflow;
        uint112 passedUp;
        uint32 lastPeriod;
    }
    struct Accrual {
        uint128 revenue;
        uint128 base;
        uint96 fee;
        uint96 feeCap;
        uint16 royaltyBps;
        uint16 feeBps;
    }
    struct Allocation {
        address to;
        uint256 amount;
    }
    struct Leaf {
        address payee;
        uint96 start;
        uint96 weight;
    }
    struct Payout {
        RouteKey key;
        address token;
        uint32 index;
    }
    struct LeafPayout {
        RouteKey key;
        address token;
        Leaf leaf;
        uint256 path;
        bytes32[] siblings;
        uint96[] sums;
    }

    interface Timelock {
        function schedule(
            address target, uint256 value, bytes calldata payload, bytes32 predecessor, bytes32 salt, uint256 delay
        ) external;
        function execute(address target, uint256 value, bytes calldata payload, bytes32 predecessor, bytes32 salt)
            external payable;
    }

    interface Pauses {
        function flagFraud(bytes32 evidence) external;
        function pause(uint8 flag, uint64 untilHeight, bytes32 reason) external;
        function unpause(uint8 flag) external;
    }

    interface Tokens {
        function mint(address to, uint256 amount) external;
        function approve(address spender, uint256 amount) external returns (bool);
        function balanceOf(address owner) external view returns (uint256);
    }

    interface Source {
        function set(bool unsettled) external;
    }

    interface Policies {
        function activate(bytes32 policyHash, uint64 activationHeight) external;
    }

    interface Licences {
        function mint(bytes32 id, LicenseData calldata d, Terms calldata t) external;
        function modify(bytes32 id, LicenseData calldata d) external;
        function modifyFrom(bytes32 id, LicenseData calldata d, uint64 effectiveFrom) external;
        function activate(bytes32 id) external;
        function revoke(bytes32 id) external;
    }

    interface Splits {
        function registerVector(address[] calldata payees, uint96[] calldata weights, uint96 denom)
            external returns (bytes32 splitHash);
        function registerTree(bytes32 root, uint96 denom, uint32 leaves) external returns (bytes32 splitHash);
        function markSubtree(bytes32 root, uint8 mark, uint32 reason) external;
    }

    interface Royalties {
        event PotDeposited(address indexed payer, bytes20 indexed lane, address indexed token, address from, uint256 amount);
        event PotWithdrawn(address indexed payer, bytes20 indexed lane, address indexed token, address to, uint256 amount);
        event PotReserved(bytes32 indexed batch, address indexed payer, bytes20 lane, address token, uint256 amount);
        event PotReleased(bytes32 indexed batch, address indexed payer, bytes20 lane, address token, uint256 amount);
        event Settled(
            bytes32 indexed licence, bytes32 indexed batch, address indexed payer, bytes20 lane, uint32 period,
            address token, uint256 revenue, uint256 base, uint256 fee, bytes32 route
        );
        event PayoutReceipt(
            bytes32 indexed licence, bytes32 indexed route, address indexed token, uint32 period, uint256 inflow,
            uint256 kept, uint256 passedUp
        );
        event RouteOpened(
            bytes32 indexed licence, bytes32 indexed route, bytes32 parentRoute, uint32 splitVersion, uint16 generation
        );
        event RouteClosed(
            bytes32 indexed licence, bytes32 indexed route, address indexed token, uint16 generation, uint256 residual
        );
        event Withdrawn(
            bytes32 indexed licence, address indexed payee, address indexed token, bytes32 route, address to, uint256 amount
        );
        event HoldPlaced(
            uint256 indexed holdId, bytes32 indexed licence, address token, address payee, uint128 amount, bytes32 reasonRef
        );
        event HoldReleased(uint256 indexed holdId);
        event HoldCaptured(uint256 indexed holdId, address indexed payee, uint256 amount);
        event WithdrawalFailed(bytes32 indexed licence, address indexed token, bytes reason);
        event FeesCollected(address indexed token, uint256 amount);

        error TokenNotEnabled(address token);
        error AmountZero();
        error AmountTooLarge(uint256 amount, uint256 most);
        error Unfunded(address payer, uint256 missing);
        error ReservationShort(bytes32 batch, address payer, uint256 reserved, uint256 needed);
        error AlreadySettled(bytes32 batch, address payer, bytes32 licence);
        error NothingDue(bytes32 licence, address payee);
        error NotPayee(address caller, address payee);
        error PayoutsPaused(uint64 untilHeight);
        error RouteUnsettled(bytes32 licence, address settler);
        error RouteUnknown(bytes32 route);
        error LeavesUnclaimed(uint256 claimed, uint256 leaves);
        error HoldUnknown(uint256 holdId);
        error HoldReleasedAlready(uint256 holdId);
        error HoldInForce(uint256 holdId);
        error TooManyHolds(bytes32 licence, uint256 most);
        error LicenceInactive(bytes32 licence);
        error LicenseUnknown(bytes32 id);
        error PeriodMalformed(uint32 period);
        error PeriodNotBegun(uint32 period, uint64 start);
        error RouteInForce(bytes32 licence, bytes32 route);
        error RouteTooRecent(uint32 lastPeriod, uint64 until);
        error SplitIndex(bytes32 splitHash, uint256 index, uint256 payees);
        error SplitKind(bytes32 splitHash, uint8 kind);
        error LeafNotInTree(bytes32 splitHash);
        error LeafRange(uint96 start, uint96 weight, uint96 denom);
        error ProofTooLong(uint256 given, uint256 most);
        error SplitLengths(uint256 payees, uint256 weights);

        function deposit(address token, bytes20 lane, address payer, uint256 amount) external payable;
        function withdrawPot(address token, bytes20 lane, uint256 amount, address to) external;
        function potOf(address token, bytes20 lane, address payer) external view returns (uint256 free, uint256 reserved);
        function reserve(bytes32 batch, address token, bytes20 lane, address payer, uint256 amount) external;
        function release(bytes32 batch, address token, bytes20 lane, address payer) external returns (uint256 amount);
        function settle(Row calldata row) external returns (uint256 base, uint256 fee);
        function settleBatch(Row[] calldata rows) external;
        function withdraw(Payout calldata p) external returns (uint256 amount);
        function withdrawTo(Payout calldata p, address to) external returns (uint256 amount);
        function withdrawBatch(Payout[] calldata ps) external returns (uint256[] memory amounts);
        function withdrawLeaf(LeafPayout calldata p) external returns (uint256 amount);
        function withdrawReleased(uint256 holdId, address payee) external returns (uint256 amount);
        function withdrawable(Payout calldata p) external view returns (uint256 amount, uint256 held);
        function accrualOf(address token, bytes32 licence, bytes20 lane, uint32 period) external view returns (Accrual memory);
        function accountOf(address token, RouteKey calldata key) external view returns (Account memory);
        function takenOf(address token, RouteKey calldata key, uint256 indexOrStart) external view returns (uint256);
        function payoutReceipt(address token, RouteKey calldata key) external view
            returns (Allocation[] memory allocations, uint256 kept, uint256 residual, bytes32 merkleRoot);
        function payoutProof(address token, RouteKey calldata key, uint256 index) external view
            returns (Allocation memory allocation, bytes32[] memory path, bytes32 accountSlot);
        function accounted(address token) external view returns (uint256);
        function feesOwed(address token) external view returns (uint256);
        function placeHold(bytes32 licence, address token, address payee, uint128 amount, bytes32 reasonRef)
            external returns (uint256 holdId);
        function releaseHold(uint256 holdId) external;
        function closeRoute(address token, RouteKey calldata key) external returns (uint256 residual);
        function collectFees(address token) external returns (uint256 amount);
        function enableToken(address token, uint8 decimals) external;
        function grantRoles(address user, uint256 roles) external payable;
    }
}
