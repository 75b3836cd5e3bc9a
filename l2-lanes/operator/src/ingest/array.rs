//! The elements of a JSON array, one at a time: a file of any size, and memory for one element.

use std::io::{self, BufRead};

use super::lines::MOST_LINE_BYTES;

/// What comes next of an array.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element<'a> {
    /// An element that is an object, as it was written, and the line that it begins on.
    Object(u64, &'a [u8]),
    /// One with too many bytes.
    TooLong(u64),
    /// From here on it is no array of objects; nothing follows.
    Broken(u64, &'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Open,
    FirstOrClose,
    Object,
    CommaOrClose,
    End,
}

/// An array of objects.
pub(super) struct Array<R> {
    from: R,
    line: u64,
    expect: Expect,
    element: Vec<u8>,
    over: bool,
}

/// Where within an object a byte stands.
#[derive(Default)]
struct Inside {
    depth: u32,
    string: bool,
    escaped: bool,
}

impl Inside {
    /// Takes a byte of an object; whether the object ends with it.
    fn step(&mut self, byte: u8) -> bool {
        if self.string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

impl<R: BufRead> Array<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, line: 1, expect: Expect::Open, element: Vec::new(), over: false }
    }

    /// The next element; `None` behind the closing bracket.
    pub(super) fn next(&mut self) -> io::Result<Option<Element<'_>>> {
        if self.over {
            return Ok(None);
        }
        loop {
            let Some(byte) = self.peek()? else {
                self.over = true;
                let broken = Element::Broken(self.line, "the file ends within the array");
                return Ok(if self.expect == Expect::End { None } else { Some(broken) });
            };
            if byte.is_ascii_whitespace() {
                self.consume(byte);
                continue;
            }
            let (expect, what) = match (self.expect, byte) {
                (Expect::FirstOrClose | Expect::Object, b'{') => return self.object().map(Some),
                (Expect::Open, b'[') => (Expect::FirstOrClose, ""),
                (Expect::FirstOrClose | Expect::CommaOrClose, b']') => (Expect::End, ""),
                (Expect::CommaOrClose, b',') => (Expect::Object, ""),
                (Expect::Open, _) => (Expect::End, "an array begins with ["),
                (Expect::CommaOrClose, _) => (Expect::End, "a comma or ] is expected behind a receipt"),
                (Expect::End, _) => (Expect::End, "something follows the array"),
                (Expect::FirstOrClose | Expect::Object, _) => (Expect::End, "a receipt begins with {"),
            };
            if !what.is_empty() {
                self.over = true;
                return Ok(Some(Element::Broken(self.line, what)));
            }
            self.consume(byte);
            self.expect = expect;
        }
    }

    fn object(&mut self) -> io::Result<Element<'_>> {
        let (line, mut inside, mut too_long) = (self.line, Inside::default(), false);
        self.element.clear();
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                self.over = true;
                return Ok(Element::Broken(
                    line,
                    "the file ends within this receipt; a quote or } is missing",
                ));
            }
            let end = buffer.iter().position(|byte| inside.step(*byte));
            let part = &buffer[..end.map_or(buffer.len(), |end| end + 1)];
            self.line += memchr::memchr_iter(b'\n', part).count() as u64;
            too_long |= self.element.len() + part.len() > MOST_LINE_BYTES;
            if !too_long {
                self.element.extend_from_slice(part);
            }
            let count = part.len();
            self.from.consume(count);
            if end.is_some() {
                self.expect = Expect::CommaOrClose;
                return Ok(if too_long {
                    Element::TooLong(line)
                } else {
                    Element::Object(line, &self.element)
                });
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.from.fill_buf()?.first().copied())
    }

    fn consume(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.from.consume(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, at_once: usize) -> Vec<String> {
        let mut array = Array::new(io::BufReader::with_capacity(at_once, text.as_bytes()));
        let mut out = Vec::new();
        while let Some(element) = array.next().unwrap() {
            out.push(match element {
                Element::Object(line, text) => format!("{line} {}", String::from_utf8_lossy(text)),
                Element::TooLong(line) => format!("{line} too long"),
                Element::Broken(line, what) => format!("{line} broken: {what}"),
            });
        }
        out
    }

    #[test]
    fn elements_come_one_by_one_with_their_lines() {
        let text = " [ {\"a\":\"}]\\\"\"},\n\n{\"b\":{}},\n{\n} ] \n";
        for at_once in [1, 2, 7, 100] {
            assert_eq!(all(text, at_once), ["1 {\"a\":\"}]\\\"\"}", "3 {\"b\":{}}", "4 {\n}"]);
        }
        assert_eq!(all("[]", 1), Vec::<String>::new());
    }

    #[test]
    fn a_broken_array_says_where_and_what_came_before_counts() {
        for (text, last) in [
            ("[{},", "1 broken: the file ends within the array"),
            ("[{},\n{\"a\":\"", "2 broken: the file ends within this receipt; a quote or } is missing"),
            ("[{} {}]", "1 broken: a comma or ] is expected behind a receipt"),
            ("[{},]", "1 broken: a receipt begins with {"),
            ("[{},7]", "1 broken: a receipt begins with {"),
            ("[{}]\nx", "2 broken: something follows the array"),
        ] {
            let found = all(text, 3);
            assert_eq!((found.len(), found[0].as_str(), found[1].as_str()), (2, "1 {}", last), "{text}");
        }
        assert_eq!(all("{}", 3), ["1 broken: an array begins with ["]);
    }

    #[test]
    fn an_element_without_end_takes_no_memory() {
        let huge = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(1_000_000));
        assert_eq!(all(&huge, 4_096), ["1 too long", "1 {}"]);
    }
}
