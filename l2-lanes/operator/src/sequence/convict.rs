//! A batch that its own check finds wrong is not sent, and does not stop its lane: the smallest part of it that can be named is set aside, and the
//! rest goes on. Upholds [OPR-33]. It happens when this program is wrong, or a node says now this and now that.

use alloy_primitives::{Address, B256};
use chlom_client::ClientError;
use chlom_lane::{
    Blob, Draft, Frame, Header, LaneState, Receipt, Row, build,
    build::BuildError,
    fraud::{self, Fraud, Place},
    lane::source_id,
    page::{RecordPage, TablePage},
};

use super::follow::key_of;
use crate::store::ReceiptKey;

/// What of a batch is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// One receipt, by its key.
    Receipt(ReceiptKey),
    /// All receipts of a payer with a licence.
    Pair(Address, B256),
    /// All receipts of a licence.
    Licence(B256),
    /// All receipts of a payer.
    Payer(Address),
    /// What was found does not say.
    Unnamed,
}

/// A batch that was tried.
pub enum Attempt {
    /// It is right.
    Right(Box<Right>),
    /// It is not.
    Wrong {
        /// What was found, for people.
        what: String,
        /// Of which part.
        part: Part,
    },
}

/// A batch that stands its check.
pub struct Right {
    /// Its header.
    pub header: Header,
    /// Its blob's data rows.
    pub elements: Vec<u8>,
    /// Receipts that did not fit.
    pub rest: Vec<Receipt>,
}

/// Builds a batch by one state and checks it by another, as a watcher would that knows nothing of how it was made.
///
/// # Errors
/// When state cannot be read.
pub fn attempt<S: LaneState<Error = ClientError>>(
    frame: Frame,
    receipts: Vec<Receipt>,
    state: &S,
    eyes: impl FnOnce(&Header) -> S,
    commit: impl FnOnce(&Draft) -> Result<(Header, Vec<u8>), String>,
) -> Result<Attempt, ClientError> {
    let (draft, rest) = match build(frame, receipts, state) {
        Ok(built) => built,
        Err(BuildError::State(error)) => return Err(error),
        Err(error) => {
            let part = part_of_build(&error);
            return Ok(Attempt::Wrong { what: error.to_string(), part });
        }
    };
    let unnamed = |what: String| Ok(Attempt::Wrong { what, part: Part::Unnamed });
    let (header, elements) = match commit(&draft) {
        Ok(committed) => committed,
        Err(what) => return unnamed(what),
    };
    let blob = match Blob::new(&header, &elements) {
        Ok(blob) => blob,
        Err(error) => return unnamed(error.to_string()),
    };
    match fraud::check(blob, &eyes(&header))? {
        Some(found) => {
            Ok(Attempt::Wrong { what: format!("{:?}: {found:?}", found.kind()), part: part_of(blob, &found) })
        }
        None => Ok(Attempt::Right(Box::new(Right { header, elements, rest }))),
    }
}

fn part_of_build(error: &BuildError<ClientError>) -> Part {
    match error {
        BuildError::Licence(licence) => Part::Licence(*licence),
        _ => Part::Unnamed,
    }
}

/// What a fraud is about.
pub fn part_of(blob: Blob<'_>, fraud: &Fraud) -> Part {
    let part = match fraud {
        Fraud::Licence(place)
        | Fraud::Time(place)
        | Fraud::Source(place, _)
        | Fraud::Earlier(place, _)
        | Fraud::Twice(_, place) => record(blob, *place).map(Part::Receipt),
        Fraud::Terms(place)
        | Fraud::PayerRow(place)
        | Fraud::RowRecord { row: place, .. }
        | Fraud::RowRevenue { row: place, .. } => {
            row(blob, *place).map(|row| Part::Pair(row.payer, row.licence))
        }
        Fraud::PayerTotal { payer, .. } => {
            let total = blob.header().payers.get(usize::from(*payer));
            total.map(|total| Part::Payer(total.payer))
        }
        _ => None,
    };
    part.unwrap_or(Part::Unnamed)
}

fn record(blob: Blob<'_>, place: Place) -> Option<ReceiptKey> {
    let page = RecordPage::decode(&blob.page(place.page)?).ok()?;
    let record = page.record(usize::from(place.at))?;
    let source = source_id(&blob.header().lane, &record.payer, record.source.as_str());
    Some(key_of(&source, record.receipt_id()?.as_str()))
}

fn row(blob: Blob<'_>, place: Place) -> Option<Row> {
    let page = TablePage::decode(&blob.page(place.page)?).ok()?;
    page.rows.get(usize::from(place.at)).copied()
}

/// The first receipt with which those before it are no right batch any more, though they are one without it. `count`: all of them,
/// which are none. It takes as many attempts as `count` has binary digits.
///
/// # Errors
/// An attempt's.
pub fn culprit<E>(count: usize, mut is_right: impl FnMut(usize) -> Result<bool, E>) -> Result<usize, E> {
    // The first `low` are right, the first `high` are wrong.
    let (mut low, mut high) = (0, count);
    while high.saturating_sub(low) > 1 {
        let middle = low.midpoint(high);
        if is_right(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
