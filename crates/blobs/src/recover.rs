//! From a directory to a store, whatever happened before.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

use alloy_primitives::B256;

use crate::{
    blob::Blob,
    error::BlobError,
    layout::{self, HEAD, PAGE, Slot},
    meta::{BlobId, BlobMeta},
    presence::Presence,
    store::BlobStore,
};

/// What opening a directory had to mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Files of blobs that were never known, removed.
    pub unfinished: usize,
    /// Blobs whose bitmap was torn or rotten and was made anew from their cells.
    pub rescanned: Vec<BlobId>,
    /// Files that do not decode, moved to the folder `damaged`, with the reason. The blobs are not known any more, and
    /// the files count nothing: remove them when they have been looked at.
    pub set_aside: Vec<(String, String)>,
    /// Names in the folder of blobs that no blob has; left alone.
    pub foreign: Vec<String>,
}

/// What a file's head says.
struct Head {
    meta: BlobMeta,
    /// The newer slot, or the expiry alone where one slot cannot be trusted.
    slot: Slot,
    trusted: bool,
}

impl BlobStore {
    pub(crate) fn recover(&self) -> Result<Recovered, BlobError> {
        let mut recovered = Recovered { unfinished: self.discard_unfinished()?, ..Recovered::default() };
        let mut set_aside = false;
        for name in names(&self.directory.blobs)? {
            let Some(id) = id_of(&name) else {
                tracing::warn!(name, "a file that is no blob is left alone");
                recovered.foreign.push(name);
                continue;
            };
            let path = self.directory.blobs.join(&name);
            match read_head(&path, id)? {
                Ok(head) if head.trusted => self.know(head)?,
                Ok(head) => {
                    tracing::warn!(blob = %id, "the list of present cells was damaged; making it anew from the cells");
                    self.know(head)?;
                    recovered.rescanned.push(id);
                }
                Err(what) => {
                    tracing::warn!(blob = %id, what, "a damaged blob is set aside");
                    self.shared.disk.rename(&path, &self.directory.damaged.join(&name))?;
                    recovered.set_aside.push((name, what));
                    set_aside = true;
                }
            }
        }
        if set_aside {
            self.shared.disk.sync_directory(&self.directory.damaged)?;
            self.shared.disk.sync_directory(&self.directory.blobs)?;
        }
        Ok(recovered)
    }

    fn discard_unfinished(&self) -> Result<usize, BlobError> {
        let folder = &self.directory.unfinished;
        let names = names(folder)?;
        for name in &names {
            self.shared.disk.unlink(&folder.join(name))?;
        }
        Ok(names.len())
    }

    fn know(&self, head: Head) -> Result<(), BlobError> {
        let id = head.meta.id;
        let path = self.path(&id);
        let blob =
            Blob::new((id, head.meta.geometry), path, self.next_number(), head.slot, self.shared.clone());
        if !head.trusted {
            blob.rescan()?;
        }
        let (presence, expires_at) = blob.current()?;
        self.shared.quota.count(HEAD + layout::charged(presence.count()));
        let mut index = self.index.write();
        index.by_expiry.insert((expires_at, id));
        index.blobs.insert(id, Arc::new(blob));
        Ok(())
    }
}

fn names(folder: &Path) -> Result<Vec<String>, BlobError> {
    let read = || -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut names = read().map_err(BlobError::io("read", folder))?;
    names.sort_unstable();
    Ok(names)
}

/// Only the name that this build would give: 64 lower-case hexadecimal digits.
fn id_of(name: &str) -> Option<BlobId> {
    let mut id = B256::ZERO;
    hex::decode_to_slice(name, &mut id.0).ok()?;
    (hex::encode(id) == name).then_some(id)
}

/// The outer result is the system's, the inner one says why the file is no blob.
fn read_head(path: &Path, id: BlobId) -> Result<Result<Head, String>, BlobError> {
    use std::os::unix::fs::FileExt;
    let mut pages = [[0; PAGE]; 3];
    let mut read = || {
        let file = File::open(path)?;
        (0..).zip(&mut pages).try_for_each(|(i, page)| file.read_exact_at(page, PAGE as u64 * i))
    };
    match read() {
        Ok(()) => Ok(decode_head(&pages, id)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err("it ends early".into())),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Err("it is a directory".into())),
        Err(error) => Err(BlobError::io("read", path)(error)),
    }
}

fn decode_head(pages: &[[u8; PAGE]; 3], id: BlobId) -> Result<Head, String> {
    let [meta, first, second] = pages;
    let meta = layout::decode_meta(meta, id)?;
    let seed = layout::seed(&id);
    let slots = [first, second].map(|page| layout::decode_slot(page, meta.geometry, seed));
    let trusted = slots.iter().all(Option::is_some);
    let newest = slots.into_iter().flatten().max_by_key(|slot| slot.sequence);
    let slot = newest.unwrap_or_else(|| Slot {
        sequence: 0,
        expires_at: meta.expires_at,
        presence: Presence::empty(meta.geometry),
    });
    Ok(Head { meta, slot, trusted })
}
