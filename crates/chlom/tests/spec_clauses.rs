//! The specification's clauses and the code that cites them agree: an unknown id fails, and so does a clause that no
//! code cites unless `spec/exceptions.md` says why.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// `[ABC-12]` or `[AB-12]`, wherever it stands, and all from `[ABC-12] to [ABC-15]`.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut before: Option<(&str, u32)> = None;
    for part in text.split('[').skip(1) {
        let from = before.take();
        let Some((id, rest)) = part.split_once(']') else { continue };
        let Some((chapter, number)) = id.split_once('-') else { continue };
        let is_chapter = (2..=3).contains(&chapter.len()) && chapter.bytes().all(|b| b.is_ascii_uppercase());
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let (true, true, Ok(number)) = (is_chapter, digits, number.parse::<u32>()) else { continue };
        let first = from.filter(|(same, _)| *same == chapter).map_or(number, |(_, first)| first);
        found.extend((first..=number).map(|number| format!("{chapter}-{number}")));
        before = (rest == " to ").then_some((chapter, number));
    }
    found
}

fn files(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", ".git", "vectors"].contains(&name.as_str()) {
                files(&path, ending, out);
            }
        } else if name.ends_with(ending) {
            out.push(path);
        }
    }
}

/// Clauses by id. A clause begins a line: `- [BLK-1] …`.
fn clauses() -> BTreeMap<String, PathBuf> {
    let mut chapters = Vec::new();
    files(&root().join("spec"), ".md", &mut chapters);
    let mut clauses = BTreeMap::new();
    for chapter in chapters.into_iter().filter(|path| !path.ends_with("exceptions.md")) {
        for line in fs::read_to_string(&chapter).unwrap().lines() {
            let Some(rest) = line.strip_prefix("- [") else { continue };
            let Some(id) = ids(&format!("[{rest}")).into_iter().find(|id| rest.starts_with(id.as_str()))
            else {
                continue;
            };
            assert!(clauses.insert(id.clone(), chapter.clone()).is_none(), "{id} is defined twice");
        }
    }
    clauses
}

fn citations() -> BTreeSet<String> {
    let mut sources = Vec::new();
    for folder in ["crates", "l0-core", "l1-licensing", "l2-lanes"] {
        files(&root().join(folder), ".rs", &mut sources);
    }
    for folder in ["contracts/src", "contracts/test"] {
        files(&root().join(folder), ".sol", &mut sources);
    }
    files(&root().join("contracts/src"), ".sol", &mut sources);
    files(&root().join("contracts/test"), ".sol", &mut sources);
    let this = Path::new(file!()).file_name().unwrap();
    let cited = sources.iter().filter(|path| path.file_name() != Some(this));
    cited.flat_map(|path| ids(&fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_cited_clause_exists() {
    let clauses = clauses();
    let unknown: Vec<_> = citations().into_iter().filter(|id| !clauses.contains_key(id)).collect();
    assert!(unknown.is_empty(), "code cites clauses that no chapter has: {unknown:?}");
}

#[test]
fn every_clause_is_cited_or_excused() {
    let cited = citations();
    let excused = ids(&fs::read_to_string(root().join("spec/exceptions.md")).unwrap());
    let clauses = clauses();
    assert!(!clauses.is_empty());
    let missing: Vec<_> =
        clauses.keys().filter(|id| !cited.contains(*id) && !excused.contains(*id)).collect();
    assert!(missing.is_empty(), "no code cites {missing:?}; cite them or excuse them in spec/exceptions.md");
    let stale: Vec<_> =
        excused.iter().filter(|id| cited.contains(*id) || !clauses.contains_key(*id)).collect();
    assert!(stale.is_empty(), "spec/exceptions.md excuses what needs no excuse: {stale:?}");
}
