//! JSON as a tree that keeps what serde_json's own would lose: keys given twice. Every node knows its place in the file.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::error::GenesisError;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// A whole number; others have no place in a genesis file.
    Number(u64),
    /// A number that is not whole, negative, or above 2⁶⁴ − 1, as serde_json reads it.
    OtherNumber(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn kind(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::OtherNumber(value) => value.clone(),
            Self::Text(value) => format!("{value:?}"),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
        }
    }
}

/// A value and its place, as `alloc.0x….balance`.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) path: String,
    pub(super) value: &'a Json,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Json) -> Self {
        Self { path: String::new(), value }
    }

    /// The error of a value that is of another kind.
    pub(super) fn is_not(&self, expected: &'static str) -> GenesisError {
        let path = if self.path.is_empty() { "the file".into() } else { self.path.clone() };
        GenesisError::Kind { path, expected, got: self.value.kind() }
    }

    /// The fields of an object.
    ///
    /// # Errors
    /// When it is none, and when a key is given twice.
    pub(super) fn fields(&self) -> Result<Vec<(&'a str, Node<'a>)>, GenesisError> {
        let Json::Object(fields) = self.value else { return Err(self.is_not("an object")) };
        let mut seen = std::collections::BTreeSet::new();
        let mut nodes = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if !seen.insert(key) {
                return Err(GenesisError::Duplicate { path });
            }
            nodes.push((key.as_str(), Node { path, value }));
        }
        Ok(nodes)
    }

    /// The elements of a list.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn elements(&self) -> Result<Vec<Node<'a>>, GenesisError> {
        let Json::List(values) = self.value else { return Err(self.is_not("a list")) };
        let node = |(index, value)| Node { path: format!("{}[{index}]", self.path), value };
        Ok(values.iter().enumerate().map(node).collect())
    }

    /// The error of a key that means nothing.
    pub(super) fn unknown(self) -> GenesisError {
        GenesisError::UnknownKey { path: self.path }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(u64::try_from(value).map_or_else(|_| Json::OtherNumber(value.to_string()), Json::Number))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber(value.to_string()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}
