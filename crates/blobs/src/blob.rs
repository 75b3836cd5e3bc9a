//! One blob: its file, which cells are present, and the order in which things are written (see [`crate::layout`]).
//!
//! Writers of a blob take turns. Readers share, and exclude a writer only for the moment in which it changes which cells
//! are present: a reader never meets a record that is being written, nor one whose space is being returned.

use std::{fs::File, path::PathBuf, sync::Arc};

use parking_lot::{Mutex, RwLock};

use crate::{
    cell::{Cell, CellRead},
    config::Step,
    error::BlobError,
    geometry::{Geometry, MAX_CELLS, Position},
    handles::Handles,
    layout::{self, HEAD, PAGE, RECORD, Slot},
    meta::{BlobId, BlobMeta},
    presence::Presence,
    stats::Counters,
    store::{Put, Quota},
};

/// Most neighbouring records in one call to the system: 128, 263 KiB.
const RUN: usize = 128;

/// What all blobs of a store share.
pub(crate) struct Shared {
    pub(crate) disk: crate::disk::Disk,
    pub(crate) handles: Handles,
    pub(crate) counters: Counters,
    pub(crate) quota: Quota,
}

struct State {
    presence: Presence,
    expires_at: u64,
    removed: bool,
}

pub(crate) struct Blob {
    pub(crate) id: BlobId,
    pub(crate) geometry: Geometry,
    path: PathBuf,
    /// No other blob of this process has it (see [`Handles`]).
    number: u64,
    seed: u64,
    shared: Arc<Shared>,
    /// Held by whoever writes; the sequence of the last durable slot.
    writer: Mutex<u64>,
    state: RwLock<State>,
}

impl Blob {
    pub(crate) fn new(
        (id, geometry): (BlobId, Geometry),
        path: PathBuf,
        number: u64,
        slot: Slot,
        shared: Arc<Shared>,
    ) -> Self {
        let state = State { presence: slot.presence, expires_at: slot.expires_at, removed: false };
        let (writer, state) = (Mutex::new(slot.sequence), RwLock::new(state));
        Self { id, geometry, path, number, seed: layout::seed(&id), shared, writer, state }
    }

    fn unknown(&self) -> BlobError {
        BlobError::Unknown { id: self.id }
    }

    /// Present cells and expiry.
    pub(crate) fn current(&self) -> Result<(Presence, u64), BlobError> {
        let state = self.state.read();
        if state.removed { Err(self.unknown()) } else { Ok((state.presence.clone(), state.expires_at)) }
    }

    pub(crate) fn expires_at(&self) -> u64 {
        self.state.read().expires_at
    }

    pub(crate) fn has(&self, at: Position) -> bool {
        let state = self.state.read();
        !state.removed && state.presence.has(at)
    }

    /// Only while the blob cannot be removed: by its writer, or under a lock on its state.
    fn file(&self) -> Result<Arc<File>, BlobError> {
        self.shared.handles.get(self.number, || self.shared.disk.open(&self.path))
    }

    pub(crate) fn index(&self, at: Position) -> Result<usize, BlobError> {
        let rows = self.geometry.extended_rows();
        self.geometry.index(at).ok_or(BlobError::NoSuchCell { id: self.id, at, rows })
    }

    /// The meta as it was written, with the expiry of now.
    pub(crate) fn meta(&self) -> Result<BlobMeta, BlobError> {
        let state = self.state.read();
        if state.removed {
            return Err(self.unknown());
        }
        let mut page = [0; PAGE];
        self.shared.disk.read(&*self.file()?, &mut page, 0).map_err(BlobError::io("read", &self.path))?;
        let meta = layout::decode_meta(&page, self.id);
        let meta = meta.map_err(|what| BlobError::Damaged { path: self.path.clone(), what })?;
        Ok(BlobMeta { expires_at: state.expires_at, ..meta })
    }

    /// Stores cells, all or none. Those that are there already are compared, and written again where the disk lost them.
    pub(crate) fn put(&self, cells: &[Cell]) -> Result<Put, BlobError> {
        let placed = self.place(cells)?;
        let mut sequence = self.writer.lock();
        let (mut presence, expires_at) = self.current()?;
        let file = self.file()?;
        let (there, new): (Vec<_>, Vec<_>) =
            placed.into_iter().partition(|(index, _)| presence.has_index(*index));
        let lost = self.compare(&file, &there)?;
        let put = Put { stored: new.len(), already: there.len() - lost.len(), healed: lost.len() };
        let space = self.shared.quota.reserve(layout::charged(new.len()))?;
        for (index, _) in &new {
            presence.set(*index, true);
        }
        let write: Vec<_> = [new, lost].concat();
        if !write.is_empty() {
            self.write_records(&file, write)?;
        }
        if put.stored > 0 {
            self.write_state(&file, &mut sequence, presence, expires_at)?;
        }
        space.keep();
        Counters::add(&self.shared.counters.written, put.stored + put.healed);
        Ok(put)
    }

    /// Cells by index, each once.
    fn place<'a>(&self, cells: &'a [Cell]) -> Result<Vec<(usize, &'a Cell)>, BlobError> {
        bounded(cells.len())?;
        let placed: Result<Vec<_>, _> = cells.iter().map(|cell| Ok((self.index(cell.at)?, cell))).collect();
        let mut placed = placed?;
        placed.sort_unstable_by_key(|(index, _)| *index);
        match placed.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(BlobError::Duplicate { id: self.id, at: pair[0].1.at }),
            None => Ok(placed),
        }
    }

    /// Of cells that are said to be there, those that the disk lost.
    ///
    /// # Errors
    /// [`BlobError::OtherCell`] when one is there and different.
    fn compare<'a>(
        &self,
        file: &File,
        there: &[(usize, &'a Cell)],
    ) -> Result<Vec<(usize, &'a Cell)>, BlobError> {
        let (mut lost, mut other) = (Vec::new(), None);
        let indices: Vec<_> = there.iter().map(|(index, _)| *index).collect();
        self.read_records(file, &indices, |place, found| match found {
            Some(found) if found == *there[place].1 => {}
            Some(found) => other = Some(found.at),
            None => lost.push(there[place]),
        })?;
        match other {
            Some(at) => Err(BlobError::OtherCell { id: self.id, at }),
            None => Ok(lost),
        }
    }

    fn write_records(&self, file: &File, mut cells: Vec<(usize, &Cell)>) -> Result<(), BlobError> {
        cells.sort_unstable_by_key(|(index, _)| *index);
        let mut buffer = Vec::with_capacity(RECORD * RUN.min(cells.len()));
        for run in runs(&cells, |(index, _)| *index) {
            buffer.clear();
            run.iter().for_each(|(index, cell)| layout::encode_record(cell, *index, self.seed, &mut buffer));
            let at = layout::record_offset(run[0].0);
            self.shared.disk.write(Step::WriteCells, &self.path, file, &buffer, at)?;
        }
        self.shared.disk.sync(Step::SyncCells, &self.path, file)
    }

    /// Reads records by ascending index: calls back with the place in `indices` and the cell, or `None` where the disk gives
    /// something else back or cannot read.
    fn read_records(
        &self,
        file: &File,
        indices: &[usize],
        mut each: impl FnMut(usize, Option<Cell>),
    ) -> Result<(), BlobError> {
        let (mut buffer, mut place) = (vec![0; RECORD * RUN.min(indices.len())], 0);
        for run in runs(indices, |index| *index) {
            let bytes = &mut buffer[..RECORD * run.len()];
            let whole = self.shared.disk.read(file, bytes, layout::record_offset(run[0])).is_ok();
            for (index, record) in run.iter().zip(bytes.chunks_exact_mut(RECORD)) {
                // One bad sector must not take its neighbours along.
                let read = whole || self.read_alone(file, *index, record)?;
                let cell =
                    read.then(|| layout::decode_record(record, *index, self.geometry, self.seed)).flatten();
                each(place, cell);
                place += 1;
            }
        }
        Ok(())
    }

    /// Whether a record could be read. A sector that the disk cannot read and a file that ends early are lost cells; anything
    /// else is no statement about the cell.
    fn read_alone(&self, file: &File, index: usize, record: &mut [u8]) -> Result<bool, BlobError> {
        let lost = rustix::io::Errno::IO.raw_os_error();
        match self.shared.disk.read(file, record, layout::record_offset(index)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) if error.raw_os_error() == Some(lost) => Ok(false),
            Err(error) => Err(BlobError::io("read", &self.path)(error)),
        }
    }

    /// Makes a state durable, then visible.
    fn write_state(
        &self,
        file: &File,
        sequence: &mut u64,
        presence: Presence,
        expires_at: u64,
    ) -> Result<(), BlobError> {
        let slot = Slot { sequence: sequence.saturating_add(1), expires_at, presence };
        let page = layout::encode_slot(&slot, self.seed);
        let disk = &self.shared.disk;
        disk.write(Step::WriteState, &self.path, file, &page, layout::slot_offset(slot.sequence))?;
        disk.sync(Step::SyncState, &self.path, file)?;
        *sequence = slot.sequence;
        let mut state = self.state.write();
        (state.presence, state.expires_at) = (slot.presence, expires_at);
        Ok(())
    }

    /// Reads cells, in the order asked for.
    pub(crate) fn get(&self, positions: &[Position]) -> Result<Vec<CellRead>, BlobError> {
        bounded(positions.len())?;
        let wanted: Result<Vec<_>, _> =
            positions.iter().map(|at| self.index(*at)).zip(0..).map(pair).collect();
        let mut wanted = wanted?;
        wanted.sort_unstable();
        let mut reads = vec![CellRead::Missing; positions.len()];
        let mut damaged = Vec::new();
        {
            let state = self.state.read();
            if state.removed {
                return Err(self.unknown());
            }
            wanted.retain(|(index, _)| state.presence.has_index(*index));
            let indices: Vec<_> = wanted.iter().map(|(index, _)| *index).collect();
            self.read_records(&*self.file()?, &indices, |place, cell| match cell {
                Some(cell) => reads[wanted[place].1] = CellRead::Found(cell),
                None => {
                    reads[wanted[place].1] = CellRead::Damaged;
                    damaged.push(wanted[place].0);
                }
            })?;
        }
        Counters::add(&self.shared.counters.read, wanted.len() - damaged.len());
        self.drop_damaged(&damaged)?;
        Ok(reads)
    }

    /// Reads every present cell; those that the disk lost are dropped and returned.
    pub(crate) fn scrub(&self) -> Result<Vec<Position>, BlobError> {
        let present: Vec<_> =
            (0..self.geometry.cells()).filter(|index| self.has(self.geometry.position(*index))).collect();
        let mut lost = Vec::new();
        for some in present.chunks(RUN) {
            let positions: Vec<_> = some.iter().map(|index| self.geometry.position(*index)).collect();
            let reads = self.get(&positions)?;
            lost.extend(
                positions
                    .into_iter()
                    .zip(reads)
                    .filter(|(_, read)| *read == CellRead::Damaged)
                    .map(|(at, _)| at),
            );
        }
        Ok(lost)
    }

    /// Forgets cells that a reader found damaged, unless somebody put them again meanwhile. What cannot be noted on disk is
    /// forgotten in memory and found again after a restart.
    fn drop_damaged(&self, indices: &[usize]) -> Result<(), BlobError> {
        if indices.is_empty() {
            return Ok(());
        }
        let mut sequence = self.writer.lock();
        let (mut presence, expires_at) = self.current()?;
        let file = self.file()?;
        let mut indices: Vec<_> =
            indices.iter().copied().filter(|index| presence.has_index(*index)).collect();
        indices.dedup();
        let mut lost = 0;
        self.read_records(&file, &indices, |place, cell| {
            if cell.is_none() && presence.set(indices[place], false) {
                lost += 1;
            }
        })?;
        if lost == 0 {
            return Ok(());
        }
        tracing::warn!(blob = %self.id, cells = lost, "cells were damaged on disk and are missing now");
        if let Err(error) = self.write_state(&file, &mut sequence, presence.clone(), expires_at) {
            tracing::warn!(blob = %self.id, %error, "could not note the damaged cells");
            self.state.write().presence = presence;
        }
        self.shared.quota.release(layout::charged(lost));
        Counters::add(&self.shared.counters.damaged, lost);
        Ok(())
    }

    /// Deletes cells; how many were there.
    pub(crate) fn delete(&self, positions: &[Position]) -> Result<usize, BlobError> {
        bounded(positions.len())?;
        let indices: Result<Vec<_>, _> = positions.iter().map(|at| self.index(*at)).collect();
        let mut indices = indices?;
        let mut sequence = self.writer.lock();
        let (mut presence, expires_at) = self.current()?;
        indices.retain(|index| presence.set(*index, false));
        if indices.is_empty() {
            return Ok(0);
        }
        indices.sort_unstable();
        let file = self.file()?;
        self.write_state(&file, &mut sequence, presence, expires_at)?;
        self.shared.quota.release(layout::charged(indices.len()));
        for run in runs(&indices, |index| *index) {
            let length = (run.len() * RECORD) as u64;
            self.shared.disk.punch(&self.path, &file, layout::record_offset(run[0]), length);
        }
        Counters::add(&self.shared.counters.deleted, indices.len());
        Ok(indices.len())
    }

    /// Sets a later expiry; an earlier one changes nothing.
    pub(crate) fn extend(&self, until: u64) -> Result<(), BlobError> {
        let mut sequence = self.writer.lock();
        let (presence, expires_at) = self.current()?;
        if until > expires_at {
            self.write_state(&*self.file()?, &mut sequence, presence, until)
        } else {
            Ok(())
        }
    }

    /// Removes the file; the bytes that it counted. A removal that fails leaves the blob as it was.
    pub(crate) fn remove(&self) -> Result<u64, BlobError> {
        let _writer = self.writer.lock();
        let (presence, _) = self.current()?;
        self.state.write().removed = true;
        if let Err(error) = self.shared.disk.unlink(&self.path) {
            self.state.write().removed = false;
            return Err(error);
        }
        self.shared.handles.forget(self.number);
        let bytes = HEAD + layout::charged(presence.count());
        self.shared.quota.release(bytes);
        Counters::add(&self.shared.counters.removed, 1);
        Ok(bytes)
    }

    /// Makes the bitmap anew from the records and writes both slots.
    pub(crate) fn rescan(&self) -> Result<(), BlobError> {
        let mut sequence = self.writer.lock();
        let (_, expires_at) = self.current()?;
        let file = self.file()?;
        let (mut presence, all) =
            (Presence::empty(self.geometry), (0..self.geometry.cells()).collect::<Vec<_>>());
        self.read_records(&file, &all, |index, cell| {
            presence.set(index, cell.is_some());
        })?;
        self.write_state(&file, &mut sequence, presence.clone(), expires_at)?;
        self.write_state(&file, &mut sequence, presence, expires_at)
    }
}

fn bounded(got: usize) -> Result<(), BlobError> {
    if got <= MAX_CELLS { Ok(()) } else { Err(BlobError::BatchTooLarge { got, limit: MAX_CELLS }) }
}

fn pair((index, place): (Result<usize, BlobError>, usize)) -> Result<(usize, usize), BlobError> {
    Ok((index?, place))
}

/// Cuts what is sorted by index into runs of neighbours, at most [`RUN`] long.
fn runs<T>(sorted: &[T], index: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let neighbours = move |a: &T, b: &T| index(a) + 1 == index(b);
    sorted.chunk_by(neighbours).flat_map(|run| run.chunks(RUN))
}
