//! The newest durable block, written down outside of the engine.
//!
//! The engine takes a byte of its journal that does not parse for the end of what a crash left, and cuts off what follows.
//! That is right for a torn write and wrong for bit rot, which then takes acknowledged blocks along without a word. So a
//! small file says how far the chain was durable: a store that opens behind it is damaged.
//!
//! Two slots, written in turn once the engine has made a block durable, each with a checksum: a torn write leaves the other
//! slot. A file that is missing or lags behind does no harm. Before the chain goes back, the file does. Upholds [STA-7].

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{B256, keccak256};

/// Name in the data directory.
pub(crate) const TIP_FILE: &str = "tip";

/// Where slots begin: no sector of a disk holds parts of both.
const SLOT_BYTES: usize = 4_096;
/// Bytes in use of a slot: `mark | sequence u64 | height u64 | block hash | checksum`, big-endian.
const USED: usize = 64;
const MARK: &[u8; 8] = b"chlomtip";

/// A block that was durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurableTip {
    pub(crate) height: u64,
    pub(crate) hash: B256,
}

/// See the module's documentation.
pub(crate) struct TipFile {
    file: File,
    /// Of the slot written last.
    sequence: AtomicU64,
}

impl TipFile {
    /// Opens the file in a data directory, making one when it is missing. Says what it holds.
    pub(crate) fn open(directory: &Path) -> io::Result<(Self, Option<DurableTip>)> {
        let path = directory.join(TIP_FILE);
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        (&file).take(2 * SLOT_BYTES as u64).read_to_end(&mut bytes)?;
        if bytes.len() < 2 * SLOT_BYTES {
            // Written now, so that a full disk is no hindrance later.
            file.seek(SeekFrom::Start(bytes.len() as u64))?;
            file.write_all(&vec![0; 2 * SLOT_BYTES - bytes.len()])?;
            file.sync_all()?;
            File::open(directory)?.sync_all()?;
        }
        let newest = newest(&bytes);
        let sequence = AtomicU64::new(newest.map_or(0, |(sequence, _)| sequence));
        Ok((Self { file, sequence }, newest.map(|(_, tip)| tip)))
    }

    /// What the file of a directory holds; nothing when there is none.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<DurableTip>> {
        match File::open(directory.join(TIP_FILE)) {
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(2 * SLOT_BYTES as u64).read_to_end(&mut bytes)?;
                Ok(newest(&bytes).map(|(_, tip)| tip))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a block down; on disk when it returns. One thread at a time.
    pub(crate) fn write(&self, tip: &DurableTip) -> io::Result<()> {
        let sequence = self.sequence.load(Ordering::Relaxed).wrapping_add(1);
        let mut file = &self.file;
        file.seek(SeekFrom::Start((sequence % 2) * SLOT_BYTES as u64))?;
        file.write_all(&encode(sequence, tip))?;
        file.sync_data()?;
        self.sequence.store(sequence, Ordering::Relaxed);
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&keccak256(bytes)[..8]);
    sum
}

fn encode(sequence: u64, tip: &DurableTip) -> [u8; USED] {
    let mut slot = [0; USED];
    slot[..8].copy_from_slice(MARK);
    slot[8..16].copy_from_slice(&sequence.to_be_bytes());
    slot[16..24].copy_from_slice(&tip.height.to_be_bytes());
    slot[24..56].copy_from_slice(tip.hash.as_slice());
    let sum = checksum(&slot[..56]);
    slot[56..].copy_from_slice(&sum);
    slot
}

/// `None` for a slot that was never written, or not to its end.
fn decode(slot: &[u8]) -> Option<(u64, DurableTip)> {
    let slot = slot.get(..USED)?;
    if &slot[..8] != MARK || slot[56..] != checksum(&slot[..56]) {
        return None;
    }
    let number = |at: usize| Some(u64::from_be_bytes(slot.get(at..at + 8)?.try_into().ok()?));
    Some((number(8)?, DurableTip { height: number(16)?, hash: B256::from_slice(&slot[24..56]) }))
}

fn newest(bytes: &[u8]) -> Option<(u64, DurableTip)> {
    bytes.chunks(SLOT_BYTES).take(2).filter_map(decode).max_by_key(|(sequence, _)| *sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(height: u64) -> DurableTip {
        DurableTip { height, hash: B256::repeat_byte(height as u8) }
    }

    #[test]
    fn the_last_block_written_down_is_read_again_lower_ones_included() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(TipFile::read(directory.path()).unwrap(), None);
        for heights in [[1, 2, 3], [9, 4, 5]] {
            let (file, _) = TipFile::open(directory.path()).unwrap();
            for height in heights {
                file.write(&tip(height)).unwrap();
                assert_eq!(TipFile::read(directory.path()).unwrap(), Some(tip(height)));
            }
        }
        let (_, found) = TipFile::open(directory.path()).unwrap();
        assert_eq!(found, Some(tip(5)));
    }

    /// What a crash or a bad disk may leave of a write: any number of its bytes, or any of them flipped.
    #[test]
    fn a_torn_or_damaged_slot_leaves_the_one_before() {
        let old = encode(6, &tip(6));
        let new = encode(7, &tip(7));
        for cut in 0..USED {
            let mut bytes = vec![0; 2 * SLOT_BYTES];
            bytes[..USED].copy_from_slice(&old);
            let second = &mut bytes[SLOT_BYTES..SLOT_BYTES + USED];
            second.copy_from_slice(&encode(5, &tip(5)));
            second[..cut].copy_from_slice(&new[..cut]);
            let found = newest(&bytes).unwrap();
            assert!(found == (6, tip(6)) || second_is(&bytes, &new), "cut at {cut}: {found:?}");
            bytes[SLOT_BYTES..SLOT_BYTES + USED].copy_from_slice(&new);
            bytes[SLOT_BYTES + cut] ^= 0x40;
            assert_eq!(newest(&bytes), Some((6, tip(6))), "flipped at {cut}");
        }
        assert_eq!(newest(&[0; 2 * SLOT_BYTES]), None);
        assert_eq!(newest(&old[..USED - 1]), None);
    }

    fn second_is(bytes: &[u8], slot: &[u8]) -> bool {
        &bytes[SLOT_BYTES..SLOT_BYTES + USED] == slot
    }
}
