//! Frauds on purpose: on a development chain a wrong batch is planted, to see that a watcher finds it, has it voided and is paid.
//!
//! Upholds [WAT-10]: every kind can be planted ([`Plant`]); a drill makes its own licences and its own payer ([`world`]), so that it
//! touches nobody's; nothing of its batch is wrong but what it is named for ([`forge`](mod@forge)).

pub mod forge;
mod kind;
pub mod world;

use alloy_primitives::{B256, Bytes, U256, aliases::U120};
use chlom_client::{
    Chain,
    blobs::publish::{Publication, publish},
    lanes::{Lane, batches, registry},
};
use chlom_crypto::kzg::{BlobHeader, Cancel, DataRows, PAGE_BYTES, commit};
use chlom_lane::{Frame, Header, LaneId, forge::Forgery, lane::source_id};

pub use kind::Plant;
pub use world::World;

use crate::{WatchError, punish::salt};

/// The public key of a source whose receipts nobody signs: the point of secp256k1's generator, with its scheme.
const SOMEBODYS_KEY: &str = "010279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/// A batch that was planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// What was planted.
    pub plant: Plant,
    /// keccak256 of its header.
    pub root: B256,
    /// Its header.
    pub header: Header,
    /// Wei of collateral that stand behind it.
    pub at_stake: u128,
}

/// Plants a batch of a payer of its own. Before a double count over batches a right one is planted, which is the first that comes back.
///
/// # Errors
/// A chain that is no development chain, or whose accounts have too little.
pub fn plant(chain: &Chain, lane: LaneId, what: Plant) -> Result<Vec<Planted>, WatchError> {
    let world = World::new(chain, lane, salt()?)?;
    if what == Plant::DoubleCountEarlier {
        return Ok(vec![batch(&world, Plant::Right, 0)?, batch(&world, what, 5)?]);
    }
    Ok(vec![batch(&world, what, 0)?])
}

/// Plants one batch, whose receipts have ids from `first` on.
///
/// # Errors
/// As [`plant`].
pub fn batch(world: &World<'_>, plant: Plant, first: usize) -> Result<Planted, WatchError> {
    let Plan { consent_by_allowance } = prepare(world, plant)?;
    let chain = world.chain;
    let lane = Lane::new(chain, world.lane);
    let (version, terms) = lane.parameters_at(world.period.start())?;
    let frame = Frame {
        lane: world.lane,
        parameters: version,
        period: world.period,
        number: lane.next_number(world.period.code())?,
        predecessor: lane.last_batch()?,
        as_of: chain.time()?,
    };
    let forged = forge::forge(plant, frame, world.payer.address(), &world.licences, first)?;
    let header = published(world, forged)?;
    let total = header.payers.iter().map(|payer| payer.owed).sum();
    let bond = batches::bond_for(chain, total, &terms)?;
    let at_stake = bond.saturating_to::<u128>().saturating_mul(10);
    world.collateral(at_stake)?;
    let scale = U256::from(10).pow(U256::from(terms.tokenDecimals - terms.decimals));
    let root = header.batch_root();
    let consent = match consent_by_allowance {
        true => batches::standing(),
        false => batches::authorise(&world.payer, chain.id(), root, U256::from(total) * scale),
    };
    chain.send_one(&world.submitter, &batches::submit(&header, vec![consent]))?;
    Ok(Planted { plant, root, header, at_stake })
}

/// How the payer consents.
struct Plan {
    consent_by_allowance: bool,
}

/// What the payer does before, for a fraud about sources.
fn prepare(world: &World<'_>, plant: Plant) -> Result<Plan, WatchError> {
    match plant {
        Plant::ForgedSource => {
            let key: Bytes =
                SOMEBODYS_KEY.parse().map_err(|_| WatchError::Drill("a key in the code".into()))?;
            world.as_payer(&registry::register_source_key(world.lane, forge::SOURCE, key))?;
            Ok(Plan { consent_by_allowance: false })
        }
        Plant::UnconsentedSource => {
            let other = source_id(&world.lane, &world.payer.address(), "another source");
            let consent = registry::Consent {
                lane: world.lane,
                period: world.period.code(),
                submitter: world.submitter.address(),
                limit: U120::from(1_000 * world::CHM),
                unsigned_sources: true,
                sources: vec![other],
            };
            world.as_payer(&registry::set_allowance(&consent))?;
            Ok(Plan { consent_by_allowance: true })
        }
        _ => Ok(Plan { consent_by_allowance: false }),
    }
}

/// Commits to the blob, publishes it and waits until it is attested; the header then names it.
fn published(world: &World<'_>, forged: Forgery) -> Result<Header, WatchError> {
    let Forgery { header, elements } = forged;
    let unfit = |why: String| WatchError::Drill(format!("the drill's blob: {why}"));
    let data =
        DataRows::from_elements(&elements, header.blob.rows).map_err(|error| unfit(error.to_string()))?;
    let commitments = commit(&data, &Cancel::new()).map_err(|error| unfit(error.to_string()))?;
    let mut payload = data.payload().map_err(|error| unfit(error.to_string()))?;
    // The node pads with zeros and takes as few rows as hold what is left: they must be the header's.
    let least = (header.blob.rows.data() / 2) * chlom_crypto::kzg::DATA_COLUMNS * PAGE_BYTES + 1;
    let used = payload.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    payload.truncate(used.max(least));
    let publication = Publication {
        lane: world.lane,
        period: world.period.code(),
        payload: &payload,
        extend: false,
        until: 0,
    };
    publish(world.chain, &world.submitter, &publication, &mut |_| {})
        .map_err(|error| unfit(error.to_string()))?;
    let blob = BlobHeader {
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
        ..header.blob.clone()
    };
    Ok(Header { blob, ..header })
}
