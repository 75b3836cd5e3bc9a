//! The journal's file under every cut and every changed bit.

use std::{fs, path::Path};

use alloy_primitives::{B256, Bytes};
use proptest::prelude::*;

use super::{
    Journal, JournalError, Live, Record,
    format::{FormatError, GROUP, HEADER, Header, encode_group, encode_header, encode_record, scan},
};

const HEAD: Header = Header { chain_id: 7272, salt: *b"0123456789abcdef" };

fn tx(text: &str) -> Record {
    Record::Tx(Bytes::copy_from_slice(text.as_bytes()))
}

/// Three groups: one record, three records, one.
fn groups() -> Vec<Vec<Record>> {
    let removed = Record::Removed(B256::repeat_byte(9));
    vec![vec![tx("one")], vec![tx("two"), tx(""), removed], vec![tx("the last")]]
}

/// A file with [`groups`], and where each of them ends.
fn sample() -> (Vec<u8>, Vec<usize>) {
    let mut file = encode_header(&HEAD);
    let mut ends = vec![file.len()];
    for (number, group) in groups().iter().enumerate() {
        let mut payload = Vec::new();
        group.iter().for_each(|record| encode_record(record, &mut payload));
        file.extend(encode_group(&HEAD.salt, number as u64, &payload).unwrap());
        ends.push(file.len());
    }
    (file, ends)
}

/// The records of the first groups.
fn first(count: usize) -> Vec<Record> {
    groups().into_iter().take(count).flatten().collect()
}

#[test]
fn a_whole_file_reads_back() {
    let (file, ends) = sample();
    let found = scan(&file).unwrap();
    assert_eq!((found.header, found.records, found.next, found.end), (HEAD, first(3), 3, ends[3]));
}

#[test]
fn a_file_cut_anywhere_keeps_every_whole_group_and_nothing_of_the_broken_one() {
    let (file, ends) = sample();
    for cut in 0..HEADER {
        assert_eq!(scan(&file[..cut]), Err(FormatError::Foreign), "cut at {cut}");
    }
    for cut in HEADER..=file.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let found = scan(&file[..cut]).unwrap();
        assert_eq!((found.records, found.end), (first(whole), ends[whole]), "cut at {cut}");
    }
}

#[test]
fn a_changed_bit_anywhere_is_an_error_or_cuts_the_last_group() {
    let (file, ends) = sample();
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let at = bit / 8;
        match scan(&damaged) {
            Ok(found) => {
                assert!(at >= ends[2], "damage at {at} went unnoticed");
                assert_eq!((found.records, found.end), (first(2), ends[2]));
            }
            Err(FormatError::Damaged { offset }) if at >= HEADER => {
                assert_eq!(offset, *ends.iter().rfind(|end| **end <= at).unwrap());
                assert!(at < ends[2]);
            }
            Err(_) => assert!(at < HEADER),
        }
    }
}

#[test]
fn a_tail_of_zeros_or_of_anything_is_cut() {
    let (file, ends) = sample();
    for filler in [0u8, 0xff, b'C'] {
        for length in [1, GROUP, 5_000] {
            let mut longer = file.clone();
            longer.extend(vec![filler; length]);
            assert_eq!(scan(&longer).unwrap().end, ends[3]);
        }
    }
}

#[test]
fn a_missing_or_repeated_group_in_the_middle_is_damage() {
    let (file, ends) = sample();
    let missing = [&file[..ends[0]], &file[ends[1]..]].concat();
    assert_eq!(scan(&missing), Err(FormatError::Damaged { offset: ends[0] }));
    let repeated = [&file[..ends[2]], &file[ends[1]..]].concat();
    assert_eq!(scan(&repeated), Err(FormatError::Damaged { offset: ends[2] }));
}

#[test]
fn records_that_do_not_parse_are_damage_even_under_a_good_checksum() {
    for payload in [vec![7, 0, 0, 0, 0], vec![0, 9, 0, 0, 0, 1], vec![1, 1, 0, 0, 0, 5], vec![0, 0]] {
        let file = [encode_header(&HEAD), encode_group(&HEAD.salt, 0, &payload).unwrap()].concat();
        assert_eq!(scan(&file), Err(FormatError::Damaged { offset: HEADER }), "{payload:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), headed: bool) {
        let head = if headed { encode_header(&HEAD) } else { Vec::new() };
        let _ = scan(&[head, bytes].concat());
    }
}

fn refusal(path: &Path) -> JournalError {
    Journal::open(path, 7272).err().expect("the journal must not open")
}

#[test]
fn every_refusal_says_what_to_do_and_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (good, ends) = sample();
    let mut damaged = good.clone();
    damaged[ends[0] + GROUP] ^= 1;
    let mut versioned = good.clone();
    versioned[8] = 2;
    let mut moved = encode_header(&Header { chain_id: 1, ..HEAD });
    moved.extend(&good[HEADER..]);
    let cases: [(Vec<u8>, &str); 4] = [
        (
            b"#!/bin/sh\necho this is not yours to overwrite, whatever it is\n".to_vec(),
            "not a transaction journal",
        ),
        (versioned, "has format 2, this build reads 1"),
        (moved, "belongs to chain 1, not to 7272"),
        (damaged, "is damaged at byte 44"),
    ];
    for (bytes, words) in cases {
        fs::write(&path, &bytes).unwrap();
        let error = refusal(&path).to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refusal(&path), JournalError::Io { action: "read", .. }));
    let nowhere = folder.path().join("no/such/folder/journal");
    assert!(matches!(refusal(&nowhere), JournalError::Io { action: "lock", .. }));
}

#[test]
fn appending_goes_on_where_a_cut_tail_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (good, ends) = sample();
    for cut in [ends[1], ends[1] + 1, ends[2] - 1, ends[2] + 20] {
        fs::write(&path, &good[..cut]).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let (journal, records) = Journal::open(&path, 7272).unwrap();
        assert_eq!(records, first(whole));
        let ticket = journal.enqueue([tx("afterwards")]);
        journal.commit(&ticket, &nothing_live()).unwrap();
        drop(journal);
        let (_, records) = Journal::open(&path, 7272).unwrap();
        assert_eq!(records, [first(whole), vec![tx("afterwards")]].concat());
    }
}

#[test]
fn removals_that_nobody_waited_for_are_written_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let removal = Record::Removed(B256::repeat_byte(1));
    let (journal, _) = Journal::open(&path, 7272).unwrap();
    let _nobody_waits = journal.enqueue([removal.clone()]);
    drop(journal);
    assert_eq!(Journal::open(&path, 7272).unwrap().1, [removal]);
}

#[test]
fn a_rewrite_covers_what_was_enqueued_and_answers_those_who_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, _) = Journal::open(&path, 7272).unwrap();
    let ticket = journal.enqueue([tx("enqueued")]);
    let live = Live { rewritable: true, bytes: 0, collect: Box::new(|| vec![tx("kept")]) };
    journal.rewrite(&live).unwrap();
    journal.commit(&ticket, &nothing_live()).unwrap();
    let (bytes, groups, rewrites) = journal.stats();
    assert_eq!((bytes, groups, rewrites), (fs::metadata(&path).unwrap().len(), 0, 1));
    drop(journal);
    assert_eq!(Journal::open(&path, 7272).unwrap().1, [tx("kept")]);
}

/// For commits that must not rewrite.
fn nothing_live() -> Live<'static> {
    Live { rewritable: false, bytes: 0, collect: Box::new(|| unreachable!("this journal is short")) }
}
