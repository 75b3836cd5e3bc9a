//! Which kind of file it is. Upholds [OPR-10].

use std::io::{self, BufRead};

use super::FileFault;

/// How receipts are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line of columns, then a receipt a line.
    Csv,
    /// A JSON object a line.
    NdJson,
    /// A JSON array of objects.
    Array,
}

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

impl Format {
    /// Looks at the first bytes. A mark of UTF-8 (BOM) and blanks before the first character are passed over.
    ///
    /// # Errors
    /// The reader's. Within: why it is none of them.
    pub fn detect(from: &mut impl BufRead) -> io::Result<Result<Self, FileFault>> {
        let first = from.fill_buf()?;
        if first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff") {
            return Ok(Err(FileFault::Utf16));
        }
        if first.starts_with(UTF8_MARK) {
            from.consume(UTF8_MARK.len());
        }
        // Lines are counted from the file's first: only what stands on that one is looked at here.
        let first = from.fill_buf()?;
        Ok(match first.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => Ok(Self::Array),
            Some(b'{') => Ok(Self::NdJson),
            Some(_) => Ok(Self::Csv),
            None => Err(FileFault::Empty),
        })
    }
}
