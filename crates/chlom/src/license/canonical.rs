//! The bytes that `metaHash` commits to: JSON with keys sorted by their UTF-8 bytes and no spaces. Upholds [GEN-10].

use alloy_primitives::{B256, keccak256};
use serde_json::{Map, Value};

/// keccak256 of the canonical text.
pub(crate) fn meta_hash(object: &Map<String, Value>) -> B256 {
    let mut text = String::new();
    write_object(object, &mut text);
    keccak256(text)
}

fn write_object(object: &Map<String, Value>, out: &mut String) {
    let mut keys: Vec<&String> = object.keys().collect();
    keys.sort_unstable();
    out.push('{');
    for (index, key) in keys.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        write(&object[key], out);
    }
    out.push('}');
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => write_object(object, out),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(value, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_order_of_keys_and_spaces_do_not_count_and_values_do() {
        let hash = |text: &str| meta_hash(&serde_json::from_str(text).unwrap());
        let one = hash(r#"{ "b": [1, {"z": "é", "a": null}], "a": 12.5 }"#);
        assert_eq!(one, keccak256(r#"{"a":12.5,"b":[1,{"a":null,"z":"é"}]}"#));
        assert_eq!(one, hash(r#"{"a":12.5,"b":[1,{"a":null,"z":"é"}]}"#));
        assert_ne!(one, hash(r#"{"a":12.5,"b":[1,{"a":null,"z":"e"}]}"#));
    }
}
