//! From the bytes of a log to its lines, each with its time.
//!
//! Clusters are always asked for times, since a log is resumed by them. However the bytes are cut, the same log gives
//! the same pieces, so that a place in it can be counted.

use chrono::DateTime;

/// A line longer than this comes in pieces, so that no line needs unbounded memory here or in a browser.
pub const LONGEST_PIECE: usize = 64 * 1024;
/// Container runtimes cut long lines at 16 KiB (containerd) or 8 KiB (CRI-O), and kubelets up to 1.24 put a time
/// before each part in the midst of the line.
const PART: usize = 8 * 1024;
/// `2026-01-02T03:04:05.123456789+00:00` and the space after it.
const LONGEST_STAMP: usize = 36;

/// A line, or a piece of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Nanoseconds since 1970, as the cluster has it.
    pub at: i64,
    pub text: String,
    /// The line goes on in the next piece.
    pub cut: bool,
}

#[derive(Debug, Default)]
pub struct LineReader {
    unread: Vec<u8>,
    /// What is known of the line that is being read, without its time.
    line: Vec<u8>,
    /// Bytes of it that were read, those of earlier pieces included; absent before its time was read.
    length: Option<usize>,
    at: i64,
}

impl LineReader {
    /// The pieces that are whole by now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.unread.extend_from_slice(bytes);
        self.read(false)
    }

    /// What is left when the log ended, perhaps without a line's end.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = self.read(true);
        if self.length.take().is_some() {
            pieces.push(self.piece(false));
        }
        pieces
    }

    fn read(&mut self, ended: bool) -> Vec<Piece> {
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let Some(length) = self.length else {
                let Some((at, size)) = stamp(rest, ended) else {
                    break;
                };
                self.at = at.unwrap_or(self.at);
                self.length = Some(0);
                rest = &rest[size..];
                continue;
            };
            if length > 0 && length.is_multiple_of(PART) {
                match stamp(rest, ended) {
                    None => break,
                    Some((_, size)) => rest = &rest[size..],
                }
            }
            let until = (PART - length % PART).min(rest.len());
            if let Some(end) = rest[..until].iter().position(|byte| *byte == b'\n') {
                self.take(&rest[..end], &mut pieces);
                rest = &rest[end + 1..];
                if self.line.last() == Some(&b'\r') {
                    self.line.pop();
                }
                self.length = None;
                pieces.push(self.piece(false));
            } else {
                self.take(&rest[..until], &mut pieces);
                self.length = Some(length + until);
                rest = &rest[until..];
            }
        }
        self.unread = rest.to_vec();
        pieces
    }

    fn take(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) {
        self.line.extend_from_slice(bytes);
        while self.line.len() > LONGEST_PIECE {
            let mut end = LONGEST_PIECE;
            // Not within a character.
            while end > LONGEST_PIECE - 4 && self.line[end] & 0b1100_0000 == 0b1000_0000 {
                end -= 1;
            }
            let rest = self.line.split_off(end);
            pieces.push(self.piece(true));
            self.line = rest;
        }
    }

    /// Logs are whatever a program wrote; what is no text shows as such.
    fn piece(&mut self, cut: bool) -> Piece {
        let line = std::mem::take(&mut self.line);
        Piece {
            at: self.at,
            text: String::from_utf8(line)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            cut,
        }
    }
}

/// The time that these bytes begin with and its size with the space after it; no time and 0 when they begin with
/// something else. `None`: more bytes are needed to tell.
fn stamp(bytes: &[u8], ended: bool) -> Option<(Option<i64>, usize)> {
    let head = &bytes[..bytes.len().min(LONGEST_STAMP)];
    let end = head.iter().position(|byte| matches!(byte, b' ' | b'\n'));
    match end {
        None if head.len() < LONGEST_STAMP && !ended => None,
        Some(end) if head[end] == b' ' => {
            let at = std::str::from_utf8(&head[..end])
                .ok()
                .filter(|text| text.len() >= 20 && text.as_bytes()[4] == b'-')
                .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
                .and_then(|time| time.timestamp_nanos_opt());
            Some(at.map_or((None, 0), |at| (Some(at), end + 1)))
        }
        _ => Some((None, 0)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAMP: &str = "2026-01-02T03:04:05.000000006Z";

    fn at() -> i64 {
        DateTime::parse_from_rfc3339(STAMP)
            .unwrap()
            .timestamp_nanos_opt()
            .unwrap()
    }

    fn texts(pieces: Vec<Piece>) -> Vec<String> {
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn lines_come_whole_with_their_time() {
        let mut reader = LineReader::default();
        let first = reader.feed(format!("{STAMP} one\n{STAMP} tw").as_bytes());
        assert_eq!(
            first,
            [Piece {
                at: at(),
                text: "one".into(),
                cut: false
            }]
        );
        let more = reader.feed(format!("o\r\n{STAMP} \n{STAMP} thr").as_bytes());
        assert_eq!(texts(more), ["two", ""]);
        assert_eq!(texts(reader.feed(b"ee")), Vec::<String>::new());
        assert_eq!(texts(reader.finish()), ["three"]);
        assert!(reader.finish().is_empty());
    }

    #[test]
    fn a_line_without_a_time_has_that_of_the_line_before() {
        let mut reader = LineReader::default();
        let pieces = reader
            .feed(format!("{STAMP} one\nunable to read\nno time at all, and a long line it is\n").as_bytes());
        assert!(pieces.iter().all(|piece| piece.at == at()));
        assert_eq!(
            texts(pieces),
            ["one", "unable to read", "no time at all, and a long line it is"]
        );
    }

    #[test]
    fn a_line_of_any_length_comes_in_pieces_that_say_so() {
        let line = "ü".repeat(100_000);
        let mut reader = LineReader::default();
        let mut pieces = reader.feed(format!("{STAMP} {line}\n{STAMP} next\n").as_bytes());
        assert_eq!(pieces.pop().unwrap().text, "next");
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| piece.text.len() <= LONGEST_PIECE));
        let cuts: Vec<bool> = pieces.iter().map(|piece| piece.cut).collect();
        assert_eq!(cuts, [true, true, true, false]);
        assert_eq!(texts(pieces).concat(), line);
    }

    #[test]
    fn times_that_a_kubelet_put_into_a_long_line_are_taken_out() {
        for part in [PART, 2 * PART] {
            let line: String = ('a'..='z').cycle().take(200_000).collect();
            let parts: Vec<String> = line
                .as_bytes()
                .chunks(part)
                .map(|part| format!("{STAMP} {}", std::str::from_utf8(part).unwrap()))
                .collect();
            let mut reader = LineReader::default();
            let pieces = reader.feed(format!("{}\n{STAMP} next\n", parts.concat()).as_bytes());
            assert_eq!(texts(pieces).concat(), format!("{line}next"));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_survived() {
        let mut reader = LineReader::default();
        assert_eq!(texts(reader.feed(&[0xff, 0xfe, b'\n'])), ["\u{fffd}\u{fffd}"]);
        let continuation = vec![0x80; LONGEST_PIECE * 2];
        assert!(!reader.feed(&continuation).is_empty());
    }

    proptest! {
        #[test]
        fn pieces_are_the_same_however_the_bytes_are_cut(
            lines in proptest::collection::vec(("[a-zä 0-9:-]{0,60}", 1_usize..3_000), 0..6),
            cuts in proptest::collection::vec(0_usize..300_000, 0..8),
        ) {
            let lines: Vec<String> = lines.into_iter().map(|(text, times)| text.repeat(times)).collect();
            let log: String = lines.iter().map(|line| format!("{STAMP} {line}\n")).collect();
            let bytes = log.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut reader = LineReader::default();
            let mut pieces = Vec::new();
            for pair in cuts.windows(2) {
                pieces.extend(reader.feed(&bytes[pair[0]..pair[1]]));
            }
            pieces.extend(reader.finish());
            let mut whole = LineReader::default();
            prop_assert_eq!(&pieces, &whole.feed(bytes));
            let mut joined = vec![String::new()];
            for piece in &pieces {
                joined.last_mut().unwrap().push_str(&piece.text);
                if !piece.cut {
                    joined.push(String::new());
                }
            }
            joined.pop();
            prop_assert_eq!(joined, lines);
        }
    }
}
