//! The data directory: whose it is, and that nobody else has it open.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error::StoreError,
    tip_file::{DurableTip, TipFile},
};

/// Layout of the tables and records that this build reads and writes.
pub(crate) const FORMAT: u32 = 4;

/// Says that a directory is a store, and in which format. It is written before anything else.
const MARKER: &str = "CHLOM-STORE";
/// Content of the marker before the format's number.
const MARKER_TEXT: &str = "chlom store, format ";
/// The marker while it is written.
const MARKER_NEW: &str = "CHLOM-STORE.new";
/// Locked for as long as the store is open.
const LOCK: &str = "lock";
/// The engine's files.
const ENGINE: &str = "db";
/// The engine's own marker, the last file that it writes when it creates its directory.
const ENGINE_MARKER: &str = "version";

/// A directory that is ours and locked.
pub(crate) struct Directory {
    /// Where the engine's files go.
    pub(crate) engine: PathBuf,
    /// Unlocked when it is dropped, or when the process ends in whatever way.
    pub(crate) lock: File,
    /// Where durable blocks are written down.
    pub(crate) tip_file: TipFile,
    /// The block that was written down last.
    pub(crate) durable: Option<DurableTip>,
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_path_buf();
    move |cause| StoreError::Io { action, path, cause: Arc::new(cause) }
}

/// Takes a directory over, creating it when it is missing or empty.
pub(crate) fn claim(path: &Path) -> Result<Directory, StoreError> {
    if path.exists() && !path.is_dir() {
        return Err(StoreError::Foreign { path: path.into(), found: "it is a file".into() });
    }
    fs::create_dir_all(path).map_err(io_error("create", path))?;
    if read_marker(path)?.is_none() {
        refuse_foreign(path)?;
    }
    let lock = lock(path)?;
    match read_marker(path)? {
        Some(format) if format == FORMAT.to_string() => {}
        Some(got) => return Err(StoreError::Version { path: path.into(), got, want: FORMAT }),
        None => write_marker(path)?,
    }
    let engine = path.join(ENGINE);
    if TipFile::read(path).map_err(io_error("read the tip file of", path))?.is_none() {
        discard_unfinished(&engine)?;
    }
    let (tip_file, durable) = TipFile::open(path).map_err(io_error("open the tip file of", path))?;
    Ok(Directory { engine, lock, tip_file, durable })
}

/// The format that the marker states; `None` without a marker.
fn read_marker(path: &Path) -> Result<Option<String>, StoreError> {
    let marker = path.join(MARKER);
    let bytes = match fs::read(&marker) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", &marker)(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    match text.trim_end().strip_prefix(MARKER_TEXT) {
        Some(format) => Ok(Some(format.to_string())),
        None => Err(StoreError::Foreign { path: path.into(), found: format!("{MARKER} is not ours") }),
    }
}

/// A directory without a marker may hold only what a first start leaves behind that was interrupted early.
fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(path).map_err(io_error("read", path))? {
        let name = entry.map_err(io_error("read", path))?.file_name();
        if name != LOCK && name != MARKER_NEW {
            let found = format!("it holds {}", name.to_string_lossy());
            return Err(StoreError::Foreign { path: path.into(), found });
        }
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let name = path.join(LOCK);
    let options = File::options().read(true).write(true).create(true).truncate(false).open(&name);
    let file = options.map_err(io_error("open", &name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.into() }),
        Err(TryLockError::Error(error)) => Err(io_error("lock", &name)(error)),
    }
}

/// Whole or not at all, and on disk when it returns.
fn write_marker(path: &Path) -> Result<(), StoreError> {
    let (new, marker) = (path.join(MARKER_NEW), path.join(MARKER));
    let write = || {
        fs::write(&new, format!("{MARKER_TEXT}{FORMAT}\n"))?;
        File::open(&new)?.sync_all()?;
        fs::rename(&new, &marker)?;
        File::open(path)?.sync_all()
    };
    write().map_err(io_error("write", &marker))
}

/// Removes engine files that a first start left unfinished: without its marker nothing was ever committed to them.
fn discard_unfinished(engine: &Path) -> Result<(), StoreError> {
    if engine.exists() && !engine.join(ENGINE_MARKER).exists() {
        tracing::warn!(path = %engine.display(), "discarding database files that were never finished");
        fs::remove_dir_all(engine).map_err(io_error("remove", engine))?;
    }
    Ok(())
}
