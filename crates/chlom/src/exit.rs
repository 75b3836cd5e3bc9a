//! Exit codes that mean something; `--help` lists them.

use std::process::ExitCode;

use chlom_blobs::{BlobError, ServiceError};
use chlom_client::{
    ClientError,
    blobs::{publish::PublishError, read::ReadError},
};
use chlom_operator::{export::ExportError, sequence::SequenceError};
use chlom_pool::{JournalError, PoolError};
use chlom_rpc::BindError;
use chlom_store::StoreError;
use chlom_watcher::WatchError;

/// Bad arguments, or a genesis file that cannot be used. clap uses the same code.
const USAGE: u8 = 2;
/// The address cannot be listened on: taken, not permitted, or none of this machine's.
const PORT: u8 = 3;
/// Another process has the data directory.
const LOCKED: u8 = 4;
/// The data directory is not this chain's, or it is damaged.
const DATA: u8 = 5;

/// The chain refuses what was asked of it, or would.
const REFUSED: u8 = 6;

/// Part of the input is refused, the rest is taken.
const INCOMPLETE: u8 = 7;

/// Input of which a part is refused; the message says where it is listed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Incomplete(pub String);

/// What the chain refuses, or answers with a no.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub String);

/// An argument or file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub String);

/// Prints an error with its causes and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(code(error))
}

fn code_of_journal(error: &JournalError) -> u8 {
    match error {
        JournalError::Io { .. } => 1,
        JournalError::Locked { .. } => LOCKED,
        _ => DATA,
    }
}

fn code_of_receipts(error: &chlom_operator::StoreError) -> u8 {
    use chlom_operator::StoreError;
    match error {
        StoreError::Url { .. } | StoreError::NoLane(_) | StoreError::NoBatch(_) => USAGE,
        StoreError::Version { .. } | StoreError::Damaged(_) | StoreError::Currency { .. } => DATA,
        _ => 1,
    }
}

fn code_of_blobs(error: &BlobError) -> u8 {
    match error {
        BlobError::Locked { .. } => LOCKED,
        BlobError::Foreign { .. } | BlobError::Version { .. } | BlobError::Damaged { .. } => DATA,
        _ => 1,
    }
}

fn code_of_client(error: &ClientError) -> Option<u8> {
    match error {
        ClientError::Revert { .. } | ClientError::Failed { .. } | ClientError::Refused { .. } => {
            Some(REFUSED)
        }
        ClientError::Url { .. } | ClientError::Key(_) => Some(USAGE),
        _ => None,
    }
}

fn code_of_publishing(error: &PublishError) -> u8 {
    match error {
        PublishError::Client(error) => code_of_client(error).unwrap_or(1),
        _ => REFUSED,
    }
}

fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<Usage>() {
            return USAGE;
        }
        if cause.is::<Refused>() {
            return REFUSED;
        }
        if let Some(error) = cause.downcast_ref::<PublishError>() {
            return code_of_publishing(error);
        }
        match cause.downcast_ref::<ReadError>() {
            None => {}
            Some(ReadError::Client(error)) => return code_of_client(error).unwrap_or(1),
            Some(ReadError::Blob(error)) => return code_of_publishing(error),
            Some(_) => return REFUSED,
        }
        if cause.is::<Incomplete>() {
            return INCOMPLETE;
        }
        if let Some(chlom_operator::serve::ServeError::Listen { .. }) = cause.downcast_ref() {
            return PORT;
        }
        match cause.downcast_ref::<SequenceError>() {
            None => {}
            Some(SequenceError::Client(error)) => return code_of_client(error).unwrap_or(1),
            Some(SequenceError::Store(error)) => return code_of_receipts(error),
            Some(SequenceError::Led(_)) => return LOCKED,
            Some(SequenceError::Damaged { .. } | SequenceError::Foreign { .. }) => return DATA,
            Some(SequenceError::Currency { .. }) => return USAGE,
            Some(_) => return REFUSED,
        }
        match cause.downcast_ref::<ExportError>() {
            None => {}
            Some(ExportError::Client(error)) => return code_of_client(error).unwrap_or(1),
            Some(ExportError::Store(error)) => return code_of_receipts(error),
            Some(ExportError::NoPayee(_)) => return USAGE,
            Some(_) => return REFUSED,
        }
        if let Some(error) = cause.downcast_ref::<chlom_operator::StoreError>() {
            return code_of_receipts(error);
        }
        if let Some(code) = cause.downcast_ref::<ClientError>().and_then(code_of_client) {
            return code;
        }
        match cause.downcast_ref::<WatchError>() {
            Some(WatchError::Client(error)) => return code_of_client(error).unwrap_or(1),
            Some(WatchError::Locked { .. }) => return LOCKED,
            Some(WatchError::Foreign { .. } | WatchError::Damaged { .. }) => return DATA,
            Some(WatchError::Drill(_)) => return USAGE,
            _ => {}
        }
        if cause.is::<BindError>() {
            return PORT;
        }
        match cause.downcast_ref::<StoreError>() {
            Some(StoreError::Locked { .. }) => return LOCKED,
            Some(StoreError::Foreign { .. } | StoreError::Damaged { .. } | StoreError::Version { .. }) => {
                return DATA;
            }
            _ => {}
        }
        if let Some(ServiceError::Store(error)) = cause.downcast_ref::<ServiceError>() {
            return code_of_blobs(error);
        }
        if let Some(PoolError::Journal(journal)) = cause.downcast_ref::<PoolError>() {
            return code_of_journal(journal);
        }
    }
    1
}
