//! The cells of posted blobs on disk until they expire, and their archive in an object store.
//!
//! A blob is a square of data, R rows of 64 cells, extended to 2R rows of 128 (REF §3, C39). Cells are large, there are
//! many, they expire, and consensus never reads them: it agrees on headers and on who says that they hold the cells.
//! So they are not part of the state and not in its database; decision 0007 has the reasons.
//!
//! # A cell's way
//!
//! 1. Somebody announces a blob: [`BlobStore::create`] writes a file for it, with its header, its row commitments and its
//!    expiry.
//! 2. Cells arrive. Whoever holds the KZG set-up verifies them and says so by making [`VerifiedCells`], the only thing
//!    that [`BlobStore::put`] takes. The store itself knows no cryptography.
//! 3. They are written at fixed places, each with a checksum, and made durable; only then does the file's list of present
//!    cells name them, and only when that is durable does `put` return.
//! 4. [`BlobStore::get`] reads cells and compares checksums. A cell that does not match is reported as
//!    [`CellRead::Damaged`] once and is missing from then on, until it is put again.
//! 5. Publishing again extends the expiry; [`BlobStore::prune`] removes what has expired, a few blobs a call, by the
//!    chain's time that the caller states. The store has no clock.
//!
//! Before that, an archivist takes the data square, [`BlobStore::data_square`], to an [`Archive`]: k + m shards, any k of
//! which give it back.
//!
//! # What a crash leaves
//!
//! A blob is known or not, a cell is there whole or absent, and whatever a call acknowledged is there. [`layout`] says why.
//!
//! # Parts
//!
//! - [`geometry`], [`cell`], [`presence`], [`meta`]: the nouns. [`layout`]: their bytes on disk.
//! - `blob`: one blob's file; [`store`]: all of them, the quota and the index; `recover`: from a directory to a store.
//! - `disk`, `directory`, `handles`: calls to the system, whose directory it is, open files.
//! - [`config`], [`error`], [`stats`]: what a node chooses, why the store refuses, what it has done.
//! - [`service`]: what a node does with blobs: from a body to cells, to the chain, and back.
//! - [`archive`]: shards in a folder, or in a bucket that speaks S3.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod archive;
mod blob;
pub mod cell;
pub mod config;
mod directory;
mod disk;
pub mod error;
pub mod geometry;
mod handles;
pub mod layout;
pub mod meta;
pub mod presence;
mod prune;
mod recover;
pub mod service;
pub mod stats;
pub mod store;

pub use archive::Archive;
pub use cell::{Cell, CellRead, VerifiedCells};
pub use config::{BlobConfig, FailPoint, Fault, Step};
pub use error::BlobError;
pub use geometry::{Geometry, Position};
pub use meta::{BlobId, BlobMeta};
pub use presence::Presence;
pub use prune::Pruned;
pub use recover::Recovered;
pub use service::{BlobService, ServiceConfig, ServiceError};
pub use stats::BlobStats;
pub use store::{BlobStore, Put};
