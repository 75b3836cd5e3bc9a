//! The store, on both databases.

use chlom_lane::Receipt;
use chlom_operator::{
    Store, StoreError,
    store::{Adopted, Answer, BatchState, Lane, NewBatch, Outcome, Place, Request},
};
use chlom_royalty::Period;

use crate::stores::{each, order, payer, root, various, week};

fn waiting(store: &Store, lane: &Lane) -> Vec<(Place, Receipt)> {
    store
        .waiting(lane, week())
        .map(|found| found.map(|found| (found.place, found.receipt)).unwrap())
        .collect()
}

fn batch(number: u32, elements: &[u8]) -> NewBatch<'_> {
    NewBatch { period: week(), number, header: b"header", root: root(number.into()), elements }
}

#[test]
fn receipts_of_every_shape_come_back_as_they_were_and_in_order() {
    each(|store, lane| {
        let all: Vec<Receipt> = (0..10_000).map(various).collect();
        for part in all.chunks(3_333) {
            assert!(store.add(lane, part).unwrap().iter().all(|outcome| *outcome == Outcome::New));
        }
        let found: Vec<Receipt> = waiting(store, lane).into_iter().map(|(_, receipt)| receipt).collect();
        assert!(found == all, "the very same, in the order in which they came");
        assert_eq!(store.waiting_periods(lane).unwrap(), [week()]);
        // By another connection, which knows no source yet.
        assert_eq!(waiting(&store.again().unwrap(), lane).len(), 10_000);
    });
}

#[test]
fn an_id_is_unique_for_ever_in_its_lane_payer_and_source() {
    each(|store, lane| {
        let first = order("A-1", 100);
        assert_eq!(store.add(lane, std::slice::from_ref(&first)).unwrap(), [Outcome::New]);
        assert_eq!(
            store.add(lane, &[first.clone(), order("A-1", 101)]).unwrap(),
            [Outcome::Known, Outcome::Conflict]
        );
        // In one call: the first has the id.
        let (b, other) = (order("B", 1), order("B", 2));
        let outcomes = store.add(lane, &[b.clone(), other, b, first]).unwrap();
        assert_eq!(outcomes, [Outcome::New, Outcome::Conflict, Outcome::Known, Outcome::Known]);
        let elsewhere = [
            Receipt { payer: payer(9), ..order("A-1", 7) },
            Receipt { source: chlom_lane::receipt::Name::new("web").unwrap(), ..order("A-1", 8) },
        ];
        assert_eq!(store.add(lane, &elsewhere).unwrap(), [Outcome::New, Outcome::New]);
        let retail = store.make_lane("retail-cpg", "USD", 2).unwrap();
        assert_eq!(store.add(&retail, &[order("A-1", 9)]).unwrap(), [Outcome::New]);
        assert_eq!(waiting(store, lane).len(), 4);
        assert_eq!(waiting(store, &retail).len(), 1);
    });
}

#[test]
fn a_receipt_is_in_one_batch_or_waits() {
    each(|store, lane| {
        let all: Vec<Receipt> = (0..9_000).map(various).collect();
        store.add(lane, &all).unwrap();
        let found = waiting(store, lane);
        let (odd, even): (Vec<_>, Vec<_>) =
            found.iter().map(|(place, _)| *place).enumerate().partition(|(n, _)| n % 2 == 1);
        let places =
            |these: Vec<(usize, Place)>| these.into_iter().map(|(_, place)| place).collect::<Vec<_>>();
        let (odd, even) = (places(odd), places(even));
        let id = store.take(lane, &batch(1, b"blob"), &odd).unwrap();
        assert_eq!(waiting(store, lane).len(), 4_500);
        assert!(matches!(
            store.take(lane, &batch(2, b"blob"), &odd[..1]),
            Err(StoreError::NotWaiting { .. })
        ));
        assert!(matches!(
            store.take(lane, &batch(2, b""), &[even[0], even[0]]),
            Err(StoreError::NotWaiting { .. })
        ));
        assert_eq!(
            store.last_batches(lane, 9).unwrap().len(),
            1,
            "nothing is left of a batch that was refused"
        );
        let second = store.take(lane, &batch(2, b"more"), &even).unwrap();
        assert!(waiting(store, lane).is_empty());

        store.void(id, "predecessor changed").unwrap();
        let back: Vec<Place> = waiting(store, lane).into_iter().map(|(place, _)| place).collect();
        assert_eq!(back, odd);
        assert_eq!(store.batch(id).unwrap().state, BatchState::Void);
        assert_eq!(store.blob(second).unwrap().as_deref(), Some(&b"more"[..]));
        store.forget_blob(second).unwrap();
        assert_eq!(store.blob(second).unwrap(), None);
    });
}

#[test]
fn what_is_set_aside_comes_back() {
    each(|store, lane| {
        store.add(lane, &[order("A", 1), order("B", 2)]).unwrap();
        let places: Vec<Place> = waiting(store, lane).into_iter().map(|(place, _)| place).collect();
        let aside = store.set_aside(lane, week(), "licence", "its licence is a draft", &places[..1]).unwrap();
        assert_eq!(waiting(store, lane).len(), 1);
        let known = store.asides(lane).unwrap();
        assert_eq!(
            (known[0].id, known[0].receipts, known[0].reason.as_str()),
            (aside, 1, "its licence is a draft")
        );
        assert_eq!(store.counts(lane).unwrap()[0].aside, 1);
        store.release(aside).unwrap();
        assert_eq!(waiting(store, lane).len(), 2);
        assert!(store.asides(lane).unwrap().is_empty());
    });
}

#[test]
fn a_batch_goes_its_way_one_step_at_a_time() {
    use BatchState::{Built, Final, Published, Settled, Submitted, Void};
    each(|store, lane| {
        store.add(lane, &[order("A", 1)]).unwrap();
        let places: Vec<Place> = waiting(store, lane).into_iter().map(|(place, _)| place).collect();
        let id = store.take(lane, &batch(7, b"blob"), &places).unwrap();
        assert!(matches!(store.advance(id, Published, Submitted, ""), Err(StoreError::State { .. })));
        assert!(matches!(store.advance(id, Built, Submitted, ""), Err(StoreError::State { .. })));
        assert!(matches!(store.advance(id, Built, Void, ""), Err(StoreError::State { .. })));
        assert!(matches!(store.advance(id + 1, Built, Published, ""), Err(StoreError::NoBatch(_))));
        let sent = store.record_sent(id, "publish", 0, root(1), b"raw").unwrap();
        store.record_outcome(sent, "included").unwrap();
        store.record_sent(id, "submit", 0, root(2), b"").unwrap();
        for (from, to) in [(Built, Published), (Published, Submitted), (Submitted, Final), (Final, Settled)] {
            assert_eq!(store.batches(lane, &[from]).unwrap().len(), 1);
            store.advance(id, from, to, "on its way").unwrap();
        }
        assert!(matches!(store.void(id, ""), Err(StoreError::State { .. })));
        let all = store.sent(id).unwrap();
        assert_eq!((all[0].outcome.as_deref(), all[0].raw.as_slice()), (Some("included"), &b"raw"[..]));
        assert_eq!((all[1].outcome.as_deref(), all[1].hash), (None, root(2)));
        let batch = store.batch(id).unwrap();
        assert_eq!(
            (batch.number, batch.receipts, batch.root, batch.note.as_str()),
            (7, 1, root(7), "on its way")
        );
        store.set_note("cursor", "1").unwrap();
        store.set_note("cursor", "2").unwrap();
        assert_eq!(store.get_note("cursor").unwrap().as_deref(), Some("2"));
    });
}

#[test]
fn one_process_leads_a_lane() {
    each(|store, lane| {
        let other = store.again().unwrap();
        let mut lead = store.lead(lane).unwrap().expect("nobody leads");
        assert!(other.lead(lane).unwrap().is_none());
        lead.check().unwrap();
        let retail = store.make_lane("retail-cpg", "USD", 2).unwrap();
        assert!(other.lead(&retail).unwrap().is_some(), "another lane is another lead");
        drop(lead);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        // A server notices in its own time that a connection has ended.
        while other.lead(lane).unwrap().is_none() {
            assert!(std::time::Instant::now() < end, "the lead is never given back");
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_request_that_is_repeated_gets_the_same_answer() {
    each(|store, lane| {
        let name = Some(("order of monday".to_owned(), [1; 32]));
        let request = Request { key: 1, name: name.clone(), receipts: vec![order("A", 1), order("B", 2)] };
        let describe = |_: usize, outcomes: &[Outcome]| format!("{outcomes:?}");
        let done = Answer::Done(vec![Outcome::New; 2], "[New, New]".into());
        let again = Answer::Again("[New, New]".into());
        // Twice in one commit, and once more later.
        let both = [request.clone(), request.clone()];
        assert_eq!(store.carry_out(lane, &both, describe).unwrap(), [done, again.clone()]);
        assert_eq!(store.carry_out(lane, &both[..1], describe).unwrap(), [again]);
        let other = Request { name: Some(("order of monday".into(), [2; 32])), ..request.clone() };
        assert_eq!(store.carry_out(lane, &[other], describe).unwrap(), [Answer::OtherContent]);
        // Names are each key's own.
        let theirs = Request { key: 2, ..request };
        let done = Answer::Done(vec![Outcome::Known; 2], "[Known, Known]".into());
        assert_eq!(store.carry_out(lane, &[theirs], describe).unwrap(), [done]);
        assert_eq!(waiting(store, lane).len(), 2);
        assert_eq!(store.forget_requests(u64::MAX).unwrap(), 2);
    });
}

#[test]
fn a_key_is_known_by_its_hash_and_can_be_revoked() {
    each(|store, lane| {
        let source = chlom_lane::receipt::Name::new("shop").unwrap();
        let (key, secret) = store.add_key(lane, payer(3), &source, "the shop's", 500).unwrap();
        assert_eq!(store.key_of_secret(secret.expose()).unwrap(), Some(key.clone()));
        assert_eq!((key.payer, key.source.clone(), key.per_second), (payer(3), source.clone(), 500));
        let mut forged = secret.expose().to_owned();
        forged.replace_range(12..13, if &forged[12..13] == "0" { "1" } else { "0" });
        for secret in [forged.as_str(), "", "chlom_key_", &secret.expose()[1..], &"x".repeat(1_000)] {
            assert_eq!(store.key_of_secret(secret).unwrap(), None);
        }
        assert!(store.revoke_key(key.id).unwrap());
        assert!(!store.revoke_key(key.id).unwrap());
        assert_eq!(store.key_of_secret(secret.expose()).unwrap(), None);
        assert!(store.keys().unwrap()[0].revoked.is_some());
        // Not in the database, not even in part.
        let (_, other) = store.add_key(lane, payer(3), &source, "", 1).unwrap();
        assert_ne!(other.expose(), secret.expose());
    });
}

#[test]
fn contents_are_removed_after_their_time_and_ids_stay_taken() {
    each(|store, lane| {
        let next = Period::new(20_250_902).unwrap();
        let later = Receipt { time: next.start(), ..order("B", 2) };
        store.add(lane, &[order("A", 1), later.clone()]).unwrap();
        let gone = store.retire(lane, next).unwrap().unwrap();
        assert_eq!((gone.receipts, gone.before), (1, next));
        assert_eq!(store.retire(lane, next).unwrap(), None);
        assert_eq!(store.retired(lane).unwrap(), [gone]);
        assert!(waiting(store, lane).is_empty());
        assert_eq!(store.add(lane, &[order("A", 1), later]).unwrap(), [Outcome::Retired, Outcome::Known]);
        let counts = store.counts(lane).unwrap();
        assert_eq!((counts[0].retired, counts[0].receipts, counts[1].waiting), (1, 1, 1));
    });
}

#[test]
fn opr_9_retention_is_once_a_day_whoever_does_it() {
    each(|store, lane| {
        let other = store.again().unwrap();
        let period = Period::new(20_250_902).unwrap();
        let month = 2_629_746;
        store.add(lane, &[order("A", 1)]).unwrap();
        // A second before it is 24 months old.
        let due = period.start() + 24 * month;
        assert_eq!(store.retire_daily(lane, due - 1, 24).unwrap(), None);
        assert_eq!(store.retention_looked(lane).unwrap(), Some(due - 1));
        // It was looked at within a day, by whomever.
        assert_eq!(other.retire_daily(lane, due, 24).unwrap(), None);
        assert_eq!(waiting(store, lane).len(), 1);
        let gone = other.retire_daily(lane, due - 1 + 86_400, 24).unwrap().unwrap();
        assert_eq!((gone.receipts, gone.before), (1, period));
        assert_eq!(store.retired(lane).unwrap(), [gone]);
        // Nothing is left to remove, and a clock that was put back does not stop it for ever.
        assert_eq!(store.retire_daily(lane, due + 3 * 86_400, 24).unwrap(), None);
        store.add(lane, &[order("B", 2)]).unwrap();
        assert_eq!(store.retire_daily(lane, due, 24).unwrap().map(|gone| gone.receipts), Some(1));
        // However few months are asked for, batches may come until 60 days after.
        store.add(lane, &[order("C", 3)]).unwrap();
        let late = period.start() + 60 * 86_400;
        assert_eq!(store.retire_daily(lane, late - 1, 0).unwrap(), None);
        assert!(store.retire_daily(lane, late - 1 + 86_400, 0).unwrap().is_some());
    });
}

#[test]
fn instances_may_add_at_the_same_time_and_each_receipt_is_new_once() {
    each(|store, lane| {
        let all: Vec<Receipt> = (0..4_000).map(various).collect();
        let news: usize = std::thread::scope(|scope| {
            let add = |turn: usize| {
                let (store, mut all) = (store.again().unwrap(), all.clone());
                // Each in another order.
                let cut = turn * 900;
                all.rotate_left(cut);
                scope.spawn(move || {
                    let outcomes = all.chunks(500).flat_map(|part| store.add(lane, part).unwrap());
                    outcomes.filter(|outcome| *outcome == Outcome::New).count()
                })
            };
            let threads: Vec<_> = (0..4).map(add).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(news, 4_000);
        assert_eq!(waiting(store, lane).len(), 4_000);
    });
}

#[test]
fn a_lane_counts_in_one_currency_for_ever() {
    each(|store, _| {
        assert!(matches!(store.make_lane("adluxe", "EUR", 6), Err(StoreError::Currency { .. })));
        assert!(matches!(store.make_lane("adluxe", "USD", 2), Err(StoreError::Currency { .. })));
        assert!(matches!(store.lane("nowhere"), Err(StoreError::NoLane(_))));
        assert_eq!(store.lanes().unwrap().len(), 1);
    });
}

#[test]
fn a_url_that_is_none_is_refused_without_its_password() {
    for url in ["mysql://me:secret@host/db", "postgres://me:secret@host:port/db", "store.sqlite", ""] {
        let error = Store::open(url).err().unwrap().to_string();
        assert!(error.contains("sqlite://") && !error.contains("secret"), "{error}");
    }
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    drop(Store::open_file(&path).unwrap());
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute("INSERT INTO versions (version, at) VALUES (99, 0)", []).unwrap();
    assert!(matches!(Store::open_file(&path), Err(StoreError::Version { found: 99, .. })));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = Store::open_file(&path).unwrap();
    let lane = store.make_lane("adluxe", "USD", 6).unwrap();
    store.add(&lane, &(0..50).map(various).collect::<Vec<_>>()).unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    let whole: Vec<u8> = raw.query_row("SELECT content FROM chunks", [], |row| row.get(0)).unwrap();
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x81;
        raw.execute("UPDATE chunks SET content = ?", [&bytes]).unwrap();
        refused += usize::from(store.waiting(&lane, week()).any(|found| found.is_err()));
        bytes.truncate(at);
        raw.execute("UPDATE chunks SET content = ?", [&bytes]).unwrap();
        assert!(store.waiting(&lane, week()).any(|found| found.is_err()), "cut at {at}");
    }
    assert!(refused > 0);
}

#[test]
fn opr_8_batches_of_others_are_adopted_once_and_known_by_their_receipts_until_they_are_void() {
    each(|store, lane| {
        let key = |number: u8| [number; 16];
        let adopted = |number: u64, state| Adopted {
            period: week(),
            number: 1,
            header: b"header",
            root: root(number),
            receipts: 3,
            state,
        };
        assert!(store.known(lane, &[key(1)]).unwrap().is_empty());
        store.adopt(lane, &adopted(1, BatchState::Submitted)).unwrap();
        store.adopt(lane, &adopted(1, BatchState::Final)).unwrap();
        assert!(store.has_batch(lane, root(1)).unwrap() && !store.has_batch(lane, root(2)).unwrap());
        let unread = store.unread(lane).unwrap();
        assert_eq!(unread.len(), 1, "it is there once");
        assert!(unread[0].adopted && unread[0].unread && unread[0].state == BatchState::Submitted);
        let id = unread[0].id;
        store.read_adopted(lane, id, Some(b"elements"), &[key(1), key(2), key(1)]).unwrap();
        store.read_adopted(lane, id, Some(b"elements"), &[key(1), key(2), key(1)]).unwrap();
        assert!(store.unread(lane).unwrap().is_empty());
        assert_eq!(store.blob(id).unwrap().as_deref(), Some(&b"elements"[..]));
        // Another one has one of them too; more keys than are looked up at once.
        store.adopt(lane, &adopted(2, BatchState::Settled)).unwrap();
        let second = store.unread(lane).unwrap()[0].id;
        store.read_adopted(lane, second, None, &[key(2)]).unwrap();
        assert_eq!(store.blob(second).unwrap(), None);
        let many: Vec<_> =
            (0..20_005u32).map(|number| if number % 5_001 == 7 { key(2) } else { key(9) }).collect();
        let found = store.known(lane, &many).unwrap();
        assert_eq!(found.iter().map(|known| known.at).collect::<Vec<_>>(), [7, 5_008, 10_009, 15_010]);
        assert!(found.iter().all(|known| known.batch == id), "the first that has it");
        // They are no receipts of this store.
        assert!(store.counts(lane).unwrap().is_empty());
        store.void(id, "a fraud").unwrap();
        assert!(store.known(lane, &[key(1)]).unwrap().is_empty());
        assert_eq!(store.known(lane, &[key(2)]).unwrap()[0].batch, second);
    });
}

#[test]
fn opr_8_ones_own_batch_that_was_given_up_is_adopted_when_the_chain_has_it_all_the_same() {
    each(|store, lane| {
        store.add(lane, &[order("A", 1)]).unwrap();
        let places: Vec<Place> = waiting(store, lane).into_iter().map(|(place, _)| place).collect();
        let new = batch(7, b"blob");
        let id = store.take(lane, &new, &places).unwrap();
        assert!(store.has_batch(lane, new.root).unwrap());
        store.void(id, "given up").unwrap();
        assert!(!store.has_batch(lane, new.root).unwrap());
        let NewBatch { period, number, header, root, .. } = new;
        store
            .adopt(lane, &Adopted { period, number, header, root, receipts: 1, state: BatchState::Submitted })
            .unwrap();
        assert_eq!(store.unread(lane).unwrap()[0].root, root);
    });
}
