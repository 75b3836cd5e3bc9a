//! Open files, as few as configured: the least recently used is closed first.

use std::{collections::VecDeque, fs::File, sync::Arc};

use parking_lot::Mutex;

use crate::error::BlobError;

/// Open files by a number that no two blobs of a process share: a blob that was removed and comes back under the same
/// name must not meet the old file.
pub(crate) struct Handles {
    /// Least recently used first. At most some dozens, so a scan is cheaper than a map.
    open: Mutex<VecDeque<(u64, Arc<File>)>>,
    limit: usize,
}

impl Handles {
    pub(crate) fn new(limit: usize) -> Self {
        Self { open: Mutex::default(), limit: limit.max(1) }
    }

    pub(crate) fn get(
        &self,
        number: u64,
        open: impl FnOnce() -> Result<File, BlobError>,
    ) -> Result<Arc<File>, BlobError> {
        if let Some(file) = self.touch(number) {
            return Ok(file);
        }
        let file = Arc::new(open()?);
        let mut handles = self.open.lock();
        handles.push_back((number, file.clone()));
        let surplus = handles.len().saturating_sub(self.limit);
        handles.drain(..surplus);
        Ok(file)
    }

    fn touch(&self, number: u64) -> Option<Arc<File>> {
        let mut handles = self.open.lock();
        let place = handles.iter().position(|(held, _)| *held == number)?;
        let entry = handles.remove(place)?;
        let file = entry.1.clone();
        handles.push_back(entry);
        Some(file)
    }

    pub(crate) fn forget(&self, number: u64) {
        self.open.lock().retain(|(held, _)| *held != number);
    }

    pub(crate) fn len(&self) -> usize {
        self.open.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_file_is_closed_first() {
        let handles = Handles::new(2);
        let open = || Ok(tempfile::tempfile().unwrap());
        let first = handles.get(1, open).unwrap();
        handles.get(2, open).unwrap();
        assert!(Arc::ptr_eq(&first, &handles.get(1, open).unwrap()));
        handles.get(3, open).unwrap();
        assert_eq!(handles.len(), 2);
        assert!(handles.touch(2).is_none(), "2 was used before 1");
        assert!(handles.touch(1).is_some());
        handles.forget(1);
        assert!(handles.touch(1).is_none());
    }
}
