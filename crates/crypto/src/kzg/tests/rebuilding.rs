//! Recovery: what can be rebuilt is, byte for byte; what cannot is named.

use proptest::prelude::*;

use super::*;

/// A square of so many data rows, made once.
fn square(rows: usize) -> &'static Square {
    static SQUARES: OnceLock<Vec<Square>> = OnceLock::new();
    let squares = SQUARES.get_or_init(|| {
        [1, 2, 4, 8].map(|rows| extend(&wide_data(50 + rows as u64, rows), &Cancel::new()).unwrap()).into()
    });
    &squares[rows.trailing_zeros() as usize]
}

fn assert_rebuilt(rows: usize, is_missing: impl Fn(CellId) -> bool) {
    let whole = square(rows);
    let rebuilt = recover(PartialSquare::without(whole, is_missing), &Cancel::new());
    assert!(rebuilt.unwrap() == *whole, "{rows} rows");
}

fn lost(rows: usize, is_missing: impl Fn(CellId) -> bool) -> Unrecoverable {
    match recover(PartialSquare::without(square(rows), is_missing), &Cancel::new()) {
        Err(RecoverError::Unrecoverable(lost)) => lost,
        other => panic!("{other:?}"),
    }
}

/// Cells of a square in an order that a seed chooses.
fn shuffled(rows: usize, seed: u64) -> Vec<CellId> {
    let count = RowCount::new(rows).unwrap().cells();
    let mut order: Vec<_> = (0..count).map(|place| (noise(seed ^ (place as u64) << 20, 8), place)).collect();
    order.sort();
    order.into_iter().map(|(_, place)| CellId::of_index(place)).collect()
}

/// Can be rebuilt? One line at a time, in any order, without bits.
fn model_recoverable(rows: usize, missing: &[CellId]) -> bool {
    let mut there = vec![[true; COLUMNS]; 2 * rows];
    missing.iter().for_each(|id| there[usize::from(id.row)][usize::from(id.column)] = false);
    loop {
        let before = there.clone();
        for row in &mut there {
            if row.iter().filter(|cell| **cell).count() >= 64 {
                *row = [true; COLUMNS];
            }
        }
        for column in 0..COLUMNS {
            if there.iter().filter(|row| row[column]).count() >= rows {
                there.iter_mut().for_each(|row| row[column] = true);
            }
        }
        if there == before {
            return there.iter().all(|row| row.iter().all(|cell| *cell));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_misses_less_than_the_smallest_lost_set_is_rebuilt(log in 0..4_u32, seed: u64, share in 0..=1000_usize) {
        let rows = 1 << log;
        let most = (rows + 1) * 65 - 1;
        let missing: Vec<_> = shuffled(rows, seed).into_iter().take(most * share / 1000).collect();
        assert_rebuilt(rows, |id| missing.contains(&id));
    }

    #[test]
    fn a_square_is_rebuilt_or_lost_as_peeling_line_by_line_says(log in 0..3_u32, seed: u64, share in 0..=1000_usize) {
        let rows = 1 << log;
        let cells = RowCount::new(rows).unwrap().cells();
        // Around the share at which random squares begin to be lost.
        let count = cells * (400 + share * 200 / 1000) / 1000;
        let missing: Vec<_> = shuffled(rows, seed).into_iter().take(count).collect();
        let found = recover(PartialSquare::without(square(rows), |id| missing.contains(&id)), &Cancel::new());
        match found {
            Ok(found) => {
                prop_assert!(model_recoverable(rows, &missing));
                prop_assert!(found == *square(rows));
            }
            Err(RecoverError::Unrecoverable(_)) => prop_assert!(!model_recoverable(rows, &missing)),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn sub_squares_one_line_smaller_than_the_smallest_lost_set_are_rebuilt(log in 0..4_u32, seed: u64) {
        let rows = 1 << log;
        let (some_rows, some_columns) = lines(rows, seed);
        assert_rebuilt(rows, |id| some_rows[1..].contains(&id.row) && some_columns.contains(&id.column));
        assert_rebuilt(rows, |id| some_rows.contains(&id.row) && some_columns[1..].contains(&id.column));
        // One cell more than nothing of it is enough.
        let spared = cell(some_rows[0], some_columns[0]);
        assert_rebuilt(rows, |id| id != spared && some_rows.contains(&id.row) && some_columns.contains(&id.column));
    }

    #[test]
    fn the_smallest_lost_set_is_reported_as_such(log in 0..4_u32, seed: u64) {
        let rows = 1 << log;
        let (some_rows, some_columns) = lines(rows, seed);
        let is_lost = |id: CellId| some_rows.contains(&id.row) && some_columns.contains(&id.column);
        // Whole columns elsewhere are missing too, and rebuilt before what is lost is named.
        let other = (0..128).find(|column| !some_columns.contains(column)).unwrap();
        let lost = lost(rows, |id| is_lost(id) || (id.column == other && usize::from(id.row) < rows));
        prop_assert!(lost.smallest);
        prop_assert_eq!((lost.rows, lost.columns), (rows + 1, 65));
        let expected: Vec<_> =
            (0..rows * 2 * COLUMNS).map(CellId::of_index).filter(|id| is_lost(*id)).collect();
        prop_assert_eq!(lost.missing, expected);
    }
}

/// R + 1 rows and 65 columns.
fn lines(rows: usize, seed: u64) -> (Vec<u16>, Vec<u16>) {
    let choose = |count: u16, wanted: usize, salt: u64| {
        let mut all: Vec<_> =
            (0..count).map(|line| (noise(seed ^ salt ^ u64::from(line) << 32, 8), line)).collect();
        all.sort();
        all.into_iter().take(wanted).map(|(_, line)| line).collect::<Vec<_>>()
    };
    (choose(2 * rows as u16, rows + 1, 1), choose(128, 65, 2))
}

#[test]
fn half_of_every_row_or_half_of_every_column_rebuilds_the_square() {
    for rows in [1, 2, 4, 8] {
        assert_rebuilt(rows, |id| id.column < 64);
        assert_rebuilt(rows, |id| id.column >= 64);
        assert_rebuilt(rows, |id| id.column % 2 == 0);
        assert_rebuilt(rows, |id| usize::from(id.row) < rows);
        assert_rebuilt(rows, |id| usize::from(id.row) >= rows);
        assert_rebuilt(rows, |id| id.row % 2 == 1);
        // Three quarters are missing.
        assert_rebuilt(rows, |id| usize::from(id.row) >= rows || id.column >= 64);
        assert_rebuilt(rows, |id| usize::from(id.row) < rows || id.column % 2 == 0);
    }
}

#[test]
fn a_square_of_which_nothing_is_missing_is_taken_as_it_is() {
    assert_rebuilt(4, |_| false);
}

#[test]
fn rows_and_columns_take_turns_until_nothing_changes() {
    // Half of the rows' cells are not there, save for a stair of columns that only become complete one after the other.
    let rows = 4;
    let is_missing = |id: CellId| match id.row {
        0 => id.column < 64,
        1 => id.column < 65,
        2 => id.column < 66,
        3 => id.column < 67,
        _ => id.column < 64 + 4 && id.row != 4,
    };
    let missing: Vec<_> = (0..8 * COLUMNS).map(CellId::of_index).filter(|id| is_missing(*id)).collect();
    assert!(!model_recoverable(rows, &missing));
    let found = lost(rows, is_missing);
    assert!(!found.smallest && found.missing.len() < missing.len(), "{found}");
    assert_rebuilt(rows, |id| is_missing(id) && !(id.row == 5 && id.column == 66) && id.row < 6);
}

#[test]
fn nothing_at_all_is_lost_whole() {
    let found = lost(2, |_| true);
    assert_eq!((found.missing.len(), found.rows, found.columns, found.smallest), (512, 4, 128, false));
}

#[test]
fn the_pattern_alone_says_what_can_be_rebuilt() {
    let rows = RowCount::new(2).unwrap();
    assert_eq!(check_recoverable(rows, &[u128::MAX, 0, 0, u64::MAX.into()]), Ok(()));
    let all_but = |columns: u32| u128::MAX << columns;
    assert!(
        check_recoverable(rows, &[all_but(65), all_but(65), all_but(65), u128::MAX]).unwrap_err().smallest
    );
    assert_eq!(check_recoverable(rows, &[all_but(65), all_but(65), all_but(64), u128::MAX]), Ok(()));
    // Rows that are not named miss everything.
    assert_eq!(check_recoverable(rows, &[u128::MAX]).unwrap_err().rows, 3);
    assert_eq!(check_recoverable(rows, &[]).unwrap_err().missing.len(), 512);
}

#[test]
fn cells_that_contradict_each_other_are_reported_with_their_line() {
    let with_wrong = |id: CellId, is_missing: &dyn Fn(CellId) -> bool| {
        let mut partial = PartialSquare::new(RowCount::new(2).unwrap());
        for index in 0..512 {
            let at = CellId::of_index(index);
            if !is_missing(at) {
                let mut bytes = square(2).cell(at).unwrap().to_vec();
                bytes[63] ^= u8::from(at == id);
                partial.insert(at, &bytes).unwrap();
            }
        }
        recover(partial, &Cancel::new())
    };
    let wrong = cell(1, 70);
    let found = with_wrong(wrong, &|id| id.column < 63);
    assert_eq!(found.unwrap_err(), RecoverError::Contradiction(Line::Row(1)));
    let found = with_wrong(wrong, &|id| id.row == 0 && id.column > 10);
    assert_eq!(found.unwrap_err(), RecoverError::Contradiction(Line::Column(70)));
    // Without a cell to spare nothing contradicts, and the commitments decide.
    let found = with_wrong(wrong, &|id| id.column < 64 || id.row > 1).unwrap();
    let commitments = SquareCommitments::derive(&commit(&wide_data(52, 2), &Cancel::new()).unwrap());
    let verdict = check_square(&commitments, &found, &Cancel::new());
    assert_eq!(verdict, Err(KzgError::WrongData { rows: 4 }));
    assert_eq!(check_square(&commitments, square(2), &Cancel::new()), Ok(()));
}

#[test]
fn cells_enter_a_partial_square_once_and_only_where_there_is_a_place() {
    let rows = RowCount::new(2).unwrap();
    let mut partial = PartialSquare::new(rows);
    let bytes = square(2).cell(cell(3, 127)).unwrap();
    partial.insert(cell(3, 127), bytes).unwrap();
    assert!(partial.has(cell(3, 127)) && !partial.has(cell(3, 126)) && !partial.has(cell(9, 500)));
    assert_eq!(partial.insert(cell(3, 127), bytes), Err(KzgError::DuplicateCell(cell(3, 127))));
    for id in [cell(4, 0), cell(0, 128)] {
        assert_eq!(partial.insert(id, bytes), Err(KzgError::UnknownCell { cell: id, rows: 4, columns: 128 }));
    }
    for found in [0, 2047, 2049] {
        let refused = KzgError::Length { what: "a cell", expected: 2048, found };
        assert_eq!(partial.insert(cell(0, 0), &vec![0; found]), Err(refused));
    }
    assert_eq!(partial.len(), 1);
}
