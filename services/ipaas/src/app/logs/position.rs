//! How far a log was read, so that reading goes on there without loss or repeat.
//!
//! Clusters go on from a whole second only, and several lines may have one time. So a position is the latest time that
//! was seen and how many pieces were read from its first line on, in the order of the log.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use platform::{ApiError, ApiResult};

const VERSION: u8 = 1;
const HEAD: usize = 9;
const ENTRY: usize = 24;
const SECOND: i64 = 1_000_000_000;

/// A place in the log of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Nanoseconds since 1970; 0: nothing was read yet.
    pub at: i64,
    /// Pieces read from the first of that time on.
    pub pieces: u32,
    /// Restarts of the container before this run of it.
    pub run: u32,
}

impl Position {
    /// Just before a line.
    #[must_use]
    pub fn before(at: i64, run: u32) -> Self {
        Self {
            at: at - 1,
            pieces: 0,
            run,
        }
    }

    pub fn advance(&mut self, at: i64) {
        if at > self.at {
            (self.at, self.pieces) = (at, 1);
        } else {
            self.pieces = self.pieces.saturating_add(1);
        }
    }

    /// What a cluster is asked to go on from: it takes whole seconds, and the parts of a long line have times of
    /// their own.
    #[must_use]
    pub fn since_time(&self) -> Option<String> {
        let from = DateTime::<Utc>::from_timestamp(self.at / SECOND - 1, 0)?;
        (self.at > 0).then(|| from.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// Judges the lines of a log that is read again.
    #[must_use]
    pub fn seen(&self) -> Seen {
        if self.at == 0 {
            Seen::Passed
        } else {
            Seen::Before(*self)
        }
    }
}

/// Whether what is read was read before.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    Before(Position),
    /// So many pieces more.
    Left(u32),
    Passed,
}

impl Seen {
    pub fn is_new(&mut self, at: i64) -> bool {
        match self {
            Self::Before(position) if at < position.at => return false,
            Self::Before(position) if at == position.at && position.pieces > 0 => {
                *self = Self::Left(position.pieces - 1);
                return false;
            }
            Self::Left(left) if *left > 0 => {
                *left -= 1;
                return false;
            }
            _ => {}
        }
        *self = Self::Passed;
        true
    }
}

/// Which container a position belongs to, in few bytes and the same in every process (FNV-1a).
#[must_use]
pub fn source_key(cluster: &str, pod: &str, container: &str) -> u64 {
    [cluster, pod, container]
        .join("/")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// The positions of all logs of a stream: what callers get as `cursor`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    /// When it was made, in seconds since 1970.
    pub as_of: i64,
    pub of: HashMap<u64, Position>,
}

impl Positions {
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(HEAD + ENTRY * self.of.len());
        bytes.push(VERSION);
        bytes.extend(self.as_of.to_be_bytes());
        for (key, position) in &self.of {
            bytes.extend(key.to_be_bytes());
            bytes.extend(position.at.to_be_bytes());
            bytes.extend(position.pieces.to_be_bytes());
            bytes.extend(position.run.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// # Errors
    /// 400 `invalid_cursor` for anything that [`Self::encode`] did not make.
    pub fn decode(cursor: &str) -> ApiResult<Self> {
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| read(&bytes))
            .ok_or_else(|| {
                ApiError::invalid(
                    "invalid_cursor",
                    "the cursor is not one of a log; open the log without it",
                )
            })
    }
}

fn read(bytes: &[u8]) -> Option<Positions> {
    let (head, entries) = bytes.split_at_checked(HEAD)?;
    let (entries, []) = entries.as_chunks::<ENTRY>() else {
        return None;
    };
    if head[0] != VERSION {
        return None;
    }
    let of = entries.iter().map(|entry| {
        let number = |from: usize| u64::from_be_bytes(entry[from..from + 8].try_into().expect("8 bytes"));
        let counts = number(16);
        let position = Position {
            at: number(8).cast_signed(),
            pieces: (counts >> 32) as u32,
            run: counts as u32,
        };
        (number(0), position)
    });
    Some(Positions {
        as_of: i64::from_be_bytes(head[1..].try_into().ok()?),
        of: of.collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a log up to `until` pieces, and then again from the position.
    fn resume(log: &[i64], until: usize, kept_from: usize) -> Vec<usize> {
        let mut position = Position::default();
        log[..until].iter().for_each(|at| position.advance(*at));
        let mut seen = position.seen();
        (kept_from..log.len())
            .filter(|place| seen.is_new(log[*place]))
            .collect()
    }

    #[test]
    fn lines_of_one_time_are_counted() {
        let log = [5, 7, 7, 7, 9];
        assert_eq!(resume(&log, 2, 0), [2, 3, 4]);
        assert_eq!(resume(&log, 4, 0), [4]);
        assert_eq!(resume(&log, 5, 0), Vec::<usize>::new());
        assert_eq!(resume(&log, 0, 0), [0, 1, 2, 3, 4]);
        assert_eq!(resume(&log, 2, 4), [4], "what was read is no longer there");
    }

    #[test]
    fn a_line_before_is_not_yet_seen() {
        let mut seen = Position::before(7, 0).seen();
        assert!(!seen.is_new(5) && seen.is_new(7) && seen.is_new(7));
    }

    #[test]
    fn a_cluster_goes_on_a_second_before() {
        let position = Position {
            at: 1_767_323_045_600_000_000,
            ..Position::default()
        };
        assert_eq!(position.since_time().as_deref(), Some("2026-01-02T03:04:04Z"));
        assert_eq!(Position::default().since_time(), None);
    }

    #[test]
    fn rubbish_is_no_cursor() {
        for text in ["", "@@", "AAAA", "AQAAAAAAAAAAAAA"] {
            assert_eq!(
                Positions::decode(text).unwrap_err().code,
                "invalid_cursor",
                "{text}"
            );
        }
        assert_ne!(source_key("a", "b", "c"), source_key("a", "bc", ""));
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(
            as_of in any::<i64>(),
            of in proptest::collection::hash_map(any::<u64>(), (any::<i64>(), any::<u32>(), any::<u32>()), 0..20),
        ) {
            let of = of
                .into_iter()
                .map(|(key, (at, pieces, run))| (key, Position { at, pieces, run }))
                .collect();
            let positions = Positions { as_of, of };
            prop_assert_eq!(Positions::decode(&positions.encode()).unwrap(), positions);
        }

        /// Two streams of one container race for the file, so times may go back a little.
        #[test]
        fn nothing_is_lost_or_repeated(
            steps in proptest::collection::vec(-2_i64..4, 0..40),
            until in 0_usize..40,
        ) {
            let log: Vec<i64> = steps
                .into_iter()
                .scan(1_000, |at, step| {
                    *at += step;
                    Some(*at)
                })
                .collect();
            let until = until.min(log.len());
            let expected: Vec<usize> = (until..log.len()).collect();
            prop_assert_eq!(resume(&log, until, 0), expected);
        }
    }
}
