//! Checking that a blob is available without fetching it.
//!
//! A square that cannot be rebuilt misses at least (R + 1) · 65 of its 2R · 128 cells. Whoever asks for cells that the
//! publisher could not foresee and gets all of them, right, knows how unlikely that is for such a square. The caller
//! brings 32 bytes that nobody else knows before the answers are there; this code has no entropy, socket or clock.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, Keccak256, U256};

use crate::kzg::{
    Cancel, CellId, DATA_COLUMNS, KzgError, ProvenCell, RowCount, SquareCommitments, verify_cells,
};

const STREAM_TAG: &[u8] = b"CHLOM/da/sample/v1";

/// Probabilities are multiples of 2 to the minus this.
const SCALE_BITS: usize = 192;

/// Why samples were not chosen or not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// More cells than there are.
    #[error("{asked} samples were asked for of a square of {cells} cells")]
    TooMany {
        /// Samples asked for.
        asked: usize,
        /// Cells of the square.
        cells: usize,
    },
    /// A chosen cell has no answer: the blob may be unavailable.
    #[error("no answer for {0}")]
    Unanswered(CellId),
    /// An answer for a cell that was not chosen.
    #[error("{0} was answered but not asked for")]
    Unasked(CellId),
    /// An answer is wrong.
    #[error(transparent)]
    Kzg(#[from] KzgError),
}

/// Chooses `count` different cells of a square, each set of them equally likely. Upholds [DA-19].
///
/// # Errors
/// [`SampleError::TooMany`].
pub fn choose_cells(rows: RowCount, count: usize, entropy: &B256) -> Result<Vec<CellId>, SampleError> {
    let cells = rows.cells();
    if count > cells {
        return Err(SampleError::TooMany { asked: count, cells });
    }
    // Fisher and Yates' shuffle, of which only the places that moved are kept.
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    let mut stream = Stream { entropy, block: 0, words: Vec::new() };
    let mut chosen = Vec::with_capacity(count);
    for next in 0..count {
        let drawn = next + stream.below(cells - next);
        let at = |place: usize, moved: &BTreeMap<usize, usize>| moved.get(&place).copied().unwrap_or(place);
        let (cell, displaced) = (at(drawn, &moved), at(next, &moved));
        moved.insert(drawn, displaced);
        chosen.push(CellId::of_index(cell));
    }
    Ok(chosen)
}

/// Words of keccak256(tag ‖ entropy ‖ counter), counter 0, 1, 2, …
struct Stream<'a> {
    entropy: &'a B256,
    block: u64,
    /// Words of the current block, last first.
    words: Vec<u32>,
}

impl Stream<'_> {
    /// A number below `bound`, each equally likely: words past the last multiple of the bound are left out.
    fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        let whole = (1 << 32) / bound * bound;
        loop {
            let word = u64::from(self.word());
            if word < whole {
                return (word % bound) as usize;
            }
        }
    }

    fn word(&mut self) -> u32 {
        if self.words.is_empty() {
            let mut hasher = Keccak256::new();
            hasher.update(STREAM_TAG);
            hasher.update(self.entropy);
            hasher.update(self.block.to_be_bytes());
            self.block += 1;
            let hash = hasher.finalize();
            self.words = hash.as_chunks::<4>().0.iter().rev().map(|word| u32::from_be_bytes(*word)).collect();
        }
        self.words.pop().expect("a block has eight words")
    }
}

/// How sure samples make that a blob is available: a bound on the chance that all of them were answered although the
/// square cannot be rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confidence {
    /// The chance in units of 2⁻¹⁹², rounded up.
    chance: U256,
}

impl Confidence {
    /// What so many different cells give, all right. Upholds [DA-20].
    ///
    /// # Errors
    /// [`SampleError::TooMany`].
    pub fn of(rows: RowCount, samples: usize) -> Result<Self, SampleError> {
        let cells = rows.cells();
        if samples > cells {
            return Err(SampleError::TooMany { asked: samples, cells });
        }
        let there = most_without_recovery(rows);
        let start = U256::from(1) << SCALE_BITS;
        // The product of (there − i) / (cells − i). Each step stays below 2²⁰⁶ and rounds up.
        let chance = (0..samples).fold(start, |chance, i| {
            (chance * U256::from(there.saturating_sub(i))).div_ceil(U256::from(cells - i))
        });
        Ok(Self { chance })
    }

    /// The largest k up to 192 such that the chance is at most 2⁻ᵏ.
    pub fn bits(&self) -> usize {
        // chance ≤ 2^(192 − k) exactly when chance − 1 has at most 192 − k bits.
        SCALE_BITS - self.chance.saturating_sub(U256::from(1)).bit_len()
    }

    /// True when nothing is left to chance: more cells are there than a square that cannot be rebuilt has.
    pub fn is_certain(&self) -> bool {
        self.chance.is_zero()
    }
}

/// The fewest samples that leave a chance of at most 2⁻ᵏ. All cells leave none, so there is such a number.
///
/// # Errors
/// [`SampleError::TooMany`] never for `bits` up to 192; beyond that nothing is promised short of certainty.
pub fn samples_for(rows: RowCount, bits: usize) -> Result<usize, SampleError> {
    let (mut fewest, mut most) = (0, rows.cells());
    while fewest < most {
        let middle = fewest.midpoint(most);
        let confidence = Confidence::of(rows, middle)?;
        let enough = confidence.is_certain() || (bits <= SCALE_BITS && confidence.bits() >= bits);
        if enough { most = middle } else { fewest = middle + 1 }
    }
    Ok(fewest)
}

/// Cells that can be there at most while the square cannot be rebuilt.
fn most_without_recovery(rows: RowCount) -> usize {
    rows.cells() - (rows.data() + 1) * (DATA_COLUMNS + 1)
}

/// Checks the answers for chosen cells: each one, nothing else, all right. The commitments are those that the blob's
/// header was checked against. Upholds [DA-21].
///
/// # Errors
/// See [`SampleError`].
pub fn check_answers(
    commitments: &SquareCommitments,
    chosen: &[CellId],
    answers: &[ProvenCell],
    cancel: &Cancel,
) -> Result<Confidence, SampleError> {
    let asked: BTreeSet<CellId> = chosen.iter().copied().collect();
    let answered: BTreeSet<CellId> = answers.iter().map(|answer| answer.id).collect();
    if let Some(id) = answered.difference(&asked).next() {
        return Err(SampleError::Unasked(*id));
    }
    if let Some(id) = asked.difference(&answered).next() {
        return Err(SampleError::Unanswered(*id));
    }
    verify_cells(commitments, answers, cancel)?;
    Confidence::of(commitments.rows(), asked.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_rows() -> impl Iterator<Item = RowCount> {
        [1, 2, 4, 8, 16, 32].into_iter().map(|rows| RowCount::new(rows).unwrap())
    }

    /// The chance as an exact fraction, and whether it is at most 2⁻ᵏ, by big numbers of 32-bit limbs.
    fn exactly_reaches(rows: RowCount, samples: usize, bits: usize) -> bool {
        let times = |number: &[u32], factor: u32| {
            let mut carry = 0_u64;
            let mut out: Vec<u32> = number
                .iter()
                .map(|limb| {
                    carry += u64::from(*limb) * u64::from(factor);
                    let low = carry as u32;
                    carry >>= 32;
                    low
                })
                .collect();
            out.push(carry as u32);
            out
        };
        let (mut above, mut below) = (vec![1_u32], vec![1_u32]);
        let there = most_without_recovery(rows);
        for i in 0..samples {
            above = times(&above, (there - i) as u32);
            below = times(&below, (rows.cells() - i) as u32);
        }
        for _ in 0..bits {
            above = times(&above, 2);
        }
        let length = above.len().max(below.len());
        above.resize(length, 0);
        below.resize(length, 0);
        above.iter().rev().le(below.iter().rev())
    }

    #[test]
    fn chosen_cells_are_different_and_of_the_square() {
        for rows in all_rows() {
            for count in [0, 1, 73, 256, rows.cells()] {
                let chosen = choose_cells(rows, count, &B256::repeat_byte(7)).unwrap();
                assert_eq!(chosen.len(), count);
                assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), count);
                assert!(chosen.iter().all(|id| id.check(rows).is_ok()));
            }
        }
    }

    #[test]
    fn more_samples_than_cells_are_refused() {
        let rows = RowCount::new(1).unwrap();
        let refused = SampleError::TooMany { asked: 257, cells: 256 };
        assert_eq!(choose_cells(rows, 257, &B256::ZERO), Err(refused.clone()));
        assert_eq!(Confidence::of(rows, 257), Err(refused));
    }

    #[test]
    fn other_entropy_chooses_other_cells_and_the_same_entropy_the_same() {
        let rows = RowCount::new(32).unwrap();
        let one = choose_cells(rows, 73, &B256::repeat_byte(1)).unwrap();
        assert_eq!(one, choose_cells(rows, 73, &B256::repeat_byte(1)).unwrap());
        assert_ne!(one, choose_cells(rows, 73, &B256::repeat_byte(2)).unwrap());
    }

    #[test]
    fn every_cell_is_chosen_about_as_often() {
        let rows = RowCount::new(1).unwrap();
        let mut times = vec![0_usize; rows.cells()];
        for round in 0..2_000_u64 {
            let entropy = B256::from(U256::from(round));
            for id in choose_cells(rows, 32, &entropy).unwrap() {
                times[usize::from(id.row) * 128 + usize::from(id.column)] += 1;
            }
        }
        // 250 are expected, with a standard deviation of 15.
        assert!(times.iter().all(|count| (160..340).contains(count)), "{times:?}");
    }

    #[test]
    fn numbers_below_a_bound_are_unbiased_where_a_remainder_would_not_be() {
        let entropy = B256::repeat_byte(9);
        let mut stream = Stream { entropy: &entropy, block: 0, words: Vec::new() };
        let bound = 3 << 30; // A remainder of 2³² would give the lower third twice.
        let low = (0..3_000).filter(|_| stream.below(bound) < 1 << 30).count();
        assert!((850..1150).contains(&low), "{low}");
    }

    #[test]
    fn the_confidence_is_the_exact_chance_rounded_to_the_safe_side() {
        for rows in all_rows() {
            for samples in [1, 2, 10, 30, 61, 73] {
                let bits = Confidence::of(rows, samples).unwrap().bits();
                assert!(exactly_reaches(rows, samples, bits), "{rows:?} {samples}");
                assert!(!exactly_reaches(rows, samples, bits + 1), "{rows:?} {samples}");
            }
        }
    }

    #[test]
    fn seventy_three_samples_are_enough_for_thirty_bits_in_every_square() {
        let needed: Vec<_> = all_rows().map(|rows| samples_for(rows, 30).unwrap()).collect();
        assert!(needed.is_sorted() && *needed.last().unwrap() <= 73, "{needed:?}");
        for (rows, needed) in all_rows().zip(needed) {
            assert!(exactly_reaches(rows, needed, 30) && !exactly_reaches(rows, needed - 1, 30));
        }
    }

    #[test]
    fn confidence_is_certain_once_an_unrecoverable_square_could_not_have_so_many_cells() {
        for rows in all_rows() {
            let most = most_without_recovery(rows);
            assert!(!Confidence::of(rows, most).unwrap().is_certain());
            assert!(Confidence::of(rows, most + 1).unwrap().is_certain());
            assert_eq!(Confidence::of(rows, most + 1).unwrap().bits(), SCALE_BITS);
            assert_eq!(Confidence::of(rows, 0).unwrap().bits(), 0);
            assert_eq!(samples_for(rows, 500).unwrap(), most + 1);
        }
    }
}
