//! A process that creates, puts, deletes and prunes is killed at random moments, many times over the same directory.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use chlom_blobs::BlobStore;

use crate::square::{assert_honest, at, config, id, meta, open, put};

/// Set for the child: the directory to work on, and a seed for what it does.
const DIRECTORY: &str = "CHLOM_BLOBS_KILLED_DIRECTORY";
const SEED: &str = "CHLOM_BLOBS_KILLED_SEED";

/// Blob n has rows that depend on n only.
fn rows(blob: u8) -> u16 {
    [1, 2, 4, 32][usize::from(blob % 4)]
}

/// Numbers from a seed (xorshift64*), so that a failure can be run again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).unwrap();
}

/// The child: does nothing unless it is started by a test below. It says what it begins and what is acknowledged.
#[test]
fn child_stores_cells_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let mut numbers = Numbers(std::env::var(SEED).unwrap().parse().unwrap());
    let store = BlobStore::open(config(Path::new(&directory))).unwrap();
    loop {
        let blob = numbers.below(6) as u8;
        match numbers.below(12) {
            0 if store.contains(&id(blob)) => {
                say(&format!("removing {blob}"));
                store.remove(&id(blob)).unwrap();
                say(&format!("removed {blob}"));
            }
            1 if store.contains(&id(blob)) => {
                let columns: Vec<_> = (0..4).map(|_| numbers.below(128) as u16).collect();
                let places =
                    columns.iter().flat_map(|column| (0..2 * rows(blob)).map(|row| at(row, *column)));
                say(&format!("deleting {blob}"));
                store.delete(&id(blob), &places.collect::<Vec<_>>()).unwrap();
                say(&format!("deleted {blob} {}", store.presence(&id(blob)).unwrap().count()));
            }
            _ => {
                say(&format!("storing {blob}"));
                store.create(&meta(blob, rows(blob))).unwrap();
                let first = numbers.below(128) as u16;
                let columns = first..(first + 1 + numbers.below(16) as u16).min(128);
                put(
                    &store,
                    id(blob),
                    columns.flat_map(|column| (0..2 * rows(blob)).map(move |row| at(row, column))),
                );
                say(&format!("holds {blob} {}", store.presence(&id(blob)).unwrap().count()));
            }
        }
    }
}

/// What is known about each blob: the least number of cells that it must have, `None` when it must not be there. Without an
/// entry anything may be.
#[derive(Default)]
struct Said(BTreeMap<u8, Option<usize>>);

impl Said {
    fn hear(&mut self, line: &str) -> bool {
        let mut words = line.split(' ');
        let (Some(word), Some(Ok(blob))) = (words.next(), words.next().map(str::parse)) else { return false };
        let count = words.next().and_then(|count| count.parse().ok());
        match word {
            "holds" | "deleted" => drop(self.0.insert(blob, count)),
            "removed" => drop(self.0.insert(blob, None)),
            "removing" | "deleting" => drop(self.0.remove(&blob)),
            // What was there stays; what was not may be.
            "storing" if self.0.get(&blob) == Some(&None) => drop(self.0.remove(&blob)),
            "storing" => {}
            _ => return false,
        }
        true
    }

    fn check(&mut self, store: &BlobStore) {
        for blob in 0..6 {
            let count = store.presence(&id(blob)).ok().map(|presence| presence.count());
            match self.0.get(&blob) {
                Some(None) => assert_eq!(count, None, "blob {blob} was removed"),
                Some(least) => assert!(count >= *least, "blob {blob}: {count:?}, acknowledged {least:?}"),
                None => {}
            }
            if count.is_some() {
                assert_honest(store, id(blob));
            }
            self.0.insert(blob, count);
        }
        assert!(store.recovered().set_aside.is_empty(), "{:?}", store.recovered());
        assert!(store.recovered().foreign.is_empty(), "{:?}", store.recovered());
        assert_eq!(store.stats().cells_damaged, 0, "nothing half-stored");
    }
}

/// Kills a child after it has said `lines` things, and checks what it leaves.
fn kill_once(directory: &Path, seed: u64, lines: usize, said: &mut Said) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_stores_cells_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = 0;
    while heard < lines {
        let line = out.next().expect("the child must run until it is killed").unwrap();
        heard += usize::from(said.hear(&line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts as well.
    for line in out.map_while(Result::ok) {
        said.hear(&line);
    }
    said.check(&open(directory));
}

fn kill_many(rounds: u64, seed: u64) {
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap();
    let (mut numbers, mut said) = (Numbers(seed), Said::default());
    for round in 0..rounds {
        println!("round {round}");
        let (seed, lines) = (numbers.below(u64::MAX >> 33) + 1, numbers.below(90) as usize);
        kill_once(directory.path(), seed, lines, &mut said);
    }
}

fn any_seed() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1
}

#[test]
fn a_killed_store_has_every_acknowledged_cell_and_none_by_halves() {
    kill_many(5, any_seed());
}

#[test]
fn a_killed_store_has_every_acknowledged_cell_and_none_by_halves_slow() {
    kill_many(150, any_seed());
}
