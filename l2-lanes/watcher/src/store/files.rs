//! Files of a batch: its blob, and the proof of its fraud. Each is written whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use alloy_primitives::B256;

use super::Store;
use crate::WatchError;

const COMMITMENT_BYTES: usize = 48;

/// A blob with its rows' commitments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBlob {
    /// One a row.
    pub commitments: Vec<[u8; COMMITMENT_BYTES]>,
    /// 131,072 bytes a row.
    pub elements: Vec<u8>,
}

impl Store {
    /// Keeps a batch's blob.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn keep_blob(&self, root: &B256, blob: &KeptBlob) -> Result<(), WatchError> {
        let commitments = blob.commitments.concat();
        self.write_file(self.file(root, "blob"), &[&commitments, &blob.elements])
    }

    /// The blob of a batch that has so many data rows; `None` when it is not here, or not whole.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn blob(&self, root: &B256, rows: usize) -> Result<Option<KeptBlob>, WatchError> {
        let Some(mut bytes) = self.read_file(self.file(root, "blob"))? else { return Ok(None) };
        let at = rows.saturating_mul(COMMITMENT_BYTES);
        if bytes.len() != at.saturating_add(rows.saturating_mul(chlom_crypto::kzg::ROW_DATA_BYTES)) {
            return Ok(None);
        }
        let elements = bytes.split_off(at);
        let (commitments, _) = bytes.as_chunks();
        Ok(Some(KeptBlob { commitments: commitments.to_vec(), elements }))
    }

    /// Keeps the proof of a batch's fraud.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn keep_proof(&self, root: &B256, proof: &[u8]) -> Result<(), WatchError> {
        self.write_file(self.file(root, "proof"), &[proof])
    }

    /// The proof of a batch's fraud.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn proof(&self, root: &B256) -> Result<Option<Vec<u8>>, WatchError> {
        self.read_file(self.file(root, "proof"))
    }

    /// Forgets the files of a batch that is void: it convicts nobody any more.
    ///
    /// # Errors
    /// Faults of the disk.
    pub fn forget_files(&self, root: &B256) -> Result<(), WatchError> {
        for name in ["blob", "proof"] {
            let path = self.file(root, name);
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(WatchError::Io { action: "remove", path, cause });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, root: &B256, name: &str) -> PathBuf {
        self.path().join("files").join(format!("{root:x}.{name}"))
    }

    fn write_file(&self, path: PathBuf, parts: &[&[u8]]) -> Result<(), WatchError> {
        let new = path.with_extension("new");
        let write = || {
            let mut file = File::create(&new)?;
            parts.iter().try_for_each(|part| file.write_all(part))?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(self.path().join("files"))?.sync_all()
        };
        write().map_err(|cause| WatchError::Io { action: "write", path, cause })
    }

    fn read_file(&self, path: PathBuf) -> Result<Option<Vec<u8>>, WatchError> {
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(WatchError::Io { action: "read", path, cause }),
        }
    }
}
