//! Joining the parts of a dev chain, and stopping them in order.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use anyhow::{Context as _, Result};
use chlom_abci::{Attester, ChainError, DevChain, DevChainConfig};
use chlom_app::genesis;
use chlom_evm::genesis::GenesisSpec;
use chlom_page::{Board, Site};
use chlom_pool::{Pool, PoolConfig, PoolEnv};
use chlom_primitives::Params;
use chlom_rpc::{Context, Cors, Health, Limits, NewBlock, Server, ServerOptions};
use chlom_store::{Backend, Commit, History, Store, StoreConfig, StoreError};
use prometheus_client::registry::Registry;
use tokio::{runtime::Runtime, sync::broadcast};

use super::{
    accounts::{self, DevAccount},
    args::DevArgs,
    banner::Ready,
    blobs::{DevBlobs, Follower, Held},
    control::{Control, Waker},
    page::{self, Shown},
};

/// Heads and transactions that a slow subscriber may lag behind before it is told so and dropped.
const HEADS_KEPT: usize = 256;
const PENDING_KEPT: usize = 65_536;
/// Open files to ask for, and those that all connections and tables together may need.
const FILES_WANTED: u64 = 65_536;
const FILES_NEEDED: u64 = 4_096;
/// Loading takes a core some seconds: not while the first blocks are made, and not in chains that are gone by then.
const KZG_AFTER: Duration = Duration::from_secs(3);
/// Journal of acknowledged transactions, inside the data directory.
const JOURNAL: &str = "pool.journal";

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// What kept the chain from starting.
pub(crate) fn run(args: &DevArgs) -> Result<()> {
    let held: Arc<[DevAccount]> = accounts::derive(args.accounts)?.into();
    let endowed: Vec<Address> = held.iter().map(|account| account.address).collect();
    let spec = super::genesis::spec(args, &endowed)?;
    let node = DevNode::start(args, &spec, held.clone(), None, Shown::dev())?;
    let head = node.store.head().context("the store has no head after genesis")?;
    let ready = Ready {
        chain_id: spec.params.chain.evm_chain_id,
        addr: node.server.local_addr(),
        genesis: node.store.genesis_hash().context("the store has no genesis block")?,
        height: head.block.height(),
        data_dir: args.data_dir.as_ref().map(|dir| dir.display().to_string()),
        accounts: &held,
    };
    println!("{}", if args.json { ready.json() } else { ready.text() });
    node.serve(crate::stop::signalled())
}

/// A chain that makes blocks, and a port that is taken; nobody is answered there before [`DevNode::serve`].
pub(crate) struct DevNode {
    runtime: Runtime,
    server: Server,
    chain: DevChain,
    running: chlom_abci::chain::Running,
    blobs: DevBlobs,
    store: Store,
    board: Arc<Board>,
}

impl DevNode {
    /// Starts a chain of `spec`. `begin`: the time at which its clock begins, in seconds, where that is not the machine's. `shown`: what
    /// its page shows besides.
    ///
    /// # Errors
    /// What kept it from starting.
    pub(crate) fn start(
        args: &DevArgs,
        spec: &GenesisSpec,
        held: Arc<[DevAccount]>,
        begin: Option<u64>,
        shown: Shown,
    ) -> Result<Self> {
        raise_file_limit();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("rpc")
            .build()
            .context("starting the async runtime")?;
        let params = Arc::new(spec.params.clone());
        let modules = Arc::new(chlom_app::modules());
        let store = open_store(args, spec)?;
        let pool = open_pool(args, &params, &store)?;
        let blobs = DevBlobs::open(args, &params, &store)?;
        let (heads, _) = broadcast::channel(HEADS_KEPT);
        let (pending, _) = broadcast::channel(PENDING_KEPT);

        let config = DevChainConfig {
            block_time: args.block_time.unwrap_or(Duration::from_millis(params.chain.block_time_ms)),
            automine: args.automine,
            proposer: spec.validators.first().map(|v| v.account).unwrap_or_default(),
            attester: Attester {
                key: super::genesis::validator_key(),
                holdings: Box::new(Held(blobs.service.clone())),
            },
        };
        let to_subscribers = heads.clone();
        let mut follower = Follower::new(blobs.service.clone(), store.clone());
        let publish = Box::new(move |made: &chlom_abci::chain::Produced| {
            follower.on_block(made);
            // No subscriber is no fault.
            let _nobody =
                to_subscribers.send(NewBlock { block: made.block.clone(), receipts: made.receipts.clone() });
        });

        let (chain, maker) =
            DevChain::new(config, store.clone(), pool.clone(), params.clone(), modules.clone(), publish);
        let maker = match begin {
            Some(timestamp) => maker.begin_at(timestamp)?,
            None => maker,
        };
        let context = Arc::new(Context {
            store: store.clone(),
            pool,
            params: params.clone(),
            modules,
            limits: Limits {
                memory_bytes: usize::try_from(args.rpc_memory)?.saturating_mul(1024 * 1024),
                ..Limits::default()
            },
            heads,
            pending,
            wake: Arc::new(Waker(chain.clone())),
            dev: Some(Arc::new(Control::new(chain.clone(), held))),
            blobs: Some(blobs.service.clone()),
            client_version: client_version(),
            sync_timeout: Duration::from_secs(2),
        });
        let board = Board::new();
        let options = ServerOptions {
            cors: cors(&args.cors),
            health: Arc::new(Halted(chain.clone())),
            registry: Registry::with_prefix("chlom"),
            pages: Some(Arc::new(page::Pages(Site::new(board.clone())))),
        };
        // The port is taken before the first block is made: a second `chlom dev` must not get as far as that.
        let address = SocketAddr::new(args.host, args.port);
        let server = runtime.block_on(Server::bind(address, context, options))?;
        page::start(&board, server.local_addr(), shown)?;
        let running = maker.start().context("starting the block producer")?;
        load_kzg();
        Ok(Self { runtime, server, chain, running, blobs, store, board })
    }

    /// Where JSON-RPC is spoken.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.local_addr())
    }

    /// The chain's clock and blocks.
    pub(crate) fn chain(&self) -> &DevChain {
        &self.chain
    }

    /// Answers until `stop` comes, then ends everything in order.
    ///
    /// # Errors
    /// Why the chain halted, or could not be closed.
    pub(crate) fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { runtime, server, chain, running, blobs, store, board } = self;
        runtime.block_on(server.serve(stop));
        board.end();
        chain.stop();
        running.join();
        blobs.close();
        store.flush().context("writing the last caches")?;
        match chain.halted() {
            Some(why) if !matches!(why, ChainError::Stopped) => Err(why.clone().into()),
            _ => Ok(()),
        }
    }
}

/// Connections and tables are open files; shells commonly allow 1,024 unless asked for more.
fn raise_file_limit() {
    match rlimit::increase_nofile_limit(FILES_WANTED) {
        Ok(limit) if limit < FILES_NEEDED => {
            tracing::warn!(limit, needed = FILES_NEEDED, "few open files are allowed; raise `ulimit -n`");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
    }
}

/// Loads the KZG set-up beside everything else, once blocks are made: the first that needs it would wait for it otherwise,
/// and one that needs it before loads it itself.
fn load_kzg() {
    let load = || {
        std::thread::sleep(KZG_AFTER);
        let start = Instant::now();
        chlom_crypto::kzg::setup();
        tracing::info!(ms = start.elapsed().as_millis(), "the KZG set-up is loaded");
    };
    if let Err(error) = std::thread::Builder::new().name("kzg".into()).spawn(load) {
        tracing::warn!(%error, "the KZG set-up is loaded when it is first needed");
    }
}

/// `/health` fails once the chain halted.
struct Halted(DevChain);

impl Health for Halted {
    fn trouble(&self) -> Option<String> {
        self.0.halted().map(ToString::to_string)
    }
}

fn cors(origins: &[String]) -> Cors {
    if origins.iter().any(|origin| origin == "*") { Cors::Anybody } else { Cors::Origins(origins.to_vec()) }
}

fn open_store(args: &DevArgs, spec: &GenesisSpec) -> Result<Store> {
    let backend = match &args.data_dir {
        Some(dir) => Backend::Disk(dir.clone()),
        None => Backend::Memory,
    };
    let history = args.history.unwrap_or(History::Heights(spec.params.state.history_heights));
    let proof_history = args.proof_history.unwrap_or(spec.params.state.proof_heights);
    let cache_bytes = args.cache.saturating_mul(1024 * 1024);
    let store = Store::open(StoreConfig { backend, history, proof_history, cache_bytes, fail_point: None })?;
    let genesis = genesis::block(spec).map_err(|error| crate::exit::Usage(error.to_string()))?;
    match store.genesis_hash() {
        None => store.commit(Commit {
            block: genesis.block,
            receipts: genesis.receipts,
            diff: genesis.diff,
            trie: genesis.trie,
        })?,
        Some(found) if found != genesis.block.hash => {
            let there = store.block(0)?;
            let differences =
                there.map(|there| genesis::differences(&there, &genesis.block)).unwrap_or_default();
            return Err(StoreError::Foreign {
                path: args.data_dir.clone().unwrap_or_default(),
                found: format!(
                    "a chain with genesis {found}, these arguments give {} ({}); use the genesis file, --accounts and \
                     --gas-limit it was made with, or another directory",
                    genesis.block.hash,
                    differences.join("; ")
                ),
            }
            .into());
        }
        Some(_) => {}
    }
    Ok(store)
}

fn open_pool(args: &DevArgs, params: &Params, store: &Store) -> Result<Pool> {
    let journal: Option<PathBuf> = args.data_dir.as_ref().map(|dir| dir.join(JOURNAL));
    let env = PoolEnv::of(params);
    let config = PoolConfig { min_fee_cap_wei: args.min_fee_cap, ..PoolConfig::default() };
    let (pool, journalled) = Pool::open(config, journal.as_deref(), env)?;
    let head = store.head().context("the store has no head after genesis")?;
    let restored = pool.restore(journalled, &head.state).context("taking over the pool's journal")?;
    for (hash, why) in &restored.dropped {
        tracing::warn!(%hash, %why, "a transaction of the pool's journal is no longer valid");
    }
    tracing::info!(kept = restored.kept, "transactions of the pool's journal");
    Ok(pool)
}

fn client_version() -> String {
    format!("chlom/v{}/{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)
}
