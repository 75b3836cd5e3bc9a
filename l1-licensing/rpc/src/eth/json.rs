//! JSON written straight into one buffer: blocks, transactions, receipts and logs are copied from the store's records to
//! the answer without a tree of values in between.

use alloy_primitives::{U256, hex};

use crate::dispatch::Answer;

/// A JSON text in the making. Commas are placed by looking at the byte before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Json(Vec<u8>);

impl Json {
    /// An empty text with room for `bytes`.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// The text.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The text so far.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Length of the text so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Copies JSON text (no comma is placed).
    pub(crate) fn raw(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    fn comma(&mut self) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(b',');
        }
    }

    /// Starts an object's member; the caller writes its value next. `name` must need no escaping.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.comma();
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        self
    }

    /// Starts an array's element; the caller writes its value next.
    pub(crate) fn item(&mut self) -> &mut Self {
        self.comma();
        self
    }

    /// `{`
    pub(crate) fn open_object(&mut self) {
        self.0.push(b'{');
    }

    /// `}`
    pub(crate) fn close_object(&mut self) {
        self.0.push(b'}');
    }

    /// `[`
    pub(crate) fn open_array(&mut self) {
        self.0.push(b'[');
    }

    /// `]`
    pub(crate) fn close_array(&mut self) {
        self.0.push(b']');
    }

    /// `null`
    pub(crate) fn null(&mut self) {
        self.0.extend_from_slice(b"null");
    }

    /// `true` or `false`
    pub(crate) fn bool(&mut self, value: bool) {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A decimal number.
    pub(crate) fn number(&mut self, value: u64) {
        self.0.extend_from_slice(value.to_string().as_bytes());
    }

    /// A quantity: hex without leading zeros.
    pub(crate) fn quantity(&mut self, value: u64) {
        self.digits(&value.to_be_bytes());
    }

    /// A quantity of 128 bits.
    pub(crate) fn quantity128(&mut self, value: u128) {
        self.digits(&value.to_be_bytes());
    }

    /// A quantity of 256 bits.
    pub(crate) fn quantity256(&mut self, value: &U256) {
        self.digits(&value.to_be_bytes::<32>());
    }

    fn digits(&mut self, big_endian: &[u8]) {
        self.0.extend_from_slice(b"\"0x");
        let first = big_endian.iter().position(|byte| *byte != 0).unwrap_or(big_endian.len());
        match big_endian.get(first) {
            None => self.0.push(b'0'),
            Some(byte) if *byte < 0x10 => {
                self.0.push(DIGITS[usize::from(*byte)]);
                self.hex_digits(&big_endian[first + 1..]);
            }
            Some(_) => self.hex_digits(&big_endian[first..]),
        }
        self.0.push(b'"');
    }

    /// Bytes: `"0x…"`, two digits each.
    pub(crate) fn hex(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(b"\"0x");
        self.hex_digits(bytes);
        self.0.push(b'"');
    }

    fn hex_digits(&mut self, bytes: &[u8]) {
        let start = self.0.len();
        self.0.resize(start + bytes.len() * 2, 0);
        hex::encode_to_slice(bytes, &mut self.0[start..]).expect("the room is twice the bytes");
    }

    /// A string, escaped.
    pub(crate) fn text(&mut self, value: &str) {
        serde_json::to_writer(&mut self.0, value).expect("a string is JSON and a vector takes it");
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl From<Json> for Answer {
    fn from(json: Json) -> Self {
        Self::Owned(json.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        write(&mut json);
        String::from_utf8(json.into_bytes()).unwrap()
    }

    #[test]
    fn quantities_are_the_shortest_hex() {
        for value in [0u64, 1, 15, 16, 255, 256, 4095, 4096, 0x1234_5678, u64::MAX] {
            assert_eq!(written(|j| j.quantity(value)), format!("\"{value:#x}\""));
            assert_eq!(written(|j| j.quantity256(&U256::from(value))), format!("\"{value:#x}\""));
            assert_eq!(written(|j| j.quantity128(value.into())), format!("\"{value:#x}\""));
        }
    }

    #[test]
    fn bytes_keep_their_zeros() {
        assert_eq!(written(|j| j.hex(&[])), "\"0x\"");
        assert_eq!(written(|j| j.hex(&[0, 1, 0xff])), "\"0x0001ff\"");
    }

    #[test]
    fn commas_stand_between_members_and_elements_only() {
        let text = written(|j| {
            j.open_object();
            j.key("a").open_array();
            j.item().quantity(1);
            j.item().null();
            j.close_array();
            j.key("b").open_object();
            j.close_object();
            j.key("c").text("say \"hi\"\n");
            j.key("d").bool(true);
            j.close_object();
        });
        assert_eq!(text, r#"{"a":["0x1",null],"b":{},"c":"say \"hi\"\n","d":true}"#);
    }
}
