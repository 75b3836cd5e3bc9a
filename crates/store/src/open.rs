//! From a directory, or nothing, to a chain.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, atomic::Ordering, mpsc::channel},
};

use alloy_primitives::B256;
use chlom_primitives::Block;

use crate::{
    config::{Backend, StoreConfig},
    directory::{self, Directory},
    encoding::{block, key},
    error::{KvError, StoreError},
    kv::{Table, disk::DiskKv, memory::MemoryKv},
    nodes::Unstored,
    shared::Shared,
    store::Store,
    tip_file::{DurableTip, TipFile},
    version::{Pinned, Version},
    writer::{Writer, pin},
};

/// The engine's cache of disk blocks, as a share of the store's: the store caches values itself.
const ENGINE_SHARE: usize = 4;

/// What part of the memory for caches waiting writes take before they go into the tables, and the most of it.
const WAITING_SHARE: usize = 8;
const MOST_WAITING_BYTES: usize = 32 * 1024 * 1024;

pub(crate) fn open(config: StoreConfig) -> Result<Store, StoreError> {
    let shared = match &config.backend {
        Backend::Memory => Shared::new(Box::new(MemoryKv::default()), "memory".into(), None, &config),
        Backend::Disk(path) => {
            let directory = directory::claim(path)?;
            let durable = directory.durable;
            let (kv, tip_file) = open_disk(path, directory, config.cache_bytes)?;
            let shared = Shared::new(Box::new(kv), path.clone(), Some(tip_file), &config);
            check_durable(&shared, durable).map_err(|error| error.at(path))?;
            shared
        }
    };
    let shared = Arc::new(shared);
    let stored_trie = load(&shared).map_err(|error| error.at(&shared.path))?;
    let (jobs, queue) = channel();
    let writer = Writer { shared: shared.clone(), stored_trie };
    let thread = writer.start(queue).map_err(|cause| StoreError::Io {
        action: "start the writer of",
        path: shared.path.clone(),
        cause: Arc::new(cause),
    })?;
    Ok(Store::start(shared, jobs, thread))
}

fn open_disk(path: &Path, directory: Directory, cache_bytes: usize) -> Result<(DiskKv, TipFile), StoreError> {
    let waiting_bytes = (cache_bytes / WAITING_SHARE).min(MOST_WAITING_BYTES);
    // The engine trusts its files' structure and panics where a damaged one breaks it.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        DiskKv::open(directory, (cache_bytes / ENGINE_SHARE) as u64, waiting_bytes)
    }));
    let damaged = |what: String| StoreError::Damaged { path: path.into(), what };
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(match error {
            KvError::Locked => StoreError::Locked { path: path.into() },
            KvError::Io(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                StoreError::Io { action: "open", path: path.into(), cause: Arc::new(cause) }
            }
            other => damaged(other.to_string()),
        }),
        Err(_) => Err(damaged("the database does not open".into())),
    }
}

/// Refuses a store in which a block that was durable is missing: its journal was damaged and then cut short.
fn check_durable(shared: &Shared, durable: Option<DurableTip>) -> Result<(), StoreError> {
    let Some(DurableTip { height, hash }) = durable else { return Ok(()) };
    let pinned = pin(shared, 0);
    let tip = pinned.get(Table::Meta, key::META_TIP)?;
    let newest = tip.map(|tip| parse_tip(shared, &tip)).transpose()?;
    let header = pinned.get(Table::Headers, &key::height(height))?;
    let found = header.map(|bytes| block::decode_header(&bytes)).transpose()?;
    match (newest, found) {
        (Some((newest, _)), Some((header, _))) if newest >= height && header.hash_slow() == hash => Ok(()),
        (newest, _) => Err(shared.damaged(format!(
            "block {height} with hash {hash} was durable and is missing or another one; the newest found is {:?}",
            newest.map(|(newest, _)| newest)
        ))),
    }
}

/// Reads the chain's end and brings the trie up to it. Returns the height of the stored trie.
fn load(shared: &Arc<Shared>) -> Result<Option<u64>, StoreError> {
    let pinned = pin(shared, 1);
    let Some(tip) = pinned.get(Table::Meta, key::META_TIP)? else { return Ok(None) };
    let (height, hash) = parse_tip(shared, &tip)?;
    let genesis = pinned.get(Table::Meta, key::META_GENESIS)?;
    let genesis = genesis.and_then(|bytes| B256::try_from(bytes.as_ref()).ok());
    let genesis = genesis.ok_or_else(|| shared.damaged("the genesis hash is missing"))?;
    let block = load_tip(shared, &pinned, height, hash)?;
    if let Some(floor) = height_record(&pinned, Table::Meta, key::META_FLOOR)? {
        shared.floor.store(floor, Ordering::Release);
        shared.kv.forget_history(floor);
    }
    let stored = height_record(&pinned, Table::Trie, key::TRIE_HEIGHT)?;
    let stored = stored.ok_or_else(|| shared.damaged("the height of the trie is missing"))?;
    let pinned = shared.recover(pinned, &block.header, stored)?;
    let version =
        Version { commit: 1, fork: 0, block, pinned, layers: Vec::new(), unstored: Unstored::default() };
    let version = Arc::new(version);
    shared.caches.clear(version.commit);
    let mut chain = shared.chain.write();
    chain.genesis = Some(genesis);
    chain.tip = Some(version.clone());
    chain.head = Some(version);
    Ok(Some(height))
}

fn height_record(pinned: &Pinned, table: Table, key: &[u8]) -> Result<Option<u64>, StoreError> {
    Ok(pinned.get(table, key)?.map(|bytes| block::decode_height(&bytes)).transpose()?)
}

fn parse_tip(shared: &Shared, tip: &[u8]) -> Result<(u64, B256), StoreError> {
    let parsed = tip
        .split_first_chunk::<8>()
        .and_then(|(height, hash)| Some((u64::from_be_bytes(*height), B256::try_from(hash).ok()?)));
    parsed.ok_or_else(|| shared.damaged("the record of the newest block does not decode"))
}

fn load_tip(shared: &Shared, pinned: &Pinned, height: u64, hash: B256) -> Result<Arc<Block>, StoreError> {
    let missing = || shared.damaged(format!("block {height}, the newest, is missing"));
    let header = pinned.get(Table::Headers, &key::height(height))?.ok_or_else(missing)?;
    let body = pinned.get(Table::Bodies, &key::height(height))?.ok_or_else(missing)?;
    let (header, additions) = block::decode_header(&header)?;
    let block = Block::seal(header, additions, block::decode_body(&body)?);
    if block.hash != hash || block.height() != height {
        let (got, at) = (block.hash, block.height());
        return Err(shared.damaged(format!("block {height} should be {hash}, it is {got} of height {at}")));
    }
    Ok(Arc::new(block))
}
