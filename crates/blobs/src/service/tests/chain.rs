//! Publication, attestation, expiry.

use super::*;

const HOUR: u64 = 3_600;

fn service(folder: &Path, chain: &Chain) -> BlobService {
    let service = open(folder);
    service.follow(chain, chain.time).unwrap();
    service
}

#[test]
fn dam_11_a_blob_is_attested_from_its_publication_until_the_state_shows_that_it_is_available() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let service = service(folder.path(), &chain);
    let id = service.put_and_rest(b"body").id;
    assert!(service.attestable(&chain).unwrap().is_empty(), "nobody published it");
    service.on_block(100, &[chain.publish(id, 1, 5_000)]);
    assert_eq!(service.attestable(&chain).unwrap(), [id]);
    assert_eq!(
        service.attestable(&chain).unwrap(),
        [id],
        "repeated: the first statement may not have arrived"
    );
    chain.attest(vec![id]);
    assert!(service.attestable(&chain).unwrap().is_empty());
    assert!(service.inner.state.lock().awaiting.is_empty(), "and it is not looked at any more");
    service.on_block(200, &[chain.publish(id, 1, 6_000)]);
    assert_eq!(service.attestable(&chain).unwrap(), [id], "published again, it is attested anew");
}

#[test]
fn dam_11_nothing_is_attested_whose_cells_are_not_all_stored() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let service = service(folder.path(), &chain);
    let known = service.put_and_rest(b"body").id;
    let strange = B256::repeat_byte(7);
    service.on_block(100, &[chain.publish(known, 1, 5_000), chain.publish(strange, 1, 5_000)]);
    assert_eq!(service.attestable(&chain).unwrap(), [known]);
    service.drop_cells(&known, &[at(1, 127)]).unwrap();
    assert!(service.attestable(&chain).unwrap().is_empty());
    service.payload(&known).unwrap();
    service.inner.mend(&known);
    service.rest();
    assert_eq!(service.attestable(&chain).unwrap(), [known]);
}

#[test]
fn dam_11_a_blob_published_before_its_body_arrives_is_attested_once_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let service = service(folder.path(), &chain);
    let id = service.put_and_rest(b"body").id;
    service.store().remove(&id).unwrap();
    service.inner.state.lock().lost(&id);
    service.on_block(100, &[chain.publish(id, 1, 5_000)]);
    service.rest();
    assert_eq!(service.put_and_rest(b"body").id, id);
    assert_eq!(service.attestable(&chain).unwrap(), [id]);
    service.rest();
    assert_eq!(service.store().meta(&id).unwrap().expires_at, 5_000, "and kept for as long as was paid for");
}

#[test]
fn dam_12_blobs_go_with_their_expiry_and_what_nobody_published_after_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let service = service(folder.path(), &chain);
    let paid = service.put_and_rest(b"paid").id;
    let unpaid = service.put_and_rest(b"unpaid").id;
    service.on_block(100, &[chain.publish(paid, 1, 9_000)]);
    service.on_block(100 + HOUR - 1, &[]);
    service.rest();
    assert!(service.store().contains(&unpaid));
    service.on_block(100 + HOUR, &[]);
    service.rest();
    assert!(!service.store().contains(&unpaid) && service.store().contains(&paid));
    assert_eq!(service.status(&unpaid).unwrap(), None);
    service.on_block(8_999, &[]);
    service.rest();
    assert!(service.store().contains(&paid), "available until its expiry");
    service.on_block(9_000, &[]);
    service.rest();
    assert!(!service.store().contains(&paid));
    assert!(files(folder.path()).is_empty());
}

#[test]
fn dam_12_after_a_start_nothing_is_removed_before_the_state_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let first = service(folder.path(), &chain);
    let id = first.put_and_rest(b"body").id;
    // The block that publishes it is durable, and the node stops before the service hears of it.
    chain.publish(id, 1, 50_000);
    drop(first);
    let second = open(folder.path());
    second.on_block(100 + 2 * HOUR, &[]);
    second.rest();
    assert!(second.store().contains(&id), "its local expiry is over, and the chain was not asked");
    second.follow(&chain, 100 + 2 * HOUR).unwrap();
    second.rest();
    assert_eq!(second.store().meta(&id).unwrap().expires_at, 50_000);
    assert_eq!(second.attestable(&chain).unwrap(), [id], "and it is attested");
}

#[test]
fn dam_11_a_chain_that_went_back_is_followed_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let service = service(folder.path(), &chain);
    let id = service.put_and_rest(b"body").id;
    service.on_block(100, &[chain.publish(id, 1, 5_000)]);
    let before = chain.storage.clone();
    chain.attest(service.attestable(&chain).unwrap());
    assert!(service.attestable(&chain).unwrap().is_empty());
    chain.storage = before;
    service.follow(&chain, 100).unwrap();
    assert_eq!(service.attestable(&chain).unwrap(), [id]);
}

#[test]
fn dam_11_one_statement_names_96_blobs_and_the_others_have_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::at(100);
    let service = service(folder.path(), &chain);
    let all: Vec<_> = (0..200_u8).map(B256::repeat_byte).collect();
    service.inner.state.lock().held.extend(&all);
    let published: Vec<_> = all.iter().map(|id| chain.publish(*id, 1, 5_000)).collect();
    service.on_block(100, &published);
    let mut said = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let statement = service.attestable(&chain).unwrap();
        assert!(statement.len() <= 96);
        said.extend(statement.iter().copied());
        chain.attest(statement);
    }
    assert_eq!(said.len(), 200);
}
