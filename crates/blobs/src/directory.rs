//! The directory: whose it is, and that nobody else has it open.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{error::BlobError, layout::FORMAT};

/// Says that a directory holds blobs, and in which format. It is written before anything else.
const MARKER: &str = "CHLOM-BLOBS";
/// Content of the marker before the format's number.
const MARKER_TEXT: &str = "chlom blobs, format ";
/// The marker while it is written.
const MARKER_NEW: &str = "CHLOM-BLOBS.new";
/// Locked for as long as the store is open.
const LOCK: &str = "lock";

/// A directory that is ours and locked.
pub(crate) struct Directory {
    /// One file a blob, named by its id.
    pub(crate) blobs: PathBuf,
    /// Files of blobs that are not known yet.
    pub(crate) unfinished: PathBuf,
    /// Files set aside because they do not decode.
    pub(crate) damaged: PathBuf,
    /// Unlocked when it is dropped, or when the process ends in whatever way.
    _lock: File,
}

/// Takes a directory over, creating it when it is missing or empty.
pub(crate) fn claim(path: &Path) -> Result<Directory, BlobError> {
    if path.exists() && !path.is_dir() {
        return Err(BlobError::Foreign { path: path.into(), found: "it is a file".into() });
    }
    fs::create_dir_all(path).map_err(BlobError::io("create", path))?;
    if read_marker(path)?.is_none() {
        refuse_foreign(path)?;
    }
    let lock = lock(path)?;
    match read_marker(path)? {
        Some(format) if format == FORMAT.to_string() => {}
        Some(got) => return Err(BlobError::Version { path: path.into(), got, want: FORMAT }),
        None => write_marker(path)?,
    }
    let [blobs, unfinished, damaged] = ["blobs", "unfinished", "damaged"].map(|name| path.join(name));
    for folder in [&blobs, &unfinished, &damaged] {
        fs::create_dir_all(folder).map_err(BlobError::io("create", folder))?;
    }
    File::open(path).and_then(|root| root.sync_all()).map_err(BlobError::io("make durable", path))?;
    Ok(Directory { blobs, unfinished, damaged, _lock: lock })
}

/// The format that the marker states; `None` without a marker.
fn read_marker(path: &Path) -> Result<Option<String>, BlobError> {
    let marker = path.join(MARKER);
    let bytes = match fs::read(&marker) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BlobError::io("read", &marker)(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    match text.trim_end().strip_prefix(MARKER_TEXT) {
        Some(format) => Ok(Some(format.to_string())),
        None => Err(BlobError::Foreign { path: path.into(), found: format!("{MARKER} is not ours") }),
    }
}

/// A directory without a marker may hold only what a first start leaves behind that was interrupted early.
fn refuse_foreign(path: &Path) -> Result<(), BlobError> {
    for entry in fs::read_dir(path).map_err(BlobError::io("read", path))? {
        let name = entry.map_err(BlobError::io("read", path))?.file_name();
        if name != LOCK && name != MARKER_NEW {
            let found = format!("it holds {}", name.to_string_lossy());
            return Err(BlobError::Foreign { path: path.into(), found });
        }
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, BlobError> {
    let name = path.join(LOCK);
    let options = File::options().read(true).write(true).create(true).truncate(false).open(&name);
    let file = options.map_err(BlobError::io("open", &name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BlobError::Locked { path: path.into() }),
        Err(TryLockError::Error(error)) => Err(BlobError::io("lock", &name)(error)),
    }
}

/// Whole or not at all, and on disk when it returns.
fn write_marker(path: &Path) -> Result<(), BlobError> {
    let (new, marker) = (path.join(MARKER_NEW), path.join(MARKER));
    let write = || {
        fs::write(&new, format!("{MARKER_TEXT}{FORMAT}\n"))?;
        File::open(&new)?.sync_all()?;
        fs::rename(&new, &marker)?;
        File::open(path)?.sync_all()
    };
    write().map_err(BlobError::io("write", &marker))
}
