//! Which cells of a blob are there.

use crate::geometry::{COLUMNS, Geometry, MAX_CELLS, Position};

/// Bytes of the largest bitmap.
pub const MAX_BITMAP: usize = MAX_CELLS / 8;

/// One bit a cell, in the order of [`Geometry::index`], least significant bit first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    geometry: Geometry,
    bits: Vec<u8>,
    count: usize,
}

impl Presence {
    /// No cell present.
    pub fn empty(geometry: Geometry) -> Self {
        Self { geometry, bits: vec![0; geometry.cells() / 8], count: 0 }
    }

    /// From its bytes; `None` when there are not exactly as many as the geometry needs.
    pub fn from_bytes(geometry: Geometry, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == geometry.cells() / 8).then(|| {
            let count = bytes.iter().map(|byte| byte.count_ones() as usize).sum();
            Self { geometry, bits: bytes.to_vec(), count }
        })
    }

    /// The bits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// The square that this is about.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Whether the cell is there; false outside of the square.
    pub fn has(&self, at: Position) -> bool {
        self.geometry.index(at).is_some_and(|index| self.has_index(index))
    }

    /// How many cells are there.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether all are.
    pub fn is_complete(&self) -> bool {
        self.count == self.geometry.cells()
    }

    /// Those that are there, in the order of the file.
    pub fn present(&self) -> impl Iterator<Item = Position> {
        self.geometry.positions().zip(0..).filter(|(_, index)| self.has_index(*index)).map(|(at, _)| at)
    }

    /// Those that are not, in the order of the file.
    pub fn missing(&self) -> impl Iterator<Item = Position> {
        self.geometry.positions().zip(0..).filter(|(_, index)| !self.has_index(*index)).map(|(at, _)| at)
    }

    /// Present cells of an extended row.
    pub fn in_row(&self, row: u16) -> usize {
        (0..COLUMNS).filter(|&column| self.has(Position { row, column })).count()
    }

    /// Present cells of a column.
    pub fn in_column(&self, column: u16) -> usize {
        (0..self.geometry.extended_rows()).filter(|&row| self.has(Position { row, column })).count()
    }

    pub(crate) fn has_index(&self, index: usize) -> bool {
        self.bits.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }

    /// Sets or clears a bit inside of the square; whether that changed it.
    pub(crate) fn set(&mut self, index: usize, present: bool) -> bool {
        let changed = self.has_index(index) != present;
        if let Some(byte) = self.bits.get_mut(index / 8).filter(|_| changed) {
            *byte ^= 1 << (index % 8);
            self.count = if present { self.count + 1 } else { self.count - 1 };
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn present_and_missing_cells_are_the_whole_square() {
        let geometry = Geometry::new(1).unwrap();
        let mut presence = Presence::empty(geometry);
        for index in [0, 7, 8, 255] {
            assert!(presence.set(index, true));
            assert!(!presence.set(index, true), "set twice, counted once");
        }
        assert_eq!(presence.count(), 4);
        assert_eq!(presence.present().count() + presence.missing().count(), geometry.cells());
        assert!(presence.present().all(|at| presence.has(at)));
        assert!(presence.missing().all(|at| !presence.has(at)));
        assert_eq!((presence.in_row(0), presence.in_row(1), presence.in_column(0)), (2, 2, 1));
        assert!(!presence.has(Position::new(2, 0)), "outside of the square nothing is there");
    }

    #[test]
    fn a_bitmap_of_another_size_is_refused() {
        let geometry = Geometry::new(1).unwrap();
        let presence = Presence::empty(geometry);
        assert_eq!(Presence::from_bytes(geometry, presence.as_bytes()), Some(presence));
        assert_eq!(Presence::from_bytes(geometry, &[0; 31]), None);
        assert_eq!(Presence::from_bytes(geometry, &[0; 33]), None);
    }
}
