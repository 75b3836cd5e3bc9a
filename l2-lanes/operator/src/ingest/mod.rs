//! Receipts from files and requests into the store: read strictly, one by one, and refused one by one.
//!
//! A file is CSV, NDJSON or a JSON array; its first character says which. It is read once, front to back, with memory for a few
//! thousand receipts whatever its size. What is refused goes to a [`RejectFile`] with its line, field and reason; everything else is in
//! the store, and reading the same file again changes nothing.
//!
//! - [`format`]: which of the three a file is. `lines`, `array`, `csv`: its records. [`reader`]: receipts out of records, by the lanes' own
//!   parser. [`refusal`]: why not. [`import`]: a file into the store.

mod array;
mod csv;
pub mod format;
pub mod import;
mod lines;
pub mod reader;
pub mod refusal;

pub use format::Format;
pub use import::{ImportError, Imported, Progress, import};
pub use reader::{Bounds, ReceiptReader};
pub use refusal::{FileFault, Refusal, RejectFile};
