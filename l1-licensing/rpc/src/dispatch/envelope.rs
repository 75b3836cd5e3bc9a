//! The JSON-RPC 2.0 envelope: one pass over the text, nothing copied but escaped method names.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    dispatch::depth,
    error::{PARSE_ERROR, RpcError},
    limits::Limits,
};

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Echoed as it came; `None` marks a notification, which is never answered.
    pub(crate) id: Option<&'a RawValue>,
    /// The method's name.
    pub(crate) method: Cow<'a, str>,
    /// Arguments, still as text.
    pub(crate) params: Option<&'a RawValue>,
}

/// A call, or what came in its place.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    /// A well-formed call.
    Call(Call<'a>),
    /// JSON, but no call.
    Invalid {
        /// Echoed where it could be read.
        id: Option<&'a RawValue>,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What one body or message asks.
#[derive(Debug)]
pub(crate) enum Request<'a> {
    /// A single call.
    One(Item<'a>),
    /// Calls to be answered together, in their order.
    Batch(Vec<Item<'a>>),
    /// More calls than allowed; only the first one's id was kept.
    TooMany {
        /// Calls counted.
        given: usize,
        /// Id of the first.
        first: Option<&'a RawValue>,
    },
}

impl<'a> Item<'a> {
    /// The id to answer under.
    pub(crate) fn id(&self) -> Option<&'a RawValue> {
        match self {
            Self::Call(call) => call.id,
            Self::Invalid { id, .. } => *id,
        }
    }
}

/// Reads a body.
///
/// # Errors
/// [`PARSE_ERROR`] where it is not JSON, not UTF-8, or nests too deeply.
pub(crate) fn parse<'a>(body: &'a [u8], limits: &Limits) -> Result<Request<'a>, RpcError> {
    if depth::exceeds(body, limits.json_depth) {
        return Err(refuse(format!("JSON nests deeper than {} levels", limits.json_depth)));
    }
    let text = std::str::from_utf8(body).map_err(refuse)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let request = deserializer.deserialize_any(RequestVisitor { most: limits.batch_calls });
    request.and_then(|request| deserializer.end().map(|()| request)).map_err(refuse)
}

fn refuse(why: impl fmt::Display) -> RpcError {
    RpcError::new(PARSE_ERROR, format!("parse error: {why}"))
}

/// Members of a call as they came.
#[derive(Default)]
struct Members<'a> {
    version: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    duplicate: bool,
}

impl<'a> Members<'a> {
    fn read<A: MapAccess<'a>>(mut map: A) -> Result<Self, A::Error> {
        let mut members = Self::default();
        while let Some(Name(name)) = map.next_key()? {
            let place = match &*name {
                "jsonrpc" => &mut members.version,
                "id" => &mut members.id,
                "method" => &mut members.method,
                "params" => &mut members.params,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            members.duplicate |= place.is_some();
            *place = Some(map.next_value()?);
        }
        Ok(members)
    }

    fn check(self) -> Item<'a> {
        let id = self.id.filter(|id| !matches!(id.get().as_bytes().first(), Some(b'{' | b'[')));
        let invalid = |why| Item::Invalid { id, why };
        if self.duplicate {
            return invalid("a member is given twice");
        }
        if self.id.is_some() && id.is_none() {
            return invalid("id must be a string, a number or null");
        }
        if self.version.is_none_or(|version| version.get() != "\"2.0\"") {
            return invalid("jsonrpc must be \"2.0\"");
        }
        match self.method.and_then(|raw| serde_json::from_str::<Name<'a>>(raw.get()).ok()) {
            Some(Name(method)) if !method.is_empty() => Item::Call(Call { id, method, params: self.params }),
            _ => invalid("method must be a string"),
        }
    }
}

/// A string, borrowed from the text unless it has escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Answers for JSON that is not an object: it is skipped, and reported in its place.
macro_rules! not_an_object {
    ($value:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a call or a batch of calls")
        }
    };
}

const NOT_AN_OBJECT: Item<'static> = Item::Invalid { id: None, why: "a call must be an object" };

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item<'de>;
    not_an_object!(NOT_AN_OBJECT);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Members::read(map).map(Members::check)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(NOT_AN_OBJECT)
    }
}

struct RequestVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = Request<'de>;
    not_an_object!(Request::One(NOT_AN_OBJECT));

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ItemVisitor.visit_map(map).map(Request::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items: Vec<Item<'de>> = Vec::new();
        while items.len() < self.most {
            let Some(item) = seq.next_element()? else { return Ok(Request::Batch(items)) };
            items.push(item);
        }
        let mut given = items.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            given += 1;
        }
        if given == items.len() {
            return Ok(Request::Batch(items));
        }
        Ok(Request::TooMany { given, first: items.first().and_then(Item::id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { batch_calls: 3, json_depth: 8, ..Limits::default() }
    }

    fn one(text: &str) -> String {
        match parse(text.as_bytes(), &limits()) {
            Ok(Request::One(item)) => show(&item),
            other => panic!("{other:?}"),
        }
    }

    fn show(item: &Item<'_>) -> String {
        let id = item.id().map_or("-", RawValue::get);
        match item {
            Item::Call(call) => format!("{id} {} {}", call.method, call.params.map_or("-", RawValue::get)),
            Item::Invalid { why, .. } => format!("{id} invalid: {why}"),
        }
    }

    #[test]
    fn a_call_is_read_whatever_the_order_of_its_members() {
        assert_eq!(one(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1, 2]}"#), "1 a [1, 2]");
        assert_eq!(
            one(r#" {"params":[],"x":{"y":[0]},"method":"a","id":"q","jsonrpc":"2.0"} "#),
            "\"q\" a []"
        );
        assert_eq!(one(r#"{"jsonrpc":"2.0","id":null,"method":"eth_\u0063all"}"#), "null eth_call -");
    }

    #[test]
    fn ids_are_echoed_exactly_even_where_no_number_type_holds_them() {
        for id in ["0", "-1", "1.5", "1e400", "123456789012345678901234567890", "\"\\u00e9\"", "null", "true"]
        {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#);
            assert_eq!(one(&text), format!("{id} a -"));
        }
    }

    #[test]
    fn a_call_without_id_is_a_notification() {
        assert_eq!(one(r#"{"jsonrpc":"2.0","method":"a"}"#), "- a -");
    }

    #[test]
    fn what_is_no_call_says_why() {
        let cases = [
            (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, "- invalid: id must be a string, a number or null"),
            (
                r#"{"jsonrpc":"2.0","id":[1],"method":"a"}"#,
                "- invalid: id must be a string, a number or null",
            ),
            (r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, "1 invalid: jsonrpc must be \"2.0\""),
            (r#"{"id":1,"method":"a"}"#, "1 invalid: jsonrpc must be \"2.0\""),
            (r#"{"jsonrpc":"2.0","id":1}"#, "1 invalid: method must be a string"),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "1 invalid: method must be a string"),
            (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, "1 invalid: method must be a string"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, "2 invalid: a member is given twice"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#, "1 invalid: a member is given twice"),
            ("{}", "- invalid: jsonrpc must be \"2.0\""),
            ("1", "- invalid: a call must be an object"),
            ("\"eth_call\"", "- invalid: a call must be an object"),
            ("null", "- invalid: a call must be an object"),
        ];
        for (text, want) in cases {
            assert_eq!(one(text), want, "{text}");
        }
    }

    #[test]
    fn a_batch_keeps_its_order_and_reports_each_bad_item_in_place() {
        let text = r#"[{"jsonrpc":"2.0","id":1,"method":"a"}, 7, [1,[2]]]"#;
        let Ok(Request::Batch(items)) = parse(text.as_bytes(), &limits()) else { panic!("a batch") };
        let shown: Vec<_> = items.iter().map(show).collect();
        assert_eq!(
            shown,
            ["1 a -", "- invalid: a call must be an object", "- invalid: a call must be an object"]
        );
        assert!(matches!(parse(b"[]", &limits()), Ok(Request::Batch(items)) if items.is_empty()));
    }

    #[test]
    fn a_batch_beyond_the_limit_is_counted_but_not_kept() {
        let call = r#"{"jsonrpc":"2.0","id":9,"method":"a"}"#;
        let text = format!("[{}]", vec![call; 1000].join(","));
        match parse(text.as_bytes(), &limits()) {
            Ok(Request::TooMany { given: 1000, first: Some(id) }) => assert_eq!(id.get(), "9"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_that_is_not_json_is_a_parse_error() {
        let texts: [&[u8]; 12] = [
            b"",
            b"{",
            b"[",
            b"{\"a\"",
            b"{} {}",
            b"[1,]",
            b"nul",
            b"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"a\"}",
            b"\xff\xfe",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}",
            b"{'id':1}",
            b"[1e]",
        ];
        for text in texts {
            let error = parse(text, &limits()).expect_err(&String::from_utf8_lossy(text));
            assert_eq!(error.code, PARSE_ERROR, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn nesting_is_refused_before_it_is_parsed() {
        let bomb = [vec![b'['; 1_000_000], vec![b']'; 1_000_000]].concat();
        let error = parse(&bomb, &limits()).expect_err("a bomb");
        assert_eq!(error.message, "parse error: JSON nests deeper than 8 levels");
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{}1{}}}"#,
            "[".repeat(9),
            "]".repeat(9)
        );
        assert_eq!(parse(deep.as_bytes(), &limits()).expect_err("deep").code, PARSE_ERROR);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = parse(&bytes, &limits());
        }

        #[test]
        fn no_brackets_and_quotes_make_it_panic(text in "[\\[\\]{}\",:0-9a\\\\ ]{0,64}") {
            let _ = parse(text.as_bytes(), &limits());
        }
    }
}
