//! Receipts out of records.

use std::io::{self, BufRead};

use chlom_lane::{
    Receipt,
    receipt::{Intake, parse_receipt},
};
use chlom_royalty::Period;

use super::{
    FileFault, Format, Refusal,
    array::{Array, Element},
    csv::Header,
    lines::{Line, Lines, MOST_LINE_BYTES},
};

/// Which times are taken. Upholds [OPR-13].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Only those of this period.
    pub period: Option<Period>,
    /// None after this, in seconds since 1970.
    pub latest: u64,
}

/// Reads receipts, one after the other.
pub struct ReceiptReader<'a, R> {
    records: Records<R>,
    intake: &'a Intake,
    bounds: Bounds,
    json: Vec<u8>,
}

enum Records<R> {
    Csv(Lines<R>, Header),
    NdJson(Lines<R>),
    Array(Array<R>),
}

impl<'a, R: BufRead> ReceiptReader<'a, R> {
    /// Begins to read.
    ///
    /// # Errors
    /// The reader's. Within: why the whole cannot be read.
    pub fn new(
        mut from: R,
        format: Format,
        intake: &'a Intake,
        bounds: Bounds,
    ) -> io::Result<Result<Self, FileFault>> {
        let records = match format {
            Format::NdJson => Records::NdJson(Lines::new(from)),
            Format::Array => Records::Array(Array::new(from)),
            Format::Csv => {
                // Blank lines before the columns are passed over by whoever made the file.
                let _ = from.fill_buf()?;
                let mut lines = Lines::new(from);
                let header = loop {
                    match lines.next()? {
                        Some((_, Line::Whole(line))) if line.trim_ascii().is_empty() => {}
                        Some((_, Line::Whole(line))) => break Header::read(line),
                        Some((_, Line::TooLong)) => break Err(FileFault::Header(too_long())),
                        None => break Err(FileFault::Empty),
                    }
                };
                match header {
                    Ok(header) => Records::Csv(lines, header),
                    Err(fault) => return Ok(Err(fault)),
                }
            }
        };
        Ok(Ok(Self { records, intake, bounds, json: Vec::new() }))
    }

    /// The next receipt with its line, or why it is none; `None` at the end.
    ///
    /// # Errors
    /// The reader's.
    pub fn read(&mut self) -> io::Result<Option<Result<(u64, Receipt), Refusal>>> {
        let Self { records, intake, bounds, json } = self;
        let receipt = |line: u64, json: &[u8]| {
            let read = parse_receipt(json, intake).map_err(|error| Refusal::of(line, &error))?;
            bounds.check(line, &read)?;
            Ok((line, read))
        };
        loop {
            return Ok(Some(match records {
                Records::Csv(lines, header) => match lines.next()? {
                    None => return Ok(None),
                    Some((_, Line::Whole(line))) if line.trim_ascii().is_empty() => continue,
                    Some((number, Line::Whole(line))) => {
                        header.json(number, line, json).and_then(|()| receipt(number, json))
                    }
                    Some((number, Line::TooLong)) => Err(Refusal::new(number, "", too_long())),
                },
                Records::NdJson(lines) => match lines.next()? {
                    None => return Ok(None),
                    Some((_, Line::Whole(line))) if line.trim_ascii().is_empty() => continue,
                    Some((number, Line::Whole(line))) => receipt(number, line),
                    Some((number, Line::TooLong)) => Err(Refusal::new(number, "", too_long())),
                },
                Records::Array(array) => match array.next()? {
                    None => return Ok(None),
                    Some(Element::Object(line, json)) => receipt(line, json),
                    Some(Element::TooLong(line)) => Err(Refusal::new(line, "", too_long())),
                    Some(Element::Broken(line, what)) => {
                        Err(Refusal::new(line, "", format!("{what}; nothing from here on was read")))
                    }
                },
            }));
        }
    }
}

impl Bounds {
    fn check(self, line: u64, receipt: &Receipt) -> Result<(), Refusal> {
        let refuse = |reason: String| Err(Refusal::new(line, "ts", reason));
        if receipt.time > self.latest {
            let over = receipt.time - self.latest;
            return refuse(format!(
                "ts: the time is {over} s later than any receipt of now can be; is a clock wrong?"
            ));
        }
        match (self.period, Period::containing(receipt.time)) {
            (_, None) => refuse("ts: the time is in no period".into()),
            (Some(wanted), Some(found)) if wanted != found => {
                let (wanted, found) = (wanted.code(), found.code());
                refuse(format!("ts: the time is in period {found}, and --period says {wanted}"))
            }
            _ => Ok(()),
        }
    }
}

fn too_long() -> String {
    format!("it has more than {MOST_LINE_BYTES} bytes; no receipt has")
}
