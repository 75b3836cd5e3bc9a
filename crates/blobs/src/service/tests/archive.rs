//! What outlives a blob's expiry.

use super::*;
use crate::archive::{Archive, Sharding};

fn archive(folder: &Path) -> Archive {
    Archive::folder(folder, Sharding::default()).unwrap()
}

/// A blob that was available, archived, and has expired here.
fn expired(folder: &Path, archived: &Path, body: &[u8]) -> (BlobService, Accepted) {
    let with = ServiceConfig { archive: Some(archive(archived)), ..config(folder) };
    let service = BlobService::open(with).unwrap();
    let mut chain = Chain::at(100);
    service.follow(&chain, 100).unwrap();
    let accepted = service.put_and_rest(body);
    service.on_block(100, &[chain.publish(accepted.id, 1, 9_000)]);
    chain.attest(service.attestable(&chain).unwrap());
    assert!(files(archived).is_empty(), "not before it is available");
    service.attestable(&chain).unwrap();
    service.rest();
    assert_eq!(files(archived).len(), 6);
    service.on_block(9_000, &[]);
    service.rest();
    assert!(!service.store().contains(&accepted.id));
    (service, accepted)
}

#[test]
fn dam_14_an_available_blob_is_archived_and_comes_back_after_its_expiry_whatever_two_shards_are_lost() {
    let (folder, archived) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let body = bytes(ROW, 11);
    let (service, accepted) = expired(folder.path(), archived.path(), &body);
    let payload = service.payload(&accepted.id).unwrap();
    assert_eq!((payload.bytes, payload.meta.header), (body.clone(), accepted.header));
    let shards = archived.path().join("blobs").join(hex::encode(accepted.id)).join("4-of-6");
    std::fs::remove_file(shards.join("0")).unwrap();
    std::fs::write(shards.join("3"), b"spoilt").unwrap();
    assert_eq!(service.payload(&accepted.id).unwrap().bytes, body);
    std::fs::remove_file(shards.join("1")).unwrap();
    assert!(matches!(service.payload(&accepted.id), Err(ServiceError::Archive(_))));
    let nobody = service.payload(&B256::repeat_byte(5)).unwrap_err();
    assert!(matches!(nobody, ServiceError::Store(BlobError::Unknown { .. })), "{nobody}");
}

#[test]
fn dam_14_what_somebody_else_put_into_the_archive_is_refused() {
    let (folder, archived) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (service, accepted) = expired(folder.path(), archived.path(), b"body");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kept = archive(archived.path());
    let honest = runtime.block_on(kept.restore(&accepted.id)).unwrap();
    let forge = |meta: BlobMeta, data: Vec<u8>| {
        runtime.block_on(kept.remove(&accepted.id)).unwrap();
        runtime.block_on(kept.put(&meta, data)).unwrap();
        service.payload(&accepted.id).unwrap_err()
    };
    let mut data = honest.data.clone();
    data[31] ^= 1;
    let other = forge(honest.meta.clone(), data);
    assert!(matches!(other, ServiceError::Corrupt { .. }), "{other}");
    let mut data = honest.data.clone();
    data[0] = 0xff;
    let not_canonical = forge(honest.meta.clone(), data);
    assert!(matches!(not_canonical, ServiceError::Forged { .. }), "{not_canonical}");
    // Another blob, whole and consistent, under this name.
    let mut header = honest.meta.header;
    header[24] ^= 1;
    let renamed = forge(BlobMeta { header, ..honest.meta.clone() }, honest.data.clone());
    assert!(matches!(renamed, ServiceError::Forged { .. }), "{renamed}");
    let commitments = vec![[0; 48]];
    let no_points = forge(BlobMeta { commitments, ..honest.meta }, honest.data);
    assert!(matches!(no_points, ServiceError::Forged { .. }), "{no_points}");
}

#[test]
fn dam_14_what_an_archive_that_is_out_did_not_take_is_offered_again_after_a_pause() {
    let (folder, archived) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let with = ServiceConfig { archive: Some(archive(archived.path())), ..config(folder.path()) };
    let service = BlobService::open(with).unwrap();
    service.check_archive().unwrap();
    let mut chain = Chain::at(100);
    service.follow(&chain, 100).unwrap();
    let blobs = [b"one", b"two"].map(|body| service.put_and_rest(body).id);
    service.on_block(100, &blobs.map(|id| chain.publish(id, 1, 9_000)));
    // A file where the folder of blobs should be: nothing can be written or listed.
    let in_the_way = archived.path().join("blobs");
    std::fs::write(&in_the_way, b"in the way").unwrap();
    chain.attest(service.attestable(&chain).unwrap());
    service.attestable(&chain).unwrap();
    service.rest();
    assert_eq!(files(archived.path()), ["blobs"]);
    for id in &blobs {
        assert_eq!(service.failure(id), None, "its cells are here: the blob has not failed");
        assert!(service.status(id).unwrap().unwrap().is_held());
    }
    // Still out when the first pause is over; the second one is twice as long.
    service.on_block(110, &[]);
    service.rest();
    std::fs::remove_file(&in_the_way).unwrap();
    service.on_block(129, &[]);
    service.rest();
    assert!(files(archived.path()).is_empty(), "not before the pause is over");
    service.on_block(130, &[]);
    service.rest();
    assert_eq!(files(archived.path()).len(), 12, "once it takes one it is offered the others");
    for id in &blobs {
        assert_eq!(files(&in_the_way.join(hex::encode(id))).len(), 6);
    }
}
