//! The body of an HTTP response.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::{
    dispatch::{
        budget::Share,
        output::{Output, length},
    },
    server::activity::Busy,
};

/// Pieces of text of a known total length. What they hold on to is given back when the last piece was handed over, or the
/// connection is gone.
#[derive(Debug, Default)]
pub(super) struct Payload {
    pieces: Output,
    next: usize,
    left: u64,
    _share: Share,
    busy: Option<Busy>,
}

impl Payload {
    /// A body of these pieces.
    pub(super) fn new(output: Output, share: Share) -> Self {
        let left = length(&output) as u64;
        Self { pieces: output, next: 0, left, _share: share, busy: None }
    }

    /// Marks the connection as busy until this body is gone.
    pub(super) fn holding(mut self, busy: Busy) -> Self {
        self.busy = Some(busy);
        self
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::new(Output::from_iter([bytes]), Share::default())
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.next;
        let Some(piece) = self.pieces.get_mut(next).map(std::mem::take) else { return Poll::Ready(None) };
        self.next += 1;
        self.left = self.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.pieces.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
