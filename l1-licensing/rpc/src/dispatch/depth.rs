//! How deeply JSON text nests, found without recursion and before anything parses it.

use memchr::memchr2;

/// True where arrays and objects nest deeper than `limit`. The text need not be valid JSON.
pub(crate) fn exceeds(text: &[u8], limit: usize) -> bool {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(text, at),
            _ => {}
        }
    }
    false
}

/// The position after the closing quote of a string whose content starts at `at`.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_outside_of_strings_only() {
        assert!(!exceeds(b"[[[]]]", 3));
        assert!(exceeds(b"[[[]]]", 2));
        assert!(exceeds(b"{\"a\":{\"b\":[", 2));
        assert!(!exceeds(br#"["[[[[", "\"[[[", "\\"]"#, 1));
        assert!(!exceeds(b"[][][][]", 1));
    }

    #[test]
    fn broken_text_neither_panics_nor_hides_depth() {
        for text in [&b"\""[..], b"\"\\", b"\"\\\"", b"]]]]", b"", b"\"a\\"] {
            assert!(!exceeds(text, 1));
        }
        assert!(exceeds(&vec![b'['; 5_000_000], 64));
    }
}
