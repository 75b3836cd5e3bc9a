//! Lines of a file, with memory for one of them at most.

use std::io::{self, Read};

/// Most bytes of a line. A receipt in JSON has at most 4,096; this leaves room for blanks and quotes.
pub(super) const MOST_LINE_BYTES: usize = 16 * 1_024;
const BUFFER: usize = 256 * 1_024;

/// Lines of bytes, without what ends them (`\n` or `\r\n`).
pub(super) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    number: u64,
    over: bool,
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// It has more than [`MOST_LINE_BYTES`]; none of it was kept.
    TooLong,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, buffer: vec![0; BUFFER], start: 0, end: 0, number: 0, over: false }
    }

    /// The next line and its number, from 1.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        let mut searched = self.start;
        let mut too_long = false;
        let length = loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                break searched - self.start + at;
            }
            if self.end - self.start > MOST_LINE_BYTES {
                too_long = true;
                self.start = self.end;
            }
            searched = self.end - self.start;
            if self.over || !self.fill()? {
                self.over = true;
                let rest = self.end - self.start;
                if rest == 0 && !too_long {
                    return Ok(None);
                }
                break rest;
            }
            // What was there before is at the front by now, and has no end of line.
        };
        self.number += 1;
        let line = self.start..self.start + length;
        self.start = (line.end + 1).min(self.end);
        if too_long || length > MOST_LINE_BYTES {
            return Ok(Some((self.number, Line::TooLong)));
        }
        let line = &self.buffer[line];
        Ok(Some((self.number, Line::Whole(line.strip_suffix(b"\r").unwrap_or(line)))))
    }

    /// Moves what is there to the front and reads more behind it; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(to.len());
            let (now, later) = self.0.split_at(count);
            to[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn all(bytes: &[u8], at_once: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new(Drip(bytes, at_once));
        let mut out = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            out.push((number, if let Line::Whole(line) = line { Some(line.to_vec()) } else { None }));
        }
        out
    }

    #[test]
    fn lines_end_as_unix_and_windows_end_them_and_the_last_need_not() {
        let expected: Vec<_> =
            [(1, "a"), (2, ""), (3, "bc"), (4, "d\re")].map(|(n, t)| (n, Some(t.into()))).into();
        assert_eq!(all(b"a\r\n\nbc\nd\re", 1), expected);
        assert_eq!(all(b"a\n\nbc\r\nd\re\n", 3), expected);
        assert_eq!(all(b"", 1), []);
    }

    #[test]
    fn a_huge_line_is_passed_over_and_the_next_one_is_whole() {
        let mut bytes = vec![b'x'; 3 * BUFFER];
        bytes.extend_from_slice(b"\nnext\n");
        bytes.extend(vec![b'y'; MOST_LINE_BYTES]);
        bytes.extend_from_slice(b"\n");
        bytes.extend(vec![b'z'; MOST_LINE_BYTES + 1]);
        for at_once in [1_000, 70_000, usize::MAX] {
            let lines = all(&bytes, at_once);
            assert_eq!(lines[0], (1, None));
            assert_eq!(lines[1], (2, Some(b"next".to_vec())));
            assert_eq!(lines[2], (3, Some(vec![b'y'; MOST_LINE_BYTES])));
            assert_eq!(lines[3], (4, None));
            assert_eq!(lines.len(), 4);
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_a_split(text in "[ab\n]{0,200}", at_once in 1usize..9) {
            let mut expected: Vec<_> = text.split('\n').map(|line| Some(line.as_bytes().to_vec())).collect();
            if expected.last() == Some(&Some(Vec::new())) {
                expected.pop();
            }
            let found: Vec<_> = all(text.as_bytes(), at_once).into_iter().map(|(_, line)| line).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
