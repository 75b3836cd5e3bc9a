//! What is refused, and where that is written down. Upholds [OPR-12].

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use chlom_lane::receipt::ReceiptError;

/// Why a line of a file, or an element of a request, is no receipt for this lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Line of the file, from 1.
    pub line: u64,
    /// The field; empty where the fault is in none or in several.
    pub field: String,
    /// Why, and what to do.
    pub reason: String,
}

/// Why a file as a whole can not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// Not UTF-8, by its first bytes.
    #[error("the file is in UTF-16; save it as UTF-8 (in spreadsheets: \"CSV UTF-8\")")]
    Utf16,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Columns that other characters than commas divide.
    #[error(
        "the columns are divided by {0}; export with commas (receipts write 84.00, so decimals need none)"
    )]
    Delimiter(&'static str),
    /// The first line is no list of columns.
    #[error("the first line is no list of columns: {0}")]
    Header(String),
    /// A column that no receipt has.
    #[error("no receipt has a column {0:?}; known are {known}; leave it out of the export", known = super::csv::COLUMNS.join(", "))]
    Column(String),
    /// A column that is there twice.
    #[error("the column {0:?} is there twice")]
    ColumnTwice(String),
}

impl Refusal {
    pub(crate) fn new(line: u64, field: &str, reason: impl Into<String>) -> Self {
        Self { line, field: field.to_owned(), reason: reason.into() }
    }

    pub(crate) fn of(line: u64, error: &ReceiptError) -> Self {
        let field = match error {
            ReceiptError::Event(_) => "event",
            ReceiptError::Missing { field, .. }
            | ReceiptError::Unexpected { field, .. }
            | ReceiptError::Amount { field, .. }
            | ReceiptError::Id { field }
            | ReceiptError::Name { field }
            | ReceiptError::NotTheirs { field } => field,
            ReceiptError::Currency { .. } => "currency",
            ReceiptError::Time(_) => "ts",
            ReceiptError::Views(_) => "views",
            ReceiptError::Status(_) => "status",
            ReceiptError::Address(_) => "payer",
            ReceiptError::Signature => "signature",
            ReceiptError::Size(_) | ReceiptError::Json(_) | ReceiptError::Contradiction(_) => "",
        };
        let hint = match error {
            ReceiptError::Amount { text, .. } if text.contains(',') => {
                "; decimals stand behind a point, and nothing groups digits: 1234.50"
            }
            ReceiptError::Amount { text, .. } if text.contains('-') || text.contains('(') => {
                "; a receipt is of what was sold: a refund before the period is reported lowers the receipt itself"
            }
            ReceiptError::Missing { field: "payer", .. } => "; or say --payer",
            ReceiptError::Missing { field: "source", .. } => "; or say --source",
            _ => "",
        };
        Self::new(line, field, format!("{error}{hint}"))
    }
}

/// A file of refusals, made when there is a first one: CSV with `file,line,field,reason`.
pub struct RejectFile<'a> {
    path: &'a Path,
    out: Option<BufWriter<File>>,
    count: u64,
}

impl<'a> RejectFile<'a> {
    /// To be written at `path`, over what was there.
    pub fn new(path: &'a Path) -> Self {
        Self { path, out: None, count: 0 }
    }

    /// How many refusals are in it.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a refusal.
    ///
    /// # Errors
    /// The disk's.
    pub fn push(&mut self, file: &str, refusal: &Refusal) -> io::Result<()> {
        let out = match &mut self.out {
            Some(out) => out,
            none => {
                let mut out = BufWriter::new(File::create(self.path)?);
                out.write_all(b"file,line,field,reason\n")?;
                none.insert(out)
            }
        };
        self.count += 1;
        let Refusal { line, field, reason } = refusal;
        writeln!(out, "{},{line},{},{}", quoted(file), quoted(field), quoted(reason))
    }

    /// Everything is on disk when it returns.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.out {
            Some(out) => {
                out.flush()?;
                out.get_ref().sync_all()
            }
            None => Ok(()),
        }
    }
}

/// A cell that no spreadsheet takes for anything but text, whatever a hostile file wrote into it.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if guard.is_empty() && !plain.contains([',', '"']) {
        return plain;
    }
    format!("\"{guard}{}\"", plain.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_to_a_spreadsheet_whatever_it_says() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=cmd()", "\"'=cmd()\""),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }
}
