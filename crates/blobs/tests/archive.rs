//! The archive from outside, in a folder.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test binary of an edge crate"
)]

use std::{fs, path::PathBuf};

use alloy_primitives::B256;
use chlom_blobs::{
    BlobConfig, BlobMeta, BlobStore, Cell, Geometry, VerifiedCells,
    archive::{Archive, ArchiveError, Archived, Sharding},
};

struct Fixture {
    folder: tempfile::TempDir,
    archive: Archive,
    meta: BlobMeta,
    data: Vec<u8>,
}

fn meta(rows: u16) -> BlobMeta {
    let commitments = (0..rows).map(|row| [row as u8; 48]).collect();
    let geometry = Geometry::new(rows).unwrap();
    BlobMeta {
        id: B256::repeat_byte(rows as u8),
        geometry,
        header: [7; 109],
        commitments,
        expires_at: u64::MAX,
    }
}

fn data(rows: u16) -> Vec<u8> {
    (0..Geometry::new(rows).unwrap().data_bytes())
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

fn fixture(rows: u16) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path(), Sharding::default()).unwrap();
    Fixture { folder, archive, meta: meta(rows), data: data(rows) }
}

impl Fixture {
    async fn put(&self) -> Archived {
        self.archive.put(&self.meta, self.data.clone()).await.unwrap()
    }

    fn shard(&self, index: u8) -> PathBuf {
        self.folder
            .path()
            .join("blobs")
            .join(hex::encode(self.meta.id))
            .join("4-of-6")
            .join(index.to_string())
    }

    fn damage(&self, index: u8) {
        let mut bytes = fs::read(self.shard(index)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(self.shard(index), bytes).unwrap();
    }
}

#[tokio::test]
async fn blobs_of_every_size_come_back_from_any_four_of_six_shards() {
    for rows in [1, 2, 4, 8, 16, 32] {
        let f = fixture(rows);
        assert_eq!(f.put().await, Archived { uploaded: 6, already: 0 });
        let (first, second) = ((rows % 6) as u8, ((rows + 1) % 6) as u8);
        fs::remove_file(f.shard(first)).unwrap();
        f.damage(second);
        let restored = f.archive.restore(&f.meta.id).await.unwrap();
        assert_eq!((&restored.meta, &restored.data), (&f.meta, &f.data), "{rows} rows");
    }
}

#[tokio::test]
async fn two_lost_shards_lose_nothing_and_three_are_reported_with_their_reasons() {
    let f = fixture(1);
    f.put().await;
    for first in 0..6 {
        for second in 0..first {
            f.archive.repair(&f.meta.id).await.unwrap();
            fs::remove_file(f.shard(first)).unwrap();
            f.damage(second);
            assert_eq!(
                f.archive.restore(&f.meta.id).await.unwrap().data,
                f.data,
                "without {first} and {second}"
            );
        }
    }
    f.archive.repair(&f.meta.id).await.unwrap();
    fs::remove_file(f.shard(5)).unwrap();
    f.damage(0);
    fs::write(f.shard(3), "not a shard").unwrap();
    let lost = f.archive.restore(&f.meta.id).await.unwrap_err();
    let ArchiveError::Lost { good: 3, needed: 4, damaged, .. } = &lost else { panic!("{lost}") };
    assert!(damaged[0].ends_with("0: its checksum does not match"), "{lost}");
    assert!(damaged[1].ends_with("3: it is no shard"), "{lost}");
}

#[tokio::test]
async fn archiving_twice_writes_nothing_and_an_interrupted_upload_is_resumed() {
    let f = fixture(2);
    f.put().await;
    assert_eq!(f.put().await, Archived { uploaded: 0, already: 6 });
    fs::remove_file(f.shard(2)).unwrap();
    fs::write(f.shard(4), "half of").unwrap();
    assert_eq!(f.put().await, Archived { uploaded: 2, already: 4 });
    assert!(f.archive.audit(&f.meta.id).await.unwrap().is_whole());
}

#[tokio::test]
async fn an_audit_names_every_bad_shard_and_a_repair_makes_them_whole() {
    let f = fixture(4);
    f.put().await;
    let before = fs::read(f.shard(1)).unwrap();
    fs::remove_file(f.shard(5)).unwrap();
    f.damage(1);
    let audit = f.archive.repair(&f.meta.id).await.unwrap();
    assert_eq!((audit.good, audit.missing, audit.damaged), (vec![0, 2, 3, 4], vec![5], vec![1]));
    assert!(f.archive.audit(&f.meta.id).await.unwrap().is_whole());
    assert_eq!(fs::read(f.shard(1)).unwrap(), before, "the same bytes");
}

#[tokio::test]
async fn a_swapped_shard_is_found_out() {
    let f = fixture(1);
    f.put().await;
    fs::copy(f.shard(0), f.shard(1)).unwrap();
    let other = Fixture { meta: meta(2), data: data(2), ..fixture(2) };
    other.put().await;
    fs::copy(other.shard(2), f.shard(2)).unwrap();
    let audit = f.archive.audit(&f.meta.id).await.unwrap();
    assert_eq!(audit.damaged, [1, 2]);
    assert_eq!(f.archive.restore(&f.meta.id).await.unwrap().data, f.data);
}

#[tokio::test]
async fn shards_of_two_bodies_under_one_name_are_never_mixed() {
    let f = fixture(1);
    f.put().await;
    let forged = Fixture {
        meta: BlobMeta { header: [8; 109], ..f.meta.clone() },
        data: vec![1; f.data.len()],
        ..fixture(1)
    };
    forged.put().await;
    fs::copy(forged.shard(0), f.shard(0)).unwrap();
    fs::copy(forged.shard(1), f.shard(1)).unwrap();
    let restored = f.archive.restore(&f.meta.id).await.unwrap();
    assert_eq!((restored.meta, restored.data), (f.meta.clone(), f.data.clone()), "four agree, two do not");
    fs::copy(forged.shard(2), f.shard(2)).unwrap();
    assert!(matches!(f.archive.restore(&f.meta.id).await, Err(ArchiveError::Lost { good: 3, .. })));
}

#[tokio::test]
async fn an_object_too_large_for_a_shard_is_not_read() {
    let f = fixture(1);
    f.put().await;
    fs::File::options().write(true).open(f.shard(0)).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(f.archive.audit(&f.meta.id).await.unwrap().damaged, [0]);
    assert_eq!(f.archive.restore(&f.meta.id).await.unwrap().data, f.data);
}

#[tokio::test]
async fn blobs_archived_with_another_sharding_are_still_restored_and_can_be_moved_to_the_new_one() {
    let f = fixture(2);
    f.put().await;
    let now = Archive::folder(f.folder.path(), Sharding::new(3, 5).unwrap()).unwrap();
    fs::write(f.folder.path().join("blobs").join(hex::encode(f.meta.id)).join("notes"), "a stranger's")
        .unwrap();
    assert_eq!(now.restore(&f.meta.id).await.unwrap().data, f.data);
    assert_eq!(now.repair(&f.meta.id).await.unwrap().missing.len(), 8);
    fs::remove_dir_all(f.shard(0).parent().unwrap()).unwrap();
    assert_eq!(now.restore(&f.meta.id).await.unwrap().data, f.data, "data that three do not divide");
}

#[tokio::test]
async fn what_is_not_there_is_unknown_and_removal_is_complete() {
    let f = fixture(1);
    assert!(matches!(f.archive.restore(&f.meta.id).await, Err(ArchiveError::Unknown { .. })));
    assert_eq!(f.archive.audit(&f.meta.id).await.unwrap().missing.len(), 6);
    f.put().await;
    assert_eq!(f.archive.remove(&f.meta.id).await.unwrap(), 6);
    assert_eq!(f.archive.remove(&f.meta.id).await.unwrap(), 0);
    assert!(matches!(f.archive.restore(&f.meta.id).await, Err(ArchiveError::Unknown { .. })));
}

#[tokio::test]
async fn a_square_of_the_wrong_size_is_refused() {
    let f = fixture(2);
    for size in [0, f.data.len() - 1, f.data.len() + 1] {
        let refused = f.archive.put(&f.meta, vec![0; size]).await.unwrap_err();
        assert!(matches!(refused, ArchiveError::WrongSize { got, want: 262_144, .. } if got == size));
    }
    let short = BlobMeta { commitments: vec![], ..f.meta.clone() };
    assert!(matches!(f.archive.put(&short, f.data.clone()).await, Err(ArchiveError::Blob(_))));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Archive::folder(&file.join("archive"), Sharding::default()).unwrap_err();
    assert!(refused.to_string().contains("file/archive"), "{refused}");
}

#[tokio::test]
async fn a_blob_goes_from_the_store_to_the_archive_and_back() {
    let (f, folder) = (fixture(4), tempfile::tempdir().unwrap());
    let store = BlobStore::open(BlobConfig::new(folder.path())).unwrap();
    let cells = f.meta.geometry.data_positions().zip(f.data.chunks(2048));
    let cells: Vec<_> = cells
        .map(|(at, bytes)| Cell { at, bytes: Box::new(bytes.try_into().unwrap()), proof: [3; 48] })
        .collect();
    store.create(&f.meta).unwrap();
    store.put(&VerifiedCells::computed_here(f.meta.id, cells)).unwrap();
    f.archive.put(&store.meta(&f.meta.id).unwrap(), store.data_square(&f.meta.id).unwrap()).await.unwrap();
    store.remove(&f.meta.id).unwrap();
    let restored = f.archive.restore(&f.meta.id).await.unwrap();
    assert_eq!((restored.meta, restored.data, restored.damaged), (f.meta.clone(), f.data.clone(), vec![]));
}
