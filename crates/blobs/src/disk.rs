//! Calls to the system, each of which tests can make fail.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use rustix::fs::{FallocateFlags, fallocate};

use crate::{
    config::{FailPoint, Fault, Step},
    error::BlobError,
};

/// The file system, with the faults that a test injects.
#[derive(Clone)]
pub(crate) struct Disk {
    fail_point: Option<Arc<dyn FailPoint>>,
}

impl Disk {
    pub(crate) fn new(fail_point: Option<Arc<dyn FailPoint>>) -> Self {
        Self { fail_point }
    }

    fn before(&self, step: Step) -> Result<(), Fault> {
        self.fail_point.as_ref().map_or(Ok(()), |point| point.before(step))
    }

    fn checked<T>(&self, step: Step, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.before(step).map_err(|fault| fault.cause)?;
        call()
    }

    pub(crate) fn create(&self, path: &Path) -> Result<File, BlobError> {
        let create = || File::options().read(true).write(true).create(true).truncate(true).open(path);
        self.checked(Step::Create, create).map_err(BlobError::io("create", path))
    }

    pub(crate) fn open(&self, path: &Path) -> Result<File, BlobError> {
        File::options().read(true).write(true).open(path).map_err(BlobError::io("open", path))
    }

    pub(crate) fn write(
        &self,
        step: Step,
        path: &Path,
        file: &File,
        bytes: &[u8],
        at: u64,
    ) -> Result<(), BlobError> {
        let write = || match self.before(step) {
            Ok(()) => file.write_all_at(bytes, at),
            Err(fault) => {
                file.write_all_at(&bytes[..fault.written.min(bytes.len())], at)?;
                Err(fault.cause)
            }
        };
        write().map_err(BlobError::io("write", path))
    }

    /// Content and length, not times.
    pub(crate) fn sync(&self, step: Step, path: &Path, file: &File) -> Result<(), BlobError> {
        self.checked(step, || file.sync_data()).map_err(BlobError::io("make durable", path))
    }

    pub(crate) fn read(&self, file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.checked(Step::Read, || file.read_exact_at(buffer, at))
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), BlobError> {
        self.checked(Step::Rename, || fs::rename(from, to)).map_err(BlobError::io("rename", from))
    }

    pub(crate) fn unlink(&self, path: &Path) -> Result<(), BlobError> {
        self.checked(Step::Unlink, || fs::remove_file(path)).map_err(BlobError::io("remove", path))
    }

    pub(crate) fn sync_directory(&self, path: &Path) -> Result<(), BlobError> {
        let sync = || File::open(path)?.sync_all();
        self.checked(Step::SyncDirectory, sync).map_err(BlobError::io("make durable", path))
    }

    /// Returns a range's space to the file system, where it can: where it cannot, the space returns with the file.
    pub(crate) fn punch(&self, path: &Path, file: &File, at: u64, length: u64) {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let punch = || fallocate(file, hole, at, length).map_err(io::Error::from);
        if let Err(cause) = self.checked(Step::Punch, punch) {
            tracing::debug!(path = %path.display(), %cause, "deleted cells keep their disk space until the blob goes");
        }
    }
}
