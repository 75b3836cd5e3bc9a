//! Cells that are gone.

use std::os::unix::fs::FileExt;

use proptest::prelude::*;

use super::*;
use crate::CellRead;

#[test]
fn dam_12_any_recoverable_set_of_deleted_cells_is_rebuilt_byte_for_byte_with_the_same_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let body = bytes(2 * ROW, 5);
    let accepted = service.put_and_rest(&body);
    let before = service.all_cells(&accepted.id);
    let id = accepted.id;
    // Any share of the cells up to a quarter wherever they are; fewer than (R + 1) · 65 = 195 of 512 never lose a square.
    let config = ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(places in proptest::sample::subsequence((0..512).collect::<Vec<usize>>(), 1..195))| {
        let geometry = service.presence(&id).geometry();
        let places: Vec<_> = places.iter().map(|index| geometry.position(*index)).collect();
        prop_assert_eq!(service.drop_cells(&id, &places).unwrap(), places.len());
        let payload = service.payload(&id).unwrap();
        prop_assert!(payload.bytes == body);
        service.rest();
        let data_gone = places.iter().any(|at| at.row < 2 && at.column < 64);
        prop_assert_eq!(payload.rebuilt, if data_gone { places.len() } else { 0 });
        if !data_gone {
            // Nobody missed them: a restart would; here they are asked for.
            service.inner.mend(&id);
            service.rest();
        }
        prop_assert!(service.all_cells(&id) == before);
    });
}

#[test]
fn dam_12_three_quarters_can_go_where_rows_and_columns_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let body = bytes(4 * ROW, 6);
    let accepted = service.put_and_rest(&body);
    let before = service.all_cells(&accepted.id);
    let geometry = service.presence(&accepted.id).geometry();
    let gone: Vec<_> = geometry.positions().filter(|at| at.row < 4 || at.column < 64).collect();
    service.drop_cells(&accepted.id, &gone).unwrap();
    assert_eq!(service.presence(&accepted.id).count(), 256);
    assert_eq!(service.payload(&accepted.id).unwrap().bytes, body);
    service.rest();
    assert!(service.all_cells(&accepted.id) == before);
}

#[test]
fn dam_12_the_smallest_set_that_can_be_lost_is_reported_as_that_and_one_cell_more_saves_it() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let body = bytes(ROW, 7);
    let id = service.put_and_rest(&body).id;
    let corner = service.cells(&id, &[at(0, 0)]).unwrap();
    // (R + 1) · 65: both rows, columns 0 to 64.
    let gone: Vec<_> = (0..2).flat_map(|row| (0..65).map(move |column| at(row, column))).collect();
    assert_eq!(service.drop_cells(&id, &gone).unwrap(), 130);
    let lost = service.payload(&id).unwrap_err();
    let ServiceError::Lost { smallest: true, what, .. } = &lost else { panic!("{lost}") };
    assert!(what.contains("130 cells in 2 rows and 65 columns"), "{what}");
    service.inner.mend(&id);
    service.rest();
    assert!(service.failure(&id).unwrap().contains("is lost here"), "a repair says it too");
    assert!(!service.status(&id).unwrap().unwrap().is_held());
    let cell = corner.into_iter().map(Option::unwrap).collect();
    service.store().put(&crate::VerifiedCells::computed_here(id, cell)).unwrap();
    assert_eq!(service.payload(&id).unwrap().bytes, body);
}

#[test]
fn dam_12_a_set_that_is_lost_and_not_the_smallest_is_not_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let id = service.put_and_rest(b"body").id;
    let all: Vec<_> = service.presence(&id).geometry().positions().collect();
    service.drop_cells(&id, &all).unwrap();
    let lost = service.payload(&id).unwrap_err();
    assert!(matches!(&lost, ServiceError::Lost { smallest: false, .. }), "{lost}");
}

#[test]
fn dam_11_a_cell_that_the_disk_spoilt_is_not_given_out_nor_attested_and_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let mut chain = Chain::at(10);
    let accepted = service.put_and_rest(b"body");
    let id = accepted.id;
    let before = service.all_cells(&id);
    service.on_block(10, &[chain.publish(id, 1, 1_000)]);
    assert_eq!(service.attestable(&chain).unwrap(), [id]);
    let file = folder.path().join("cells/blobs").join(hex::encode(id));
    let file = std::fs::File::options().write(true).open(file).unwrap();
    let record = crate::layout::record_offset(service.presence(&id).geometry().index(at(1, 3)).unwrap());
    file.write_all_at(&[0xee; 8], record + 100).unwrap();
    assert_eq!(service.cells(&id, &[at(1, 3)]).unwrap(), [None]);
    service.rest();
    assert_eq!(service.attestable(&chain).unwrap(), [id], "whole again");
    assert!(service.all_cells(&id) == before);
}

#[test]
fn dam_12_stored_cells_that_contradict_each_other_are_named_and_never_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let id = service.put_and_rest(&bytes(ROW, 9)).id;
    // A cell of another place with a right checksum: only arithmetic can tell.
    let CellRead::Found(mut cell) = service.store().get_cell(&id, at(0, 9)).unwrap() else { panic!() };
    cell.at = at(0, 5);
    service.drop_cells(&id, &[at(0, 5), at(0, 6)]).unwrap();
    service.store().put(&crate::VerifiedCells::computed_here(id, vec![cell])).unwrap();
    let refused = service.payload(&id).unwrap_err();
    assert!(
        matches!(refused, ServiceError::Contradiction { .. } | ServiceError::Corrupt { .. }),
        "{refused}"
    );
}
