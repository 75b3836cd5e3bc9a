//! The journal's file: opening, appending, replacing.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    Record,
    error::JournalError,
    format::{FormatError, Header, Salt, VERSION, encode_group, encode_header, encode_record, scan},
};

/// Owner only: transactions that wait are nobody else's business.
const MODE: u32 = 0o600;

/// Payload after which a rewrite begins another group.
const REWRITE_GROUP: usize = 1 << 20;

/// What the journal writes to. A file; tests put one in between that fails on demand.
pub(crate) trait Sink: Send {
    /// Appends all bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything appended is on disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Puts something between the journal and its file.
pub(crate) type Wrap = Box<dyn Fn(File) -> Box<dyn Sink> + Send + Sync>;

/// An open journal file.
pub(super) struct Disk {
    path: PathBuf,
    header: Header,
    sink: Box<dyn Sink>,
    wrap: Wrap,
    len: u64,
    next: u64,
    /// Held for as long as the journal is open. A file of its own, because the journal is replaced.
    _lock: File,
}

impl Disk {
    /// Opens or begins a journal; cuts off what a crash left unfinished.
    pub(super) fn open(path: &Path, chain_id: u64, wrap: Wrap) -> Result<(Self, Vec<Record>), JournalError> {
        let failed = |action| move |source| JournalError::Io { action, path: path.into(), source };
        let lock = lock(path)?;
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed("read")(error)),
        };
        if bytes.is_empty() {
            let (file, header, len) = begin(path, chain_id, &[], &wrap).map_err(failed("begin"))?;
            return Ok((
                Self { path: path.into(), header, sink: file, wrap, len, next: 0, _lock: lock },
                vec![],
            ));
        }
        let found = scan(&bytes).map_err(|error| refusal(path, error))?;
        if found.header.chain_id != chain_id {
            return Err(JournalError::Chain {
                path: path.into(),
                got: found.header.chain_id,
                want: chain_id,
            });
        }
        let file = reopen(path, bytes.len(), found.end).map_err(failed("open"))?;
        let disk = Self {
            path: path.into(),
            header: found.header,
            sink: wrap(file),
            wrap,
            len: found.end as u64,
            next: found.next,
            _lock: lock,
        };
        Ok((disk, found.records))
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Writes one group; it is on disk when this returns.
    pub(super) fn append(&mut self, payload: &[u8]) -> io::Result<()> {
        let group = encode_group(&self.header.salt, self.next, payload)
            .ok_or_else(|| io::Error::other("a group of 4 GiB"))?;
        self.sink.append(&group)?;
        self.sink.sync()?;
        self.len += group.len() as u64;
        self.next += 1;
        Ok(())
    }

    /// Replaces the file by one with these records only.
    pub(super) fn rewrite(&mut self, records: &[Record]) -> io::Result<()> {
        let payloads = payloads(records);
        let (sink, header, len) = begin(&self.path, self.header.chain_id, &payloads, &self.wrap)?;
        (self.sink, self.header, self.len, self.next) = (sink, header, len, payloads.len() as u64);
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn payloads(records: &[Record]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut payload = Vec::new();
    for record in records {
        encode_record(record, &mut payload);
        if payload.len() >= REWRITE_GROUP {
            payloads.push(std::mem::take(&mut payload));
        }
    }
    if !payload.is_empty() {
        payloads.push(payload);
    }
    payloads
}

/// Writes a whole new journal beside `path`, then puts it in its place.
fn begin(
    path: &Path,
    chain_id: u64,
    payloads: &[Vec<u8>],
    wrap: &Wrap,
) -> io::Result<(Box<dyn Sink>, Header, u64)> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    let header = Header { chain_id, salt };
    let fresh = beside(path, ".new");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&fresh)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    let mut sink = wrap(file);
    let mut len = 0;
    let mut append = |bytes: &[u8]| {
        len += bytes.len() as u64;
        sink.append(bytes)
    };
    append(&encode_header(&header))?;
    for (number, payload) in payloads.iter().enumerate() {
        let group = encode_group(&salt, number as u64, payload);
        append(&group.ok_or_else(|| io::Error::other("a group of 4 GiB"))?)?;
    }
    sink.sync()?;
    fs::rename(&fresh, path)?;
    sync_folder(path)?;
    Ok((sink, header, len))
}

/// Opens an existing journal for appending at `end`.
fn reopen(path: &Path, len: usize, end: usize) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.permissions().mode() & 0o777 != MODE {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    if end < len {
        tracing::warn!(
            path = %path.display(),
            bytes = len - end,
            "cut off the end of the transaction journal: a group that is not whole, as a crash during its write leaves it"
        );
        file.set_len(end as u64)?;
        file.sync_all()?;
    }
    file.seek(SeekFrom::Start(end as u64))?;
    Ok(file)
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let name = beside(path, ".lock");
    let failed = |source| JournalError::Io { action: "lock", path: path.into(), source };
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: path.into() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn refusal(path: &Path, error: FormatError) -> JournalError {
    let path = path.into();
    match error {
        FormatError::Foreign => JournalError::Foreign { path },
        FormatError::Version(got) => JournalError::Version { path, got, want: VERSION },
        FormatError::Damaged { offset } => JournalError::Damaged { path, offset: offset as u64 },
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A rename is on disk once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
