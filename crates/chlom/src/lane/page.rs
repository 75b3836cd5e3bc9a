//! The page of `chlom lane serve`: what the store holds and, with a node, what the chain holds. Upholds [PAG-8].

use std::{
    fs::File,
    io::{ErrorKind, Read},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use chlom_lane::lane::lane_id;
use chlom_operator::{
    Store, StoreError,
    serve::ServeError,
    store::{Aside, Batch, BatchState, Count, Import, Lane},
};
use chlom_page::{
    Board, ChainSource, Site, Source,
    chain::Names,
    listen::Listener,
    text::{shown, shown_to},
};
use clap::Args;
use serde_json::{Map, Value, json};

use super::data::DataArgs;

/// Where the page is when nobody says where.
const PORT: u16 = 8651;
/// Between two looks at the store, which others write to.
const PAUSE: Duration = Duration::from_secs(2);
/// What is shown of each lane, the newest; and of the file of rejects, its beginning.
const LANES: usize = 16;
const PERIODS: usize = 12;
const BATCHES: u32 = 30;
const ASIDES: usize = 20;
const IMPORTS: u32 = 10;
const REJECTS: usize = 20;
/// Characters of a reason.
const REASON: usize = 240;
/// So much of it is read.
const REJECT_BYTES: u64 = 64 * 1024;

/// Where the page is shown.
#[derive(Args, Debug)]
pub(super) struct PageArgs {
    /// Address of the page to look at, or `off`. Whoever reaches it sees it [default: 127.0.0.1:8651].
    #[arg(long, value_name = "ADDRESS|off")]
    page: Option<Place>,
    /// JSON-RPC of a node whose chain the page shows, too.
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL")]
    rpc: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Off,
    At(SocketAddr),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => text
                .parse()
                .map(Self::At)
                .map_err(|_| format!("{text:?} is neither an address with a port nor `off`")),
        }
    }
}

/// A page that listens.
pub(super) struct Page {
    listener: Listener,
    site: Site,
}

impl Page {
    /// Listens where it should. A place that nobody asked for may be taken by another operator's page: then there is none.
    ///
    /// # Errors
    /// When an address that was asked for cannot be listened on, or the store cannot be opened.
    pub(super) fn open(
        args: &PageArgs,
        data: &DataArgs,
        store: &Store,
        taking: SocketAddr,
    ) -> Result<Option<Self>> {
        let port = if taking.port() == 0 { 0 } else { PORT };
        let (addr, asked) = match args.page {
            Some(Place::Off) => return Ok(None),
            Some(Place::At(addr)) => (addr, true),
            None => (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), false),
        };
        let listener = match Listener::bind(addr) {
            Ok(listener) => listener,
            Err(source) if asked => return Err(ServeError::Listen { addr, source }.into()),
            Err(error) => {
                tracing::warn!(%addr, %error, "no page is shown; --page ADDRESS says where else, --page off that there is none");
                return Ok(None);
            }
        };
        if !addr.ip().is_loopback() {
            tracing::warn!(%addr, "whoever reaches this address sees counts, batches and reasons of this store");
        }
        let board = Board::new();
        let chain = args.rpc.as_ref().map(|url| ChainSource::new(url.clone(), Names::new()));
        let rejects = data.path("rejects.csv");
        let source = Operator { store: store.again()?, rejects, chain, read: None, known: Map::new() };
        board
            .start(Map::from_iter([("kind".to_owned(), json!("operator"))]), Box::new(source))
            .context("a thread")?;
        Ok(Some(Self { listener, site: Site::new(board) }))
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr())
    }

    /// Answers until the process ends.
    pub(super) async fn serve(self) {
        let Err(error) = self.listener.serve(self.site).await;
        tracing::error!(%error, "the page is served no more");
    }
}

/// A store, and perhaps a chain.
struct Operator {
    store: Store,
    rejects: PathBuf,
    chain: Option<ChainSource>,
    read: Option<Instant>,
    known: Map<String, Value>,
}

impl Source for Operator {
    fn look(&mut self) -> Result<Option<Map<String, Value>>, String> {
        let mut changed = false;
        if let Some(chain) = &mut self.chain {
            let trouble = match chain.look() {
                Ok(Some(members)) => {
                    self.known.extend(members);
                    changed = true;
                    Value::Null
                }
                Ok(None) => Value::Null,
                Err(why) => json!(why),
            };
            changed |= self.known.insert("chainTrouble".into(), trouble.clone()).as_ref() != Some(&trouble);
        }
        if self.read.is_none_or(|at| at.elapsed() >= PAUSE) {
            let read = self.operator().map_err(|error| format!("the store: {error}"))?;
            self.known.insert("operator".into(), read);
            (self.read, changed) = (Some(Instant::now()), true);
        }
        Ok(changed.then(|| self.known.clone()))
    }
}

impl Operator {
    fn operator(&self) -> Result<Value, StoreError> {
        let lanes = self.store.lanes()?;
        let total = lanes.len();
        let rows = lanes
            .into_iter()
            .take(LANES)
            .map(|lane| lane_row(&self.store, &lane))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "lanes": rows, "moreLanes": total.saturating_sub(LANES), "rejects": self.rejects() }))
    }

    /// The beginning of what was refused of the files that were read last; null when nothing was.
    fn rejects(&self) -> Value {
        let mut text = Vec::new();
        let file = match File::open(&self.rejects) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Value::Null,
            Err(error) => return json!({ "trouble": error.to_string() }),
        };
        if let Err(error) = file.take(REJECT_BYTES).read_to_end(&mut text) {
            return json!({ "trouble": error.to_string() });
        }
        let cut = text.len() as u64 == REJECT_BYTES;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_slice());
        let rows: Vec<Value> = reader
            .byte_records()
            .filter_map(std::result::Result::ok)
            .take(REJECTS + 1)
            .map(|row| {
                row.iter().take(4).map(|cell| shown_to(&String::from_utf8_lossy(cell), REASON)).collect()
            })
            .collect();
        let more = cut || rows.len() > REJECTS;
        json!({ "file": shown(&self.rejects.display().to_string()), "rows": rows.into_iter().take(REJECTS).collect::<Vec<_>>(), "more": more })
    }
}

fn lane_row(store: &Store, lane: &Lane) -> Result<Value, StoreError> {
    let counts = store.counts(lane)?;
    let sum = |of: fn(&Count) -> u64| counts.iter().map(of).sum::<u64>();
    let asides = store.asides(lane)?;
    Ok(json!({
        "name": shown(&lane.name), "id": lane_id(&lane.name), "currency": shown(&lane.currency), "decimals": lane.decimals,
        "receipts": sum(|count| count.receipts), "waiting": sum(|count| count.waiting), "aside": sum(|count| count.aside),
        "retired": sum(|count| count.retired),
        "periods": counts.iter().rev().take(PERIODS).map(period_row).collect::<Vec<_>>(),
        "morePeriods": counts.len().saturating_sub(PERIODS),
        "asides": asides.iter().rev().take(ASIDES).map(aside_row).collect::<Vec<_>>(),
        "moreAsides": asides.len().saturating_sub(ASIDES),
        "batches": store.last_batches(lane, BATCHES)?.iter().map(batch_row).collect::<Vec<_>>(),
        "imports": store.last_imports(lane, IMPORTS)?.iter().map(import_row).collect::<Vec<_>>(),
    }))
}

fn period_row(count: &Count) -> Value {
    let in_state = |state: BatchState| -> u64 {
        count.batched.iter().filter(|(known, _)| *known == state).map(|(_, receipts)| *receipts).sum()
    };
    json!({
        "period": count.period.code(), "receipts": count.receipts, "waiting": count.waiting, "aside": count.aside,
        "onTheWay": in_state(BatchState::Built) + in_state(BatchState::Published),
        "submitted": in_state(BatchState::Submitted), "final": in_state(BatchState::Final),
        "settled": in_state(BatchState::Settled),
    })
}

fn aside_row(aside: &Aside) -> Value {
    json!({ "period": aside.period.code(), "receipts": aside.receipts, "reason": shown_to(&aside.reason, REASON), "at": aside.at })
}

fn batch_row(batch: &Batch) -> Value {
    json!({
        "id": batch.id, "period": batch.period.code(), "number": batch.number, "root": batch.root,
        "receipts": batch.receipts, "state": batch.state.word(), "note": shown_to(&batch.note, REASON), "changed": batch.changed,
    })
}

fn import_row(import: &Import) -> Value {
    json!({
        "id": import.id, "file": shown(&import.file), "began": import.began, "ended": import.ended,
        "accepted": import.accepted, "known": import.known, "refused": import.refused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_off() {
        assert_eq!("off".parse(), Ok(Place::Off));
        assert_eq!("[::1]:80".parse(), Ok(Place::At("[::1]:80".parse().unwrap())));
        for text in ["", "on", "8651", "localhost:8651", "127.0.0.1"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
