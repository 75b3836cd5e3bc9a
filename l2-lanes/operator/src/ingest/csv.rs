//! CSV as spreadsheets export it (RFC 4180): a line of columns, then a receipt a line. Upholds [OPR-11].
//!
//! A line is a record: no field of a receipt has an end of line in it. So a quote that is never closed spoils its own line only, and
//! whoever reads on finds the next receipt.

use std::borrow::Cow;

use super::{FileFault, Refusal};

/// Every field that a receipt can have [LAN-30].
pub(super) const COLUMNS: [&str; 22] = [
    "event",
    "ts",
    "license_id",
    "currency",
    "payer",
    "source",
    "signature",
    "campaign",
    "title",
    "status",
    "txid",
    "order_id",
    "booking_id",
    "view_id",
    "value",
    "gross",
    "discount",
    "net",
    "price",
    "deposit",
    "kept",
    "views",
];

/// The columns of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header(Vec<&'static str>);

impl Header {
    /// Reads the first line.
    pub(super) fn read(line: &[u8]) -> Result<Self, FileFault> {
        let text = std::str::from_utf8(line).map_err(|_| FileFault::Header("it is not UTF-8".into()))?;
        if !text.contains(',') {
            for (sign, name) in [(';', "semicolons"), ('\t', "tabulators"), ('|', "bars")] {
                if text.contains(sign) {
                    return Err(FileFault::Delimiter(name));
                }
            }
        }
        let cells = split(text).map_err(|broken| FileFault::Header(broken.into()))?;
        let mut columns = Vec::new();
        for cell in cells {
            let known = COLUMNS.iter().find(|column| **column == cell.trim());
            let column = *known.ok_or_else(|| FileFault::Column(shortened(&cell)))?;
            if columns.contains(&column) {
                return Err(FileFault::ColumnTwice(column.into()));
            }
            columns.push(column);
        }
        Ok(Self(columns))
    }

    /// A line as the JSON that its receipt is, written to `json`. An empty cell is a field that is not there.
    pub(super) fn json(&self, line: u64, bytes: &[u8], json: &mut Vec<u8>) -> Result<(), Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to() + 1;
            Refusal::new(line, "", format!("byte {at} is not UTF-8; export as \"CSV UTF-8\""))
        })?;
        let cells = split(text).map_err(|broken| Refusal::new(line, "", broken))?;
        if cells.len() != self.0.len() {
            let (found, expected) = (cells.len(), self.0.len());
            let reason = format!(
                "it has {found} cells, the first line {expected}; a comma within a cell needs quotes around it"
            );
            return Err(Refusal::new(line, "", reason));
        }
        json.clear();
        json.push(b'{');
        for (column, cell) in self.0.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
            if json.len() > 1 {
                json.push(b',');
            }
            json.push(b'"');
            json.extend_from_slice(column.as_bytes());
            json.extend_from_slice(b"\":");
            push_string(json, cell);
        }
        json.push(b'}');
        Ok(())
    }
}

fn push_string(json: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        // Writing to memory does not fail.
        let _written = serde_json::to_writer(json, text);
        return;
    }
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 40 { text.chars().take(40).chain(['…']).collect() } else { text.to_owned() }
}

/// The cells of a line.
fn split(line: &str) -> Result<Vec<Cow<'_, str>>, &'static str> {
    let mut cells = Vec::with_capacity(8);
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (cell, after) = unquote(quoted)?;
                match after.strip_prefix(',') {
                    Some(after) => (cell, Some(after)),
                    None if after.is_empty() => (cell, None),
                    None => {
                        return Err(
                            "something follows a closing quote; within quotes a quote is written twice",
                        );
                    }
                }
            }
            None => match memchr::memchr2(b',', b'"', rest.as_bytes()) {
                None => (rest.into(), None),
                Some(at) if rest.as_bytes()[at] == b',' => (rest[..at].into(), Some(&rest[at + 1..])),
                Some(_) => {
                    return Err(
                        "a quote stands within a cell; put the whole cell in quotes and write it twice",
                    );
                }
            },
        };
        cells.push(cell);
        match after {
            Some(after) => rest = after,
            None => return Ok(cells),
        }
    }
}

/// What stands before the closing quote, and what behind it.
fn unquote(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut cell: Cow<'_, str> = "".into();
    let mut rest = text;
    loop {
        let at = memchr::memchr(b'"', rest.as_bytes()).ok_or("a quote is never closed on its line")?;
        let (part, after) = (&rest[..at], &rest[at + 1..]);
        if cell.is_empty() {
            cell = part.into();
        } else {
            cell.to_mut().push_str(part);
        }
        match after.strip_prefix('"') {
            Some(after) => {
                cell.to_mut().push('"');
                rest = after;
            }
            None => return Ok((cell, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_split_as_rfc_4180_says() {
        for (line, cells) in [
            ("a,b", vec!["a", "b"]),
            ("", vec![""]),
            (",", vec!["", ""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"x\"\"\",", vec!["say \"x\"", ""]),
            ("\"\",\"\"\"\"", vec!["", "\""]),
        ] {
            assert_eq!(split(line).unwrap(), cells, "{line}");
        }
        for line in ["\"a", "a\"b", "\"a\"b", "\"a\"\"", "a,\"", "\"a\" ,b"] {
            assert!(split(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_first_line_that_is_no_header_is_refused_with_what_to_do() {
        let fault = |line: &str| Header::read(line.as_bytes()).unwrap_err().to_string();
        assert!(fault("event;ts;value").contains("semicolons"));
        assert!(fault("event\tts").contains("tabulators"));
        assert!(fault("event,ts,email").contains("\"email\""));
        assert!(fault("event,ts,ts").contains("twice"));
        assert!(fault("2025-09-01,AST-1").contains("2025-09-01"));
        assert!(fault("\"event,ts").contains("never closed"));
        assert!(Header::read(b"event, ts ,\"value\"").is_ok());
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_as_it_was(cells in prop::collection::vec("[ -~äÄ€]{0,12}", 1..9)) {
            let line: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let line = line.join(",");
            prop_assert_eq!(split(&line).unwrap(), cells);
        }

        #[test]
        fn no_line_is_a_panic(line in "[\",a; \\\\]{0,30}") {
            let _read = split(&line);
            let _header = Header::read(line.as_bytes());
        }
    }
}
