//! Every system contract: the list is the protocol.

use alloy_primitives::{Address, Bytes, address};
use alloy_sol_types::{SolCall, SolValue};
use chlom_primitives::address as at;

use super::{
    artifact::{Artifact, ArtifactError},
    governance::Governance,
};

mod governed {
    alloy_sol_types::sol! {
        /// What an implementation is initialised with through its proxy.
        function initialize(address owner, address authority);
    }
}

mod paced {
    alloy_sol_types::sol! {
        /// The lanes of genesis also learn how long a batch stands: seconds and heights.
        function initialize(address owner, address authority, uint32 window, uint32 windowBlocks);
    }
}

mod roles {
    alloy_sol_types::sol! {
        /// Of Solady's OwnableRoles.
        function grantRoles(address user, uint256 roles);
    }
}

mod settled {
    alloy_sol_types::sol! {
        /// The ledger also learns who settles; zero: nobody yet.
        function initialize(address owner, address authority, address settler);
    }
}

/// One system contract.
#[derive(Clone, Copy, Debug)]
pub struct SystemContract {
    /// As in `contracts/src`.
    pub name: &'static str,
    /// Where it is called: the proxy, or the contract itself when it has none.
    pub address: Address,
    /// Where its code is, when `address` is a proxy.
    pub implementation: Option<Address>,
    artifact: &'static str,
    /// ABI-encoded arguments of the constructor.
    constructor: fn(&Governance) -> Vec<u8>,
    /// Call of the initialiser; unused without a proxy.
    initializer: fn(&Governance) -> Vec<u8>,
}

impl SystemContract {
    /// Its artefact: for a proxied contract the implementation's.
    ///
    /// # Errors
    /// When the build is broken.
    pub fn artifact(&self) -> Result<Artifact<'static>, ArtifactError> {
        Artifact::parse(self.name, self.artifact)
    }

    pub(super) fn constructor(&self, governance: &Governance) -> Vec<u8> {
        (self.constructor)(governance)
    }

    pub(super) fn initializer(&self, governance: &Governance) -> Bytes {
        (self.initializer)(governance).into()
    }
}

macro_rules! artifact {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/artifacts/", $name, ".json"))
    };
}

/// A contract behind a proxy, its implementation at `0x…21xx` with the same last byte.
macro_rules! proxied {
    ($name:literal, $address:expr, $implementation:literal) => {
        proxied!($name, $address, $implementation, |_| Vec::new(), governed)
    };
    ($name:literal, $address:expr, $implementation:literal, $constructor:expr, $initializer:expr) => {
        SystemContract {
            name: $name,
            address: $address,
            implementation: Some(address!($implementation)),
            artifact: artifact!($name),
            constructor: $constructor,
            initializer: $initializer,
        }
    };
}

/// All of them, in the order in which they are made: the timelock first, since it owns the others.
pub const SYSTEM_CONTRACTS: &[SystemContract] = &[
    SystemContract {
        name: "TimelockController",
        address: at::TIMELOCK,
        implementation: None,
        artifact: artifact!("TimelockController"),
        constructor: timelock,
        initializer: |_| Vec::new(),
    },
    proxied!("ParameterRegistry", at::PARAMETER_REGISTRY, "0000000000000000000000000000000000002109"),
    proxied!("PauseFlags", at::PAUSE_FLAGS, "0000000000000000000000000000000000002108"),
    proxied!("PolicyRegistry", at::POLICY_REGISTRY, "0000000000000000000000000000000000002104"),
    proxied!("RightsRegistry", at::RIGHTS_REGISTRY, "000000000000000000000000000000000000210b"),
    proxied!("SplitRegistry", at::SPLIT_REGISTRY, "0000000000000000000000000000000000002102"),
    proxied!(
        "LicenseRegistry",
        at::LICENSE_REGISTRY,
        "0000000000000000000000000000000000002101",
        |_| (at::POLICY_REGISTRY, at::SPLIT_REGISTRY).abi_encode_params(),
        governed
    ),
    proxied!("FeeRouter", at::FEE_ROUTER, "0000000000000000000000000000000000002105"),
    proxied!("Treasury", at::TREASURY, "0000000000000000000000000000000000002106"),
    proxied!("ClaimsPool", at::CLAIMS_POOL, "0000000000000000000000000000000000002107"),
    proxied!(
        "RoyaltyLedger",
        at::ROYALTY_LEDGER,
        "0000000000000000000000000000000000002103",
        |_| Vec::new(),
        settled
    ),
    proxied!(
        "LaneRegistry",
        at::LANE_REGISTRY,
        "000000000000000000000000000000000000210c",
        |_| Vec::new(),
        paced
    ),
    proxied!("FraudJudge", at::FRAUD_JUDGE, "000000000000000000000000000000000000210e"),
    proxied!("PayoutProofs", at::PAYOUT_PROOFS, "000000000000000000000000000000000000210d"),
];

/// `Roles.SETTLER`: reserves and settles in the ledger, deposits in the Claims Pool, pays rebates out of the treasury's fees.
const SETTLER: alloy_primitives::U256 = alloy_primitives::U256::from_limbs([1 << 3, 0, 0, 0]);

/// What the timelock does once all contracts are there: calls, in this order. Upholds [GEN-12].
pub(super) fn grants() -> Vec<(&'static str, Address, Bytes)> {
    let call = roles::grantRolesCall { user: at::PAYOUT_PROOFS, roles: SETTLER };
    [("RoyaltyLedger", at::ROYALTY_LEDGER), ("ClaimsPool", at::CLAIMS_POOL), ("FeeRouter", at::FEE_ROUTER)]
        .map(|(name, address)| (name, address, call.abi_encode().into()))
        .into()
}

/// The proxy that all but the timelock are behind.
pub(super) fn proxy() -> Result<Artifact<'static>, ArtifactError> {
    Artifact::parse("ERC1967Proxy", artifact!("ERC1967Proxy"))
}

/// Delay, proposers, executors; without an administrator, so that only the timelock changes its roles.
fn timelock(governance: &Governance) -> Vec<u8> {
    let authority = vec![governance.authority];
    let delay = alloy_primitives::U256::from(governance.timelock_delay);
    (delay, authority.clone(), authority, Address::ZERO).abi_encode_params()
}

fn governed(governance: &Governance) -> Vec<u8> {
    governed::initializeCall { owner: at::TIMELOCK, authority: governance.authority }.abi_encode()
}

fn paced(governance: &Governance) -> Vec<u8> {
    let (window, blocks) = (governance.lane_window, governance.lane_window_blocks);
    paced::initializeCall {
        owner: at::TIMELOCK,
        authority: governance.authority,
        window,
        windowBlocks: blocks,
    }
    .abi_encode()
}

fn settled(governance: &Governance) -> Vec<u8> {
    let (authority, settler) = (governance.authority, governance.settler.unwrap_or_default());
    settled::initializeCall { owner: at::TIMELOCK, authority, settler }.abi_encode()
}
