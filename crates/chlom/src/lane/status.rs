//! `chlom lane status`.

use anyhow::Result;
use chlom_lane::lane::lane_id;
use chlom_operator::{
    Store,
    sequence::{self, obstacle::CONVICTED},
    store::{Aside, Batch, BatchState, Count, Import, Lane},
};
use clap::Args;
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{license::date, output, table::table};

/// Batches and imports that are shown.
const SHOWN: u32 = 20;

/// Arguments of `chlom lane status`.
#[derive(Args, Debug)]
#[command(
    after_help = "Receipts wait until they are in a batch; a batch is built, published, submitted, final, settled, or void: then its
receipts wait again. What is set aside waits for its reason to go away. Without --lane, all lanes are shown."
)]
pub(crate) struct StatusArgs {
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

struct Shown {
    lane: Lane,
    alarms: Vec<String>,
    counts: Vec<Count>,
    asides: Vec<Aside>,
    batches: Vec<Batch>,
    imports: Vec<Import>,
}

/// # Errors
/// A store that cannot be used.
pub(crate) fn run(args: &StatusArgs) -> Result<()> {
    let store = args.data.store()?;
    let lanes = match &args.data.lane {
        Some(name) => vec![store.lane(name)?],
        None => store.lanes()?,
    };
    let all = lanes.into_iter().map(|lane| read(&store, lane)).collect::<Result<Vec<_>>>()?;
    if args.json {
        output::line(json!({"lanes": all.iter().map(as_json).collect::<Vec<_>>()}));
    } else {
        all.iter().for_each(print);
    }
    Ok(())
}

fn read(store: &Store, lane: Lane) -> Result<Shown> {
    Ok(Shown {
        alarms: alarms(store, &lane)?,
        counts: store.counts(&lane)?,
        asides: store.asides(&lane)?,
        batches: store.last_batches(&lane, SHOWN)?,
        imports: store.last_imports(&lane, SHOWN)?,
        lane,
    })
}

/// What somebody must look at.
fn alarms(store: &Store, lane: &Lane) -> Result<Vec<String>> {
    let mut alarms = sequence::faults(store, lane)?;
    for aside in store.asides(lane)?.into_iter().filter(|aside| aside.kind == CONVICTED) {
        alarms.push(format!("{} receipts of {}: {}", aside.receipts, aside.period.code(), aside.reason));
    }
    for batch in store.unread(lane)? {
        let (root, period) = (batch.root, batch.period.code());
        alarms.push(format!(
            "batch {root} was made elsewhere and its blob cannot be had: no batch of {period} is built until it can"
        ));
    }
    Ok(alarms)
}

const STATES: [BatchState; 5] =
    [BatchState::Built, BatchState::Published, BatchState::Submitted, BatchState::Final, BatchState::Settled];

fn batched(count: &Count, state: BatchState) -> u64 {
    count.batched.iter().find(|(known, _)| *known == state).map_or(0, |(_, receipts)| *receipts)
}

fn as_json(shown: &Shown) -> Value {
    let count = |count: &Count| {
        let mut value = json!({
            "period": count.period.code(), "receipts": count.receipts, "waiting": count.waiting, "aside": count.aside,
            "retired": count.retired,
        });
        for state in STATES {
            value[state.word()] = batched(count, state).into();
        }
        value
    };
    let aside = |aside: &Aside| {
        json!({
            "id": aside.id, "period": aside.period.code(), "kind": aside.kind, "reason": aside.reason,
            "receipts": aside.receipts, "at": aside.at,
        })
    };
    let batch = |batch: &Batch| {
        json!({
            "id": batch.id, "number": batch.number, "period": batch.period.code(), "root": batch.root,
            "receipts": batch.receipts, "state": batch.state.word(), "note": batch.note, "made": batch.made,
            "changed": batch.changed, "adopted": batch.adopted,
        })
    };
    let import = |import: &Import| {
        json!({
            "id": import.id, "file": import.file, "began": import.began, "ended": import.ended,
            "accepted": import.accepted, "known": import.known, "refused": import.refused,
        })
    };
    json!({
        "lane": shown.lane.name, "id": lane_id(&shown.lane.name), "currency": shown.lane.currency,
        "decimals": shown.lane.decimals, "alarms": shown.alarms,
        "periods": shown.counts.iter().map(count).collect::<Vec<_>>(),
        "asides": shown.asides.iter().map(aside).collect::<Vec<_>>(),
        "batches": shown.batches.iter().map(batch).collect::<Vec<_>>(),
        "imports": shown.imports.iter().map(import).collect::<Vec<_>>(),
    })
}

fn print(shown: &Shown) {
    let Shown { lane, alarms, counts, asides, batches, imports } = shown;
    output::line(format!("lane {} ({}), {}", lane.name, lane_id(&lane.name), lane.currency));
    alarms.iter().for_each(|alarm| output::line(format!("ALARM {alarm}")));
    if counts.is_empty() {
        output::line("no receipts yet: chlom lane ingest FILE");
    }
    let mut head = vec!["period", "receipts", "waiting", "aside"];
    head.extend(STATES.iter().map(|state| state.word()));
    let row = |count: &Count| {
        let mut row = vec![count.period.code().to_string()];
        row.extend([count.receipts, count.waiting, count.aside].map(|number| number.to_string()));
        row.extend(STATES.iter().map(|state| batched(count, *state).to_string()));
        row
    };
    section(&head, counts.iter().map(row).collect());
    let row = |aside: &Aside| {
        vec![
            aside.period.code().to_string(),
            aside.receipts.to_string(),
            aside.reason.clone(),
            date::shown(aside.at),
        ]
    };
    section(&["set aside of", "receipts", "because", "since"], asides.iter().map(row).collect());
    let row = |batch: &Batch| {
        let Batch { number, period, receipts, state, changed, note, .. } = batch;
        let (period, state) = (period.code().to_string(), state.word().to_owned());
        vec![number.to_string(), period, receipts.to_string(), state, date::shown(*changed), note.clone()]
    };
    section(&["batch", "period", "receipts", "state", "since", "note"], batches.iter().map(row).collect());
    let row = |import: &Import| {
        let ended = import.ended.map_or("not ended".to_owned(), date::shown);
        let numbers = [import.accepted, import.known, import.refused].map(|number| number.to_string());
        [vec![import.file.clone()], numbers.to_vec(), vec![ended]].concat()
    };
    section(&["import of", "new", "known", "refused", "ended"], imports.iter().map(row).collect());
}

fn section(head: &[&str], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        output::print(&format!("\n{}", table(head, &rows)));
    }
}
