//! Bodies in, cells made, bodies out; what is refused.

use chlom_chain::blobs::blob_id;
use chlom_crypto::kzg::{BlobHeader, RowCommitments};

use super::*;

fn comes_back(rows: usize) {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let body = bytes((rows - 1) * ROW + 5_000.min(rows * ROW), rows as u64);
    let accepted = service.put_and_rest(&body);
    let header = BlobHeader::decode(&accepted.header).unwrap();
    assert_eq!((header.rows.data(), header.lane_id, header.period), (rows.next_power_of_two(), LANE, PERIOD));
    let commitments = RowCommitments::new(accepted.commitments.clone()).unwrap();
    assert_eq!(commitments.check_header(&header), Ok(()));
    assert_eq!(accepted.id, blob_id(&FixedBytes(LANE.into_array()), PERIOD, &header.merkle_root));
    assert_proven(&accepted, &service.all_cells(&accepted.id));
    let payload = service.payload(&accepted.id).unwrap();
    assert_eq!((payload.rebuilt, payload.bytes.len()), (0, header.rows.capacity()));
    let (found, zeros) = payload.bytes.split_at(body.len());
    assert!(found == body && zeros.iter().all(|byte| *byte == 0));
    assert!(work(folder.path()).is_empty(), "the body goes once its cells are durable");
}

#[test]
fn dam_9_bodies_of_1_2_and_3_rows_get_all_their_cells_and_come_back_byte_for_byte() {
    [1, 2, 3].into_iter().for_each(comes_back);
}

#[test]
fn dam_9_bodies_of_8_16_and_32_rows_get_all_their_cells_and_come_back_byte_for_byte_slow() {
    [8, 16, 32].into_iter().for_each(comes_back);
}

#[test]
fn dam_9_what_is_too_long_or_empty_is_refused_with_the_figures_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let service = BlobService::open(ServiceConfig { max_rows: 1, ..config(folder.path()) }).unwrap();
    assert!(matches!(service.begin_upload(Some(0)), Err(ServiceError::Empty)));
    assert!(matches!(service.begin_upload(Some(ROW as u64 + 1)), Err(ServiceError::TooLarge { most: ROW })));
    assert!(matches!(service.begin_upload(Some(u64::MAX)), Err(ServiceError::TooLarge { .. })));
    let upload = service.begin_upload(None).unwrap();
    assert!(matches!(upload.finish(LANE, PERIOD), Err(ServiceError::Empty)));
    let mut upload = service.begin_upload(None).unwrap();
    upload.write(&vec![1; ROW]).unwrap();
    assert!(
        matches!(upload.write(&[1]), Err(ServiceError::TooLarge { most: ROW })),
        "whatever was announced"
    );
    drop(upload);
    let mut upload = service.begin_upload(Some(10)).unwrap();
    upload.write(&[1; 5]).unwrap();
    drop(upload);
    assert!(files(folder.path()).is_empty(), "{:?}", files(folder.path()));
}

#[test]
fn dam_10_uploads_at_a_time_and_blobs_that_nobody_published_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let limits = ServiceConfig { uploads: 2, unpublished: 2, ..config(folder.path()) };
    let service = BlobService::open(limits).unwrap();
    let (first, second) = (service.begin_upload(None).unwrap(), service.begin_upload(None).unwrap());
    assert!(matches!(service.begin_upload(None), Err(ServiceError::Uploads { limit: 2 })));
    drop((first, second));
    service.put_and_rest(b"one");
    let two = service.put_and_rest(b"two");
    assert!(matches!(service.put(b"three"), Err(ServiceError::Unpublished { limit: 2 })));
    service.on_block(10, &[(two.id, 1_000)]);
    service.put_and_rest(b"three");
}

#[test]
fn dam_10_a_body_that_the_quota_has_no_room_for_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    // A blob of one row counts 12,288 + 256 · 2,104 bytes.
    let service = BlobService::open(ServiceConfig { quota_bytes: 550_000, ..config(folder.path()) }).unwrap();
    let refused = service.put(b"body").unwrap_err();
    assert!(matches!(refused, ServiceError::Store(BlobError::Quota { needed: 550_912, .. })), "{refused}");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn dam_9_the_same_body_again_changes_nothing_and_another_period_is_another_blob() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let first = service.put_and_rest(b"body");
    let cells = service.all_cells(&first.id);
    assert_eq!(service.put(b"body").unwrap(), first);
    service.rest();
    assert_eq!(service.all_cells(&first.id), cells);
    let mut upload = service.begin_upload(None).unwrap();
    upload.write(b"body").unwrap();
    let other = upload.finish(LANE, PERIOD + 1).unwrap();
    assert_ne!(other.id, first.id);
    assert_eq!(other.commitments, first.commitments);
}

#[test]
fn dam_9_two_bodies_for_one_header_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let service = open(folder.path());
    let accepted = service.put_and_rest(b"body");
    assert_ne!(service.put(b"bodY").unwrap().id, accepted.id);
    // Somebody else's body under the name that is known: found before a cell is made.
    service.rest();
    let directory = folder.path();
    service.drop_cells(&accepted.id, &[at(0, 0)]).unwrap();
    service.stop();
    drop(service);
    std::fs::write(directory.join("work").join(hex::encode(accepted.id)), b"bodY").unwrap();
    let service = open(directory);
    service.rest();
    let why = service.failure(&accepted.id).unwrap();
    assert!(why.contains("not what its commitments say"), "{why}");
    assert!(!service.status(&accepted.id).unwrap().unwrap().is_held());
}

#[test]
fn progress_goes_from_nothing_to_almost_all() {
    for rows in [1, 2, 32] {
        let all = 2 * rows + 256;
        let steps: Vec<_> = (0..=all + 10).map(|looks| super::build::percent(rows, looks)).collect();
        assert!(steps.is_sorted());
        assert_eq!((steps[0], steps[rows], steps[2 * rows], steps[all]), (0, 0, 75, 99));
    }
}
