//! What the story calls, as `contracts/src` has it.

#![allow(clippy::too_many_arguments, reason = "functions take what the interface gives them")]

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
    struct RouteKey {
        bytes32 licence;
        uint32 splitVersion;
        bytes32 parentRoute;
        uint16 generation;
    }
    struct Payout {
        RouteKey key;
        address token;
        uint32 index;
    }
    struct PayerAuthorisation {
        bool standing;
        bytes signature;
    }
    struct Claim {
        bytes20 lane;
        uint32 period;
        address token;
        uint8 scale;
        uint16 rebateBps;
        uint32 rows;
        bytes32 licensesRoot;
    }
    struct TableRow {
        address payer;
        bytes32 licence;
        uint32 firstRecord;
        uint32 count;
        uint128 revenue;
        uint16 royaltyBps;
        uint128 owed;
    }
    struct DataCell {
        uint16 row;
        uint16 column;
        bytes data;
        bytes proof;
    }
    struct FraudProof {
        bytes header;
        uint8 kind;
        bytes commitments;
        DataCell[] cells;
        bytes evidence;
    }
    struct Collateral {
        uint128 free;
        uint128 locked;
    }

    interface Setup {
        function activate(bytes32 policyHash, uint64 activationHeight) external;
        function mint(bytes32 id, LicenseData calldata d) external;
        function modify(bytes32 id, LicenseData calldata d) external;
        function revoke(bytes32 id) external;
        function registerVector(address[] calldata payees, uint96[] calldata weights, uint96 denom)
            external returns (bytes32 splitHash);
        function registerSourceKey(bytes20 lane, string calldata name, bytes calldata key)
            external returns (bytes32 source);
        function registerSubmitter(bytes20 lane, address submitter) external;
        function setAllowance(
            bytes20 lane, uint32 period, address submitter, uint120 limit, bool unsignedSources, bytes32[] calldata sources
        ) external;
    }

    interface Money {
        function deposit(address token, bytes20 lane, address payer, uint256 amount) external payable;
        function potOf(address token, bytes20 lane, address payer) external view returns (uint256 free, uint256 reserved);
        function withdraw(Payout calldata p) external returns (uint256 amount);
        function routeKeyOf(bytes32 licence, uint32 period) external view returns (RouteKey memory);
        function accounted(address token) external view returns (uint256);
        function heldFor(bytes32 batch, address token) external view returns (uint256);
    }

    interface Payouts {
        event BatchAccepted(
            bytes32 indexed batchRoot, bytes20 indexed lane, uint32 indexed period, uint32 number, Claim claim, bytes header
        );

        error HeaderRequired();
        error NotConfirmed(uint8 check);
        error NoFraud(uint8 reason);
        error HeaderInvalid(uint8 fault);
        error CellsNotOfBlob(bytes32 id);
        error CellCount(uint256 given, uint256 most);
        error HeaderMismatch(bytes32 batchRoot, bytes32 given);
        error ProofMalformed();

        function submit(bytes32 batchRoot, uint256 bond) external;
        function submit(bytes calldata header, PayerAuthorisation[] calldata authorisations) external returns (bytes32);
        function addCollateral(address account) external payable;
        function collateralOf(address account) external view returns (Collateral memory);
        function withdrawCollateral(uint256 amount, address to) external;
        function authorisationDigest(bytes32 batchRoot, uint256 total) external view returns (bytes32);
        function lastBatchOf(bytes20 lane) external view returns (bytes32);
        function commitChallenge(bytes32 commitment) external;
        function challenge(bytes32 batchRoot, bytes calldata fraudProof) external;
        function challenge(bytes32 batchRoot, bytes calldata fraudProof, bytes32 salt) external;
        function payAward(bytes32 batchRoot, bytes calldata header) external;
        function finalize(bytes32 batchRoot) external;
        function settle(
            bytes32 batchRoot, Claim calldata claim, TableRow calldata row, uint256 index, bytes32[] calldata siblings
        ) external returns (uint256 base, uint256 fee);
        function release(bytes32 batchRoot, Claim calldata claim, bytes calldata header) external;
    }
}
