//! A License Object (REF §4.1), checked without a chain: what registers it, or everything that is wrong with it.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, FixedBytes, U256, keccak256};
use chlom_royalty::{Share, SplitVector};
use serde_json::{Map, Value};

use super::{canonical::meta_hash, date, file::Entry, rate};

/// 0x1 rates_private, 0x2 exclusive, 0x4 transferable, 0x8 audit rights.
const RATES_PRIVATE: u8 = 0x1;
const EXCLUSIVE: u8 = 0x2;
const TRANSFERABLE: u8 = 0x4;
const AUDIT_RIGHTS: u8 = 0x8;
/// RightsRegistry stores no more.
const MOST_TERRITORIES: usize = 60;

/// How a licence's money is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Division {
    /// Among these; registered by the import.
    Vector(SplitVector),
    /// By a split that is registered.
    Registered(B256),
}

impl Division {
    pub(crate) fn hash(&self) -> B256 {
        match self {
            Self::Vector(vector) => vector.hash(),
            Self::Registered(hash) => *hash,
        }
    }
}

/// What may be used, in words: the chain's vocabulary makes bits of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) rights: Vec<String>,
    pub(crate) channels: Vec<String>,
    /// `None`: every language.
    pub(crate) languages: Option<Vec<String>>,
    /// `None`: worldwide. Strictly ascending.
    pub(crate) territories: Option<Vec<FixedBytes<5>>>,
}

/// The licence above, and the share that passes up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) name: String,
    pub(crate) numer: u64,
    pub(crate) denom: u64,
}

/// A checked License Object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) place: String,
    /// The id as written.
    pub(crate) name: String,
    pub(crate) owner: Address,
    pub(crate) licensee: Address,
    pub(crate) royalty_bps: u16,
    pub(crate) start: u64,
    /// The first second after the last day.
    pub(crate) end: u64,
    pub(crate) division: Division,
    pub(crate) policy: Option<B256>,
    pub(crate) flags: u8,
    pub(crate) meta_hash: B256,
    pub(crate) salted: bool,
    pub(crate) words: Words,
    pub(crate) asset: Option<String>,
    /// 0: none.
    pub(crate) cap: U256,
    pub(crate) parent: Option<Parent>,
}

/// A licence's id on chain: keccak256 of the id's UTF-8 bytes, or the id itself when it is one of 32 bytes in hex. Upholds
/// [GEN-7].
pub(crate) fn id_of(name: &str) -> B256 {
    if name.len() == 66
        && name.starts_with("0x")
        && let Ok(id) = name.parse()
    {
        return id;
    }
    keccak256(name)
}

impl Document {
    pub(crate) fn id(&self) -> B256 {
        id_of(&self.name)
    }

    pub(crate) fn asset_id(&self) -> B256 {
        self.asset.as_deref().map(id_of).unwrap_or_default()
    }
}

/// All documents of a file, or all that is wrong with them.
pub(crate) fn check_all(entries: &[Entry]) -> Result<Vec<Document>, Vec<String>> {
    let (mut documents, mut wrong) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for entry in entries {
        let mut reader = Reader { entry, wrong: Vec::new() };
        let document = reader.document();
        if let Some(document) = document.filter(|_| reader.wrong.is_empty()) {
            if !seen.insert(document.name.clone()) {
                reader.say("id", format!("{:?} stands twice in the file", document.name));
            }
            documents.push(document);
        }
        wrong.append(&mut reader.wrong);
    }
    if wrong.is_empty() { Ok(documents) } else { Err(wrong) }
}

const KEYS: [&str; 20] = [
    "id",
    "owner",
    "licensee",
    "rights_granted",
    "channels",
    "territories",
    "languages",
    "exclusivity",
    "start",
    "end",
    "royalty",
    "audit_rights",
    "ade_split_hash",
    "ace_policy_hash",
    "privacy_flags",
    "splits",
    "denom",
    "parent",
    "asset",
    "cap",
];
/// Known, and only committed to by `metaHash`.
const COMMITTED: [&str; 2] = ["salt", "transferable"];

struct Reader<'a> {
    entry: &'a Entry,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn say(&mut self, field: &str, what: impl std::fmt::Display) {
        self.wrong.push(format!("{}.{field}: {what}", self.entry.place));
    }

    /// Notes an error and goes on, so that all are found at once.
    fn take<T>(&mut self, field: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|what| self.say(field, what)).ok()
    }

    fn document(&mut self) -> Option<Document> {
        let object = &self.entry.object;
        for key in object.keys() {
            if !KEYS.contains(&key.as_str()) && !COMMITTED.contains(&key.as_str()) {
                self.say(key, "unknown field");
            }
        }
        let name = self.take("id", text(object, "id").and_then(bounded_name));
        let owner = self.take("owner", address(object, "owner"));
        let licensee = self.take("licensee", address(object, "licensee"));
        let royalty_bps = self.take("royalty", self.royalty());
        let start = self.take("start", text(object, "start").and_then(|day| date::day_start(&day)));
        let end = self.take("end", text(object, "end").and_then(|day| date::day_end(&day)));
        if let (Some(start), Some(end)) = (start, end)
            && end <= start
        {
            self.say("end", "lies before start");
        }
        let division = self.take("splits", division(object));
        let policy = self.take("ace_policy_hash", hash(object, "ace_policy_hash"));
        let flags = self.flags();
        let words = self.words();
        let asset = self.take("asset", optional_text(object, "asset"));
        let cap = self.take("cap", cap(object));
        let parent = self.take("parent", parent(object));
        if let (Some(name), Some(Some(parent))) = (&name, &parent)
            && *name == parent.name
        {
            self.say("parent", "a licence cannot be below itself");
        }
        let salted = self.take("salt", optional_text(object, "salt"))?.is_some();
        Some(Document {
            place: self.entry.place.clone(),
            name: name?,
            owner: owner?,
            licensee: licensee?,
            royalty_bps: royalty_bps?,
            start: start?,
            end: end?,
            division: division?,
            policy: policy?,
            flags: flags?,
            meta_hash: meta_hash(object),
            salted,
            words: words?,
            asset: asset?,
            cap: cap?,
            parent: parent?,
        })
    }

    fn royalty(&self) -> Result<u16, String> {
        let royalty = self.entry.object.get("royalty").ok_or("missing")?;
        let object = royalty.as_object().ok_or("expected {\"type\":\"percent\",\"value\":…}")?;
        if let Some(key) = object.keys().find(|key| *key != "type" && *key != "value") {
            return Err(format!("unknown field {key:?}"));
        }
        if object.get("type").and_then(Value::as_str) != Some("percent") {
            return Err("only the type \"percent\" is known".into());
        }
        rate::basis_points(self.entry.percent.as_deref().ok_or("value: missing")?)
    }

    fn flags(&mut self) -> Option<u8> {
        let object = &self.entry.object;
        let exclusive = match optional_text(object, "exclusivity").as_ref().map(Option::as_deref) {
            Ok(Some("Exclusive")) => Ok(EXCLUSIVE),
            Ok(Some("NonExclusive")) => Ok(0),
            Ok(None) => Err("missing".to_owned()),
            Ok(Some(other)) => Err(format!("{other:?} is neither Exclusive nor NonExclusive")),
            Err(what) => Err(what.clone()),
        };
        let exclusive = self.take("exclusivity", exclusive);
        let audit = self.take("audit_rights", flag(object, "audit_rights"));
        let transferable = self.take("transferable", flag(object, "transferable"));
        let private = self.take("privacy_flags", privacy(object));
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        Some(
            exclusive?
                | bit(audit?, AUDIT_RIGHTS)
                | bit(transferable?, TRANSFERABLE)
                | bit(private?, RATES_PRIVATE),
        )
    }

    fn words(&mut self) -> Option<Words> {
        let object = &self.entry.object;
        let rights = self.take("rights_granted", words(object, "rights_granted"));
        let channels = self.take("channels", words(object, "channels"));
        let languages = self.take("languages", words(object, "languages"));
        let territories = self.take("territories", words(object, "territories").and_then(territories));
        Some(Words {
            rights: rights?,
            channels: channels?,
            languages: languages.map(|words| Some(words).filter(|words| words != &["*"]))?,
            territories: territories?,
        })
    }
}

type Object = Map<String, Value>;

fn text(object: &Object, key: &str) -> Result<String, String> {
    optional_text(object, key)?.ok_or_else(|| "missing".into())
}

fn optional_text(object: &Object, key: &str) -> Result<Option<String>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("expected a text, got {other}")),
    }
}

fn bounded_name(name: String) -> Result<String, String> {
    if name.is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
        return Err("an id has 1 to 256 bytes without control characters".into());
    }
    Ok(name)
}

fn address(object: &Object, key: &str) -> Result<Address, String> {
    let text = text(object, key)?;
    let malformed = || {
        format!("{text:?} is no address; names such as ENT-500 need an identity registry, which comes later")
    };
    let address: Address = text.parse().map_err(|_| malformed())?;
    if address.is_zero() { Err("the zero address is nobody".into()) } else { Ok(address) }
}

fn hash(object: &Object, key: &str) -> Result<Option<B256>, String> {
    let Some(text) = optional_text(object, key)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{text:?} is no hash of 32 bytes"))
}

fn flag(object: &Object, key: &str) -> Result<bool, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(other) => Err(format!("expected true or false, got {other}")),
    }
}

fn privacy(object: &Object) -> Result<bool, String> {
    match object.get("privacy_flags") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Object(flags)) => {
            if let Some(key) = flags.keys().find(|key| *key != "rates_private") {
                return Err(format!("unknown field {key:?}"));
            }
            flag(flags, "rates_private")
        }
        Some(other) => Err(format!("expected {{\"rates_private\":…}}, got {other}")),
    }
}

fn cap(object: &Object) -> Result<U256, String> {
    let parsed = match object.get("cap") {
        None | Some(Value::Null) => return Ok(U256::ZERO),
        Some(Value::Number(number)) => number.as_u64().map(U256::from),
        Some(Value::String(text)) => U256::from_str_radix(text, 10).ok(),
        Some(_) => None,
    };
    let cap = parsed.ok_or("expected a whole number below 2^256, as a number or a decimal text")?;
    if cap.is_zero() { Err("a cap of 0 allows nothing; leave it out for none".into()) } else { Ok(cap) }
}

/// Lower case, each once, at least one.
fn words(object: &Object, key: &str) -> Result<Vec<String>, String> {
    let values = object.get(key).ok_or("missing")?.as_array().ok_or("expected a list of texts")?;
    let mut words = BTreeSet::new();
    for value in values {
        let word = value.as_str().ok_or_else(|| format!("expected a text, got {value}"))?.to_lowercase();
        if word.is_empty() || !words.insert(word) {
            return Err(format!("{value} is empty or stands twice"));
        }
    }
    if words.is_empty() { Err("empty".into()) } else { Ok(words.into_iter().collect()) }
}

/// `US` or `US-VA` (ISO 3166) as five bytes; `*` or `world` for all. `None` is worldwide.
fn territories(words: Vec<String>) -> Result<Option<Vec<FixedBytes<5>>>, String> {
    if words == ["*"] || words == ["world"] {
        return Ok(None);
    }
    if words.len() > MOST_TERRITORIES {
        return Err(format!("{} territories, at most {MOST_TERRITORIES}", words.len()));
    }
    let mut codes = words.iter().map(|word| territory(word)).collect::<Result<Vec<_>, _>>()?;
    codes.sort_unstable();
    Ok(Some(codes))
}

/// One code of RightsRegistry: a country, or a subdivision without its dash.
pub(crate) fn territory(word: &str) -> Result<FixedBytes<5>, String> {
    let upper = word.to_uppercase();
    let (country, part) = upper.split_once('-').unwrap_or((&upper, ""));
    let letters = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let dashed = upper.contains('-');
    let subdivision =
        !dashed || (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if !letters || !subdivision {
        return Err(format!("{word:?} is neither a country (US) nor a subdivision (US-VA) of ISO 3166"));
    }
    let mut code = [0; 5];
    let bytes = [country.as_bytes(), part.as_bytes()].concat();
    code[..bytes.len()].copy_from_slice(&bytes);
    Ok(code.into())
}

fn division(object: &Object) -> Result<Division, String> {
    let hash = hash(object, "ade_split_hash")?;
    let Some(splits) = object.get("splits") else {
        return hash.map(Division::Registered).ok_or_else(|| "missing; or name ade_split_hash".into());
    };
    let denom = object.get("denom").and_then(Value::as_u64).ok_or("denom: expected a whole number")?;
    let mut shares = Vec::new();
    for split in splits.as_array().ok_or("expected a list")? {
        let split = split.as_object().ok_or("expected {\"to\",\"weight\"}")?;
        if let Some(key) = split.keys().find(|key| *key != "to" && *key != "weight") {
            return Err(format!("unknown field {key:?}"));
        }
        let payee = address(split, "to").map_err(|what| format!("to: {what}"))?;
        let weight = split.get("weight").and_then(Value::as_u64).ok_or("weight: expected a whole number")?;
        shares.push(Share { payee, weight: weight.into() });
    }
    let vector = SplitVector::canonical(shares, denom.into()).map_err(|e| e.to_string())?;
    if let Some(hash) = hash.filter(|hash| *hash != vector.hash()) {
        return Err(format!("they hash to {}, ade_split_hash says {hash}", vector.hash()));
    }
    Ok(Division::Vector(vector))
}

fn parent(object: &Object) -> Result<Option<Parent>, String> {
    let parent = match object.get("parent") {
        None | Some(Value::Null) => return Ok(None),
        Some(parent) => parent.as_object().ok_or("expected {\"id\",\"rate\":[n,d]}")?,
    };
    if let Some(key) = parent.keys().find(|key| *key != "id" && *key != "rate") {
        return Err(format!("unknown field {key:?}"));
    }
    let name = bounded_name(text(parent, "id").map_err(|what| format!("id: {what}"))?)?;
    let rate: Option<Vec<u64>> = parent
        .get("rate")
        .and_then(Value::as_array)
        .and_then(|parts| parts.iter().map(Value::as_u64).collect());
    match rate.as_deref() {
        Some(&[numer, denom]) if denom > 0 && numer <= denom => Ok(Some(Parent { name, numer, denom })),
        Some(&[numer, denom]) => Err(format!("rate: {numer}/{denom} is no share of at most 1")),
        _ => Err("rate: expected [numerator, denominator]".into()),
    }
}
