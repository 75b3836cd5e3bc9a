//! A right batch admits no accepted proof, whatever cells, kinds and evidence are tried.

use proptest::prelude::*;
use std::sync::LazyLock;

use super::*;

static RIGHT: LazyLock<Vec<Batch>> = LazyLock::new(|| {
    let state = MemoryState::open();
    let mut batches = vec![large(1)];
    for (seed, count) in [(2, 1), (3, 40), (4, 400)] {
        batches.push(testing::batch(2, testing::receipts(seed, count), &state));
    }
    batches
});

fn cells(batch: &Batch, pages: &[u32]) -> Vec<OpenedCell> {
    let open = |page: &u32| {
        let id = crate::blob::cell_id(*page);
        OpenedCell { row: id.row, column: id.column, data: batch.blob().cell(*page).to_vec() }
    };
    pages.iter().map(open).collect()
}

/// Nothing that state would confirm.
fn holds_nothing(batch: &Batch, state: &MemoryState, result: Result<Verdict, NoFraud>) {
    if let Ok(verdict) = result {
        assert_ne!(verdict.check, Check::None, "{verdict:?}");
        assert!(!confirmed(batch, state, &verdict), "{verdict:?}");
    }
}

/// Pages that a statement might be about: neighbours, ends, and any.
fn some_pages(batch: &Batch, seed: &mut Seed) -> Vec<u32> {
    let header = &batch.header;
    let bounds = [0, header.record_pages, header.record_pages + header.table_pages, header.pages()];
    let any = |seed: &mut Seed| match seed.below(3) {
        0 => seed.below(batch.blob().pages() as usize) as u32,
        1 => seed.below(header.pages() as usize) as u32,
        _ => (*seed.pick(&bounds) + seed.below(3) as u32).saturating_sub(1) % batch.blob().pages(),
    };
    let first = any(seed);
    let mut pages = vec![first];
    if seed.below(3) > 0 {
        pages.push(if seed.below(2) == 0 { first + 1 } else { any(seed) });
    }
    if seed.below(3) == 0 {
        pages.push(any(seed));
    }
    pages.iter_mut().for_each(|page| *page %= batch.blob().pages());
    if seed.below(20) > 0 {
        pages.sort_unstable();
        pages.dedup();
    }
    pages
}

fn some_evidence(batch: &Batch, kind: u8, seed: &mut Seed) -> Vec<u8> {
    let mut out = vec![seed.below(7) as u8];
    let small = |seed: &mut Seed| (seed.next() >> (48 + seed.below(16))) as u16;
    match kind {
        6 => {
            out.extend([seed.below(2) as u8]);
            if seed.below(4) > 0 {
                out.push(seed.below(9) as u8);
                out.extend(u32::from(small(seed)).to_be_bytes());
            }
        }
        9 => {
            out.extend(small(seed).to_be_bytes());
            out.extend([33, 2]);
            out.extend((0..32).map(|_| seed.next() as u8));
        }
        3 if seed.below(2) == 0 => {
            let other = seed.pick(&RIGHT[..]);
            let page = seed.below(other.header.record_pages as usize) as u32;
            let shown = Box::new(testing::shown(other, page, small(seed)));
            let place = Place { page: 0, at: small(seed) };
            out = evidence::encode(&Fraud::Earlier(place, shown));
        }
        _ => {
            for _ in 0..seed.below(3) {
                out.extend(small(seed).to_be_bytes());
            }
        }
    }
    let _ = batch;
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lan_60_no_statement_about_a_right_batch_is_accepted(seed: u64) {
        let (mut seed, state) = (Seed(seed), MemoryState::open());
        for _ in 0..60 {
            let batch = seed.pick(&RIGHT[..]);
            let kind = seed.below(11) as u8;
            let pages = some_pages(batch, &mut seed);
            let evidence = some_evidence(batch, kind, &mut seed);
            let result = judge(&batch.header, kind, &cells(batch, &pages), &evidence);
            holds_nothing(batch, &state, result);
        }
    }

    #[test]
    fn lan_60_random_evidence_never_panics(kind: u8, evidence in prop::collection::vec(any::<u8>(), 0..80), seed: u64) {
        let (mut seed, state) = (Seed(seed), MemoryState::open());
        let batch = seed.pick(&RIGHT[..]);
        let pages = some_pages(batch, &mut seed);
        holds_nothing(batch, &state, judge(&batch.header, kind % 10, &cells(batch, &pages), &evidence));
    }

    /// Cells that are not of this blob: the caller verifies them, and even so nothing breaks.
    #[test]
    fn lan_60_hostile_cells_never_panic(seed: u64, length in prop::sample::select(vec![0usize, 31, 2_047, 2_048, 2_049])) {
        let mut seed = Seed(seed);
        let batch = &RIGHT[0];
        let hostile = |seed: &mut Seed| OpenedCell {
            row: seed.next() as u16 % 5,
            column: seed.next() as u16 % 130,
            data: (0..length).map(|at| if at % 32 == 0 { 0 } else { seed.next() as u8 }).collect(),
        };
        let count = seed.below(5);
        let cells: Vec<_> = (0..count).map(|_| hostile(&mut seed)).collect();
        let kind = seed.below(10) as u8;
        let evidence = some_evidence(batch, kind, &mut seed);
        let _ = judge(&batch.header, kind, &cells, &evidence);
    }
}

/// Statements of every kind about any pages, one seed after the other: the seed in the message replays it.
#[test]
fn lan_60_a_right_batch_withstands_half_a_million_statements_slow() {
    let state = MemoryState::open();
    for number in 0..500_000 {
        let mut seed = Seed(number);
        let batch = seed.pick(&RIGHT[..]);
        let kind = 1 + seed.below(9) as u8;
        let pages = some_pages(batch, &mut seed);
        let evidence = some_evidence(batch, kind, &mut seed);
        let result = judge(&batch.header, kind, &cells(batch, &pages), &evidence);
        let accepted =
            result.is_ok_and(|verdict| verdict.check == Check::None || confirmed(batch, &state, &verdict));
        assert!(!accepted, "seed {number}: kind {kind}, pages {pages:?}, evidence {evidence:?}");
    }
}

/// Every statement that `check` could make, made about a right batch: each is refused as right or as about nothing.
#[test]
fn lan_63_every_statement_about_every_page_of_a_right_batch_is_refused() {
    let state = MemoryState::open();
    for batch in RIGHT.iter() {
        let refused = |fraud: Fraud| holds_nothing(batch, &state, batch.convict(&fraud));
        let pages = batch.blob().pages();
        for page in 0..pages {
            refused(Fraud::Page(page));
            for fraud in [Fraud::Ends, Fraud::OrderWithin, Fraud::RowEnds, Fraud::SumStart] {
                refused(fraud(page));
            }
            if page > 0 {
                for fraud in [Fraud::Next, Fraud::OrderAcross, Fraud::RowNext, Fraud::SumNext] {
                    refused(fraud(page));
                }
            }
        }
        for payer in 0..batch.header.payers.len() as u16 {
            for first in batch.header.record_pages..pages.min(batch.header.record_pages + 6) {
                for last in first..pages.min(first + 6) {
                    refused(Fraud::PayerTotal { payer, first, last });
                }
            }
        }
        for tree in [TreeKind::Receipts, TreeKind::Rows] {
            refused(Fraud::Root(tree));
            for (level, width) in crate::merkle::widths(tree.leaves(&batch.header)).enumerate() {
                for index in 0..=width as u32 {
                    let contents = match level {
                        0 if tree == TreeKind::Rows => (0..batch.header.table_pages)
                            .map(|table| Some(batch.header.record_pages + table))
                            .collect(),
                        _ => vec![None],
                    };
                    for content in contents {
                        refused(Fraud::Node { tree, level: level as u8, index, content });
                    }
                }
            }
        }
        rows_and_records(batch, &refused);
    }
}

fn rows_and_records(batch: &Batch, refused: &dyn Fn(Fraud)) {
    let (records, tables) = (batch.header.record_pages, batch.header.table_pages);
    for table in records..records + tables {
        for at in (0..60).step_by(3) {
            let row = Place { page: table, at };
            [Fraud::PayerRow(row), Fraud::Terms(row)].into_iter().for_each(refused);
            for first in 0..records {
                refused(Fraud::RowRecord { row, record: Place { page: first, at: at % 50 } });
                for last in first..records.min(first + 3) {
                    refused(Fraud::RowRevenue { row, first, last });
                }
            }
        }
    }
    for page in 0..records {
        for at in (0..250).step_by(7) {
            let place = Place { page, at };
            refused(Fraud::Time(place));
            refused(Fraud::Licence(place));
            refused(Fraud::Source(place, vec![2; 33]));
            refused(Fraud::Twice(place, Place { page, at: at + 1 }));
            refused(Fraud::Twice(place, Place { page: (page + 1) % records, at }));
        }
    }
}
