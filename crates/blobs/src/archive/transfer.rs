//! Shards to and from the object store, a few at a time.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload, path::Path};

use crate::{
    archive::{
        Archive, Archived, Restored, code,
        error::ArchiveError,
        shard::{self, Sharding},
    },
    meta::{BlobId, BlobMeta},
};

/// Shards on their way at once.
const AT_ONCE: usize = 4;
/// Most names read of one blob: several shardings of 64 shards each, and strangers' files.
const MOST_NAMES: usize = 1024;

/// What was found under a shard's name.
pub(crate) enum Fetched {
    Whole(BlobMeta, Bytes),
    Missing,
    Damaged(String),
}

fn folder(id: &BlobId) -> Path {
    Path::from(format!("blobs/{}", hex::encode(id)))
}

fn location(id: &BlobId, sharding: Sharding, index: u8) -> Path {
    Path::from(format!("{}/{}-of-{}/{index}", folder(id), sharding.data(), sharding.total()))
}

/// The reverse of [`location`] below the blob's folder; `None` for a stranger's file.
fn parse(folder: &Path, location: &Path) -> Option<(Sharding, u8)> {
    let mut parts = location.prefix_match(folder)?;
    let (sharding, index) = (parts.next()?, parts.next()?);
    let (data, total) = sharding.as_ref().split_once("-of-")?;
    let data: u8 = data.parse().ok()?;
    let sharding = Sharding::new(data, total.parse::<u8>().ok()?.checked_sub(data)?).ok()?;
    let index = index.as_ref().parse().ok().filter(|index| *index < sharding.total())?;
    parts.next().is_none().then_some((sharding, index))
}

impl Archive {
    /// Uploads those that are not there in full size.
    pub(crate) async fn upload_missing(
        &self,
        meta: &BlobMeta,
        shards: Vec<Bytes>,
    ) -> Result<Archived, ArchiveError> {
        let want = self.sharding.shard_bytes(meta.geometry) as u64;
        let heads = stream::iter(0..self.sharding.total()).map(|index| async move {
            let at = location(&meta.id, self.sharding, index);
            match self.store.head(&at).await {
                Ok(found) => Ok((index, found.size == want)),
                Err(Error::NotFound { .. }) => Ok((index, false)),
                Err(error) => Err(ArchiveError::store("look for", &at)(error)),
            }
        });
        let there: Vec<(u8, bool)> = heads.buffered(AT_ONCE).try_collect().await?;
        let missing: Vec<u8> = there.iter().filter(|(_, there)| !there).map(|(index, _)| *index).collect();
        let archived = Archived { uploaded: missing.len(), already: shards.len() - missing.len() };
        self.upload(meta, shards, missing).await?;
        Ok(archived)
    }

    /// Uploads these shards, whatever is there.
    pub(crate) async fn upload(
        &self,
        meta: &BlobMeta,
        shards: Vec<Bytes>,
        indices: Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let shards = &shards;
        let puts = stream::iter(indices).map(|index| async move {
            let at = location(&meta.id, self.sharding, index);
            let Some(payload) = shards.get(usize::from(index)).cloned() else { return Ok(()) };
            let header = shard::header(meta, self.sharding, index, &payload);
            let object = PutPayload::from_iter([header, payload]);
            self.store.put(&at, object).await.map_err(ArchiveError::store("write", &at)).map(drop)
        });
        puts.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Which shards of a blob have names, by sharding, this archive's own first.
    pub(crate) async fn shards_of(&self, id: &BlobId) -> Result<Vec<(Sharding, Vec<u8>)>, ArchiveError> {
        let mut found = BTreeMap::<_, Vec<u8>>::new();
        for at in self.names(id).await? {
            if let Some((sharding, index)) = parse(&folder(id), &at) {
                found.entry((sharding != self.sharding, sharding)).or_default().push(index);
            }
        }
        let sorted = found.into_iter().map(|((_, sharding), mut indices)| {
            indices.sort_unstable();
            (sharding, indices)
        });
        Ok(sorted.collect())
    }

    /// Lists one name, if there is one.
    pub(crate) async fn list_one(&self) -> Result<(), ArchiveError> {
        let all = Path::default();
        let first = self.store.list(None).next().await.transpose();
        first.map(drop).map_err(ArchiveError::store("list", &all))
    }

    async fn names(&self, id: &BlobId) -> Result<Vec<Path>, ArchiveError> {
        let folder = folder(id);
        let names = self.store.list(Some(&folder)).take(MOST_NAMES).map_ok(|object| object.location);
        names.try_collect().await.map_err(ArchiveError::store("list", &folder))
    }

    pub(crate) async fn delete_all(&self, id: &BlobId) -> Result<usize, ArchiveError> {
        let mut deleted = 0;
        for at in self.names(id).await? {
            match self.store.delete(&at).await {
                Ok(()) => deleted += 1,
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(ArchiveError::store("delete", &at)(error)),
            }
        }
        Ok(deleted)
    }

    /// Reads data shards first and others only in place of those that are bad.
    pub(crate) async fn restore_sharding(
        &self,
        id: &BlobId,
        sharding: Sharding,
        indices: Vec<u8>,
    ) -> Result<Restored, ArchiveError> {
        let needed = usize::from(sharding.data());
        // Shards that describe another body than the others were written for another blob: never mixed.
        let mut bodies = Vec::<(BlobMeta, Vec<(u8, Bytes)>)>::new();
        let (mut waiting, mut damaged) = (indices.into_iter(), Vec::new());
        loop {
            let good = bodies.iter().map(|(_, shards)| shards.len()).max().unwrap_or(0);
            if good >= needed {
                break;
            }
            let next: Vec<u8> = waiting.by_ref().take(needed - good).collect();
            if next.is_empty() {
                return Err(ArchiveError::Lost { id: *id, good, needed, damaged });
            }
            for (index, fetched) in self.fetch(id, sharding, next).await? {
                match fetched {
                    Fetched::Whole(meta, payload) => {
                        match bodies.iter_mut().find(|(body, _)| *body == meta) {
                            Some((_, shards)) => shards.push((index, payload)),
                            None => bodies.push((meta, vec![(index, payload)])),
                        }
                    }
                    Fetched::Missing => {}
                    Fetched::Damaged(what) => {
                        damaged.push(format!("{}: {what}", location(id, sharding, index)))
                    }
                }
            }
        }
        let lost = |damaged| ArchiveError::Lost { id: *id, good: 0, needed, damaged };
        let Some((meta, shards)) = bodies.into_iter().max_by_key(|(_, shards)| shards.len()) else {
            return Err(lost(damaged));
        };
        let length = meta.geometry.data_bytes();
        let decode = tokio::task::spawn_blocking(move || code::decode(sharding, shards, length));
        let data = decode.await.map_err(|error| ArchiveError::Cancelled { cause: error.to_string() })?;
        match data {
            Some(data) => Ok(Restored { meta, data, damaged }),
            None => Err(lost(damaged)),
        }
    }

    /// Reads shards, in the order of their indices.
    pub(crate) async fn fetch(
        &self,
        id: &BlobId,
        sharding: Sharding,
        indices: Vec<u8>,
    ) -> Result<Vec<(u8, Fetched)>, ArchiveError> {
        let gets = stream::iter(indices)
            .map(|index| async move { Ok((index, self.fetch_one(id, sharding, index).await?)) });
        gets.buffered(AT_ONCE).try_collect().await
    }

    async fn fetch_one(&self, id: &BlobId, sharding: Sharding, index: u8) -> Result<Fetched, ArchiveError> {
        let at = location(id, sharding, index);
        let found = match self.store.get(&at).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(Fetched::Missing),
            Err(error) => return Err(ArchiveError::store("read", &at)(error)),
        };
        if found.meta.size > sharding.largest_shard() as u64 {
            return Ok(Fetched::Damaged("it is too large".into()));
        }
        let bytes = found.bytes().await.map_err(ArchiveError::store("read", &at))?;
        Ok(match shard::decode(&bytes, id, sharding, index) {
            Ok((meta, payload)) => Fetched::Whole(meta, payload),
            Err(what) => Fetched::Damaged(what.into()),
        })
    }
}
