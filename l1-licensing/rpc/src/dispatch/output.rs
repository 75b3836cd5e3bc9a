//! Answers as they go to the socket: small ones in one buffer, large ones beside it without being copied.

use bytes::Bytes;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::{
    dispatch::answer::{Answer, Reply},
    error::RpcError,
};

/// Answers from this length on are not copied into the buffer.
const APART: usize = 16 * 1024;

/// JSON text in pieces.
pub(crate) type Output = SmallVec<[Bytes; 1]>;

/// Writes response objects.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    done: Output,
    tail: Vec<u8>,
}

impl Writer {
    /// A writer with room for `bytes` of small answers.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { done: Output::new(), tail: Vec::with_capacity(bytes) }
    }

    /// Raw text between responses.
    pub(crate) fn text(&mut self, text: &[u8]) {
        self.tail.extend_from_slice(text);
    }

    /// One response object.
    pub(crate) fn response(&mut self, id: Option<&RawValue>, reply: Reply) {
        self.text(b"{\"jsonrpc\":\"2.0\",\"id\":");
        self.text(id.map_or("null", RawValue::get).as_bytes());
        match reply {
            Ok(answer) => {
                self.text(b",\"result\":");
                self.answer(answer);
            }
            Err(error) => {
                self.text(b",\"error\":");
                error.write(&mut self.tail);
            }
        }
        self.text(b"}");
    }

    /// One notification of a subscription; `id` is its quoted id.
    pub(crate) fn notification(&mut self, id: &str, result: Answer) {
        self.text(b"{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":");
        self.text(id.as_bytes());
        self.text(b",\"result\":");
        self.answer(result);
        self.text(b"}}");
    }

    fn answer(&mut self, answer: Answer) {
        if answer.len() < APART {
            return self.text(answer.as_bytes());
        }
        let bytes = match answer {
            Answer::Static(text) => Bytes::from_static(text.as_bytes()),
            Answer::Owned(text) => Bytes::from(text),
            Answer::Shared(text) => text,
        };
        if !self.tail.is_empty() {
            self.done.push(Bytes::from(std::mem::take(&mut self.tail)));
        }
        self.done.push(bytes);
    }

    /// The pieces in order.
    pub(crate) fn finish(mut self) -> Output {
        if !self.tail.is_empty() {
            self.done.push(Bytes::from(self.tail));
        }
        self.done
    }
}

/// A single response.
pub(crate) fn single(id: Option<&RawValue>, reply: Reply) -> Output {
    let small = reply.as_ref().map_or(128, |answer| if answer.len() < APART { answer.len() } else { 0 });
    let mut writer = Writer::with_capacity(48 + id.map_or(4, |id| id.get().len()) + small);
    writer.response(id, reply);
    writer.finish()
}

/// Responses as a batch has them.
pub(crate) fn list<'a>(responses: impl IntoIterator<Item = (Option<&'a RawValue>, Reply)>) -> Output {
    let mut writer = Writer::with_capacity(4096);
    let mut separator: &[u8] = b"[";
    for (id, reply) in responses {
        writer.text(separator);
        separator = b",";
        writer.response(id, reply);
    }
    writer.text(b"]");
    writer.finish()
}

/// A single error that answers no call in particular.
pub(crate) fn refusal(error: RpcError) -> Output {
    single(None, Err(error))
}

/// Bytes in all pieces.
pub(crate) fn length(output: &Output) -> usize {
    output.iter().map(Bytes::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(output: &Output) -> String {
        String::from_utf8(output.concat()).unwrap()
    }

    #[test]
    fn responses_carry_the_id_as_it_came() {
        let id = RawValue::from_string("\"x\"".into()).unwrap();
        assert_eq!(text(&single(Some(&id), Ok(Answer::TRUE))), r#"{"jsonrpc":"2.0","id":"x","result":true}"#);
        let error = RpcError::new(3, "execution reverted: \"no\"").with_text("0x01");
        assert_eq!(
            text(&refusal(error)),
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":3,"message":"execution reverted: \"no\"","data":"0x01"}}"#
        );
    }

    #[test]
    fn large_shared_answers_are_not_copied() {
        let shared = Bytes::from(vec![b'1'; APART]);
        let output = single(None, Ok(Answer::Shared(shared.clone())));
        assert_eq!(output.len(), 3);
        assert_eq!(output[1].as_ptr(), shared.as_ptr());
        assert_eq!(length(&output), text(&output).len());
        assert!(text(&output).ends_with("1}"));
    }
}
