//! A file of licences: one License Object, an array of them, or CSV. Every entry becomes a JSON object with its place.

use std::path::Path;

use serde_json::{Map, Value, value::RawValue};

/// 10,000 licences of 512 payees fit.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
const MOST_LICENCES: usize = 100_000;

/// One entry of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    /// `licences.json[3]`, or `licences.csv line 5`.
    pub(crate) place: String,
    /// The object.
    pub(crate) object: Map<String, Value>,
    /// `royalty.value` as written: a number's text, so that no digit is lost.
    pub(crate) percent: Option<String>,
}

/// Reads a file; its ending says which kind it is.
///
/// # Errors
/// When it cannot be read at all; what is wrong with an entry is found later.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| format!("{shown}: {e}"))?.len();
    if size > MOST_BYTES {
        return Err(format!("{shown}: {size} bytes, at most {MOST_BYTES}"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
    let name = path.file_name().map_or_else(|| shown.to_string(), |name| name.to_string_lossy().into_owned());
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let entries = if is_csv { from_csv(&name, &text)? } else { from_json(&name, &text)? };
    if entries.is_empty() {
        return Err(format!("{shown}: no licences in it"));
    }
    if entries.len() > MOST_LICENCES {
        return Err(format!("{shown}: {} licences, at most {MOST_LICENCES} at a time", entries.len()));
    }
    Ok(entries)
}

pub(crate) fn from_json(name: &str, text: &str) -> Result<Vec<Entry>, String> {
    let broken = |e: serde_json::Error| format!("{name}: {e}");
    if text.trim_start().starts_with('[') {
        let raws: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
        let entry = |(index, raw): (usize, &&RawValue)| json_entry(format!("{name}[{index}]"), raw.get());
        raws.iter().enumerate().map(entry).collect()
    } else {
        Ok(vec![json_entry(name.to_owned(), text)?])
    }
}

fn json_entry(place: String, text: &str) -> Result<Entry, String> {
    #[derive(serde::Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        royalty: Option<Inner<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        value: Option<&'a RawValue>,
    }
    let object = serde_json::from_str(text).map_err(|e| format!("{place}: {e}"))?;
    // A royalty of another shape is told by whoever reads the object.
    let percent = serde_json::from_str::<Outer<'_>>(text)
        .ok()
        .and_then(|outer| outer.royalty?.value)
        .map(|value| value.get().trim_matches('"').to_owned());
    Ok(Entry { place, object, percent })
}

/// Columns, as `--help` lists them. Lists are separated by `;`.
const LISTS: [(&str, &str); 4] = [
    ("rights", "rights_granted"),
    ("channels", "channels"),
    ("territories", "territories"),
    ("languages", "languages"),
];
const TEXTS: [&str; 11] = [
    "id",
    "owner",
    "licensee",
    "exclusivity",
    "start",
    "end",
    "asset",
    "cap",
    "ade_split_hash",
    "ace_policy_hash",
    "salt",
];
const OTHERS: [&str; 9] = [
    "royalty_percent",
    "audit_rights",
    "rates_private",
    "transferable",
    "splits",
    "denom",
    "parent",
    "parent_numer",
    "parent_denom",
];

pub(super) fn from_csv(name: &str, text: &str) -> Result<Vec<Entry>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|e| format!("{name}: {e}"))?.clone();
    for (index, column) in head.iter().enumerate() {
        let lists = LISTS.iter().any(|(csv, _)| *csv == column);
        if !lists && !TEXTS.contains(&column) && !OTHERS.contains(&column) {
            return Err(format!("{name} line 1: unknown column {column:?}"));
        }
        if head.iter().position(|other| other == column) != Some(index) {
            return Err(format!("{name} line 1: column {column:?} stands twice"));
        }
    }
    let mut entries = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|e| format!("{name}: {e}"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let place = format!("{name} line {line}");
        let cells = head.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty()).collect();
        entries.push(csv_entry(place, &cells)?);
    }
    Ok(entries)
}

fn csv_entry(place: String, cells: &std::collections::BTreeMap<&str, &str>) -> Result<Entry, String> {
    let mut object = Map::new();
    for name in TEXTS {
        if let Some(text) = cells.get(name) {
            object.insert(name.into(), (*text).into());
        }
    }
    for (column, key) in LISTS {
        if let Some(text) = cells.get(column) {
            object.insert(key.into(), list(text).into());
        }
    }
    let flag = |column: &str| match cells.get(column) {
        None => Ok(None),
        Some(&"true") => Ok(Some(true)),
        Some(&"false") => Ok(Some(false)),
        Some(other) => Err(format!("{place}: {column}: {other:?} is neither true nor false")),
    };
    for key in ["audit_rights", "transferable"] {
        if let Some(value) = flag(key)? {
            object.insert(key.into(), value.into());
        }
    }
    if let Some(value) = flag("rates_private")? {
        object.insert("privacy_flags".into(), serde_json::json!({ "rates_private": value }));
    }
    let number = |column: &str, text: &str| {
        text.parse::<u64>().map_err(|_| format!("{place}: {column}: {text:?} is no whole number"))
    };
    if let Some(denom) = cells.get("denom") {
        object.insert("denom".into(), number("denom", denom)?.into());
    }
    if let Some(text) = cells.get("splits") {
        let mut splits = Vec::new();
        for share in list(text) {
            let (to, weight) = share
                .split_once(':')
                .ok_or_else(|| format!("{place}: splits: write address:weight, not {share:?}"))?;
            splits.push(serde_json::json!({ "to": to, "weight": number("splits", weight)? }));
        }
        object.insert("splits".into(), splits.into());
    }
    if let Some(parent) = cells.get("parent") {
        let part = |column: &str| match cells.get(column) {
            Some(text) => number(column, text),
            None => Err(format!("{place}: {column}: missing beside parent")),
        };
        let rate = [part("parent_numer")?, part("parent_denom")?];
        object.insert("parent".into(), serde_json::json!({ "id": parent, "rate": rate }));
    }
    let percent = cells.get("royalty_percent").map(|text| (*text).to_owned());
    if let Some(percent) = &percent {
        object.insert("royalty".into(), serde_json::json!({ "type": "percent", "value": percent }));
    }
    Ok(Entry { place, object, percent })
}

fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
