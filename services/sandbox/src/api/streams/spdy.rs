//! Frames of SPDY/3.1, which `kubectl` before 1.31 brings its streams with.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

const VERSION: u16 = 3;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const FIN: u8 = 1;
/// More than this in one frame is refused; `kubectl` sends 32 KiB at a time.
const LARGEST: usize = 1024 * 1024;

/// What the other side sends, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Open {
        stream: u32,
        headers: Vec<(String, String)>,
        last: bool,
    },
    Data {
        stream: u32,
        bytes: Bytes,
        last: bool,
    },
    Reset {
        stream: u32,
    },
    Ping {
        id: u32,
    },
    GoAway,
    Other,
}

#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("frame too large")]
    TooLarge,
    #[error("frame cut short")]
    Short,
    #[error("headers cannot be decompressed")]
    Headers,
}

/// The words that header blocks of SPDY/3 begin with.
fn dictionary() -> Vec<u8> {
    const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status";
    const MORE: [&str; 8] = [
        "200 OK",
        "version",
        "HTTP/1.1",
        "url",
        "public",
        "set-cookie",
        "keep-alive",
        "origin",
    ];
    const TAIL: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
    let mut out = Vec::with_capacity(1423);
    for word in WORDS.split(' ').chain(MORE) {
        out.put_u32(u32::try_from(word.len()).unwrap_or(0));
        out.extend_from_slice(word.as_bytes());
    }
    out.extend_from_slice(TAIL.as_bytes());
    out
}

/// Reads frames out of bytes as they come.
pub struct Reader {
    buffer: BytesMut,
    headers: Decompress,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            buffer: BytesMut::new(),
            headers: Decompress::new(true),
        }
    }
}

impl Reader {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if it is there.
    pub fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        if self.buffer.len() < 8 {
            return Ok(None);
        }
        let word = u32::from_be_bytes([self.buffer[0], self.buffer[1], self.buffer[2], self.buffer[3]]);
        let flags = self.buffer[4];
        let length = usize::from(self.buffer[5]) << 16
            | usize::from(self.buffer[6]) << 8
            | usize::from(self.buffer[7]);
        if length > LARGEST {
            return Err(Malformed::TooLarge);
        }
        if self.buffer.len() < 8 + length {
            return Ok(None);
        }
        self.buffer.advance(8);
        let mut body = self.buffer.split_to(length).freeze();
        if word & 0x8000_0000 == 0 {
            return Ok(Some(Frame::Data {
                stream: word,
                bytes: body,
                last: flags & FIN != 0,
            }));
        }
        let kind = u16::try_from(word & 0xffff).unwrap_or(0);
        let needed = match kind {
            SYN_STREAM => 10,
            RST_STREAM | PING | GOAWAY => 4,
            _ => 0,
        };
        if body.len() < needed {
            return Err(Malformed::Short);
        }
        Ok(Some(match kind {
            SYN_STREAM => {
                let stream = body.get_u32();
                body.advance(6);
                Frame::Open {
                    stream,
                    headers: self.read_headers(&body)?,
                    last: flags & FIN != 0,
                }
            }
            RST_STREAM => Frame::Reset {
                stream: body.get_u32(),
            },
            PING => Frame::Ping { id: body.get_u32() },
            GOAWAY => Frame::GoAway,
            _ => Frame::Other,
        }))
    }

    fn read_headers(&mut self, block: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        let mut plain = Vec::with_capacity(4096);
        let mut rest = block;
        loop {
            let before = (self.headers.total_in(), plain.len());
            plain.reserve(4096);
            let result = self
                .headers
                .decompress_vec(rest, &mut plain, FlushDecompress::Sync);
            let taken = usize::try_from(self.headers.total_in() - before.0).unwrap_or(0);
            rest = &rest[taken.min(rest.len())..];
            match result {
                Err(error) if error.needs_dictionary().is_some() => {
                    self.headers
                        .set_dictionary(&dictionary())
                        .map_err(|_| Malformed::Headers)?;
                }
                Err(_) => return Err(Malformed::Headers),
                Ok(_) if rest.is_empty() && plain.len() == before.1 => break,
                Ok(_) if taken == 0 && plain.len() == before.1 => break,
                Ok(_) => {}
            }
            if plain.len() > LARGEST {
                return Err(Malformed::TooLarge);
            }
        }
        parse_headers(&plain).ok_or(Malformed::Headers)
    }
}

fn parse_headers(mut plain: &[u8]) -> Option<Vec<(String, String)>> {
    let text = |plain: &mut &[u8]| -> Option<String> {
        let length = usize::try_from(plain.try_get_u32().ok()?).ok()?;
        if plain.len() < length {
            return None;
        }
        let (text, rest) = plain.split_at(length);
        *plain = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let count = plain.try_get_u32().ok()?;
    (0..count)
        .map(|_| Some((text(&mut plain)?, text(&mut plain)?)))
        .collect()
}

/// Writes frames.
pub struct Writer {
    headers: Compress,
    has_dictionary: bool,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            headers: Compress::new(Compression::default(), true),
            has_dictionary: false,
        }
    }
}

fn control(kind: u16, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(8 + body.len());
    out.put_u16(0x8000 | VERSION);
    out.put_u16(kind);
    out.put_u32(u32::try_from(body.len()).unwrap_or(0) & 0x00ff_ffff);
    out.extend_from_slice(body);
    out.freeze()
}

impl Writer {
    /// Accepts a stream; there is nothing to say about it.
    pub fn reply(&mut self, stream: u32) -> Bytes {
        if !self.has_dictionary {
            // Fails only when something was compressed before.
            self.has_dictionary = self.headers.set_dictionary(&dictionary()).is_ok();
        }
        let no_headers = 0_u32.to_be_bytes();
        let mut block = Vec::with_capacity(64);
        let _ = self
            .headers
            .compress_vec(&no_headers, &mut block, FlushCompress::Sync);
        let mut body = stream.to_be_bytes().to_vec();
        body.extend_from_slice(&block);
        control(SYN_REPLY, &body)
    }
}

pub fn data(stream: u32, bytes: &[u8], last: bool) -> Bytes {
    let mut out = BytesMut::with_capacity(8 + bytes.len());
    out.put_u32(stream);
    let flags = if last { u32::from(FIN) << 24 } else { 0 };
    out.put_u32(flags | u32::try_from(bytes.len()).unwrap_or(0));
    out.extend_from_slice(bytes);
    out.freeze()
}

pub fn ping(id: u32) -> Bytes {
    control(PING, &id.to_be_bytes())
}

pub fn go_away() -> Bytes {
    control(GOAWAY, &[0; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client writes it.
    fn open(compress: &mut Compress, stream: u32, headers: &[(&str, &str)]) -> Bytes {
        let mut plain = Vec::new();
        plain.put_u32(u32::try_from(headers.len()).unwrap());
        for (name, value) in headers {
            for text in [name, value] {
                plain.put_u32(u32::try_from(text.len()).unwrap());
                plain.extend_from_slice(text.as_bytes());
            }
        }
        let mut block = Vec::with_capacity(1024);
        compress
            .compress_vec(&plain, &mut block, FlushCompress::Sync)
            .unwrap();
        let mut body = stream.to_be_bytes().to_vec();
        body.extend_from_slice(&[0; 6]);
        body.extend_from_slice(&block);
        control(SYN_STREAM, &body)
    }

    #[test]
    fn the_dictionary_is_the_known_one() {
        let mut compress = Compress::new(Compression::default(), true);
        assert_eq!(compress.set_dictionary(&dictionary()).unwrap(), 0xe3c6_a7c2);
        assert_eq!(dictionary().len(), 1423);
    }

    #[test]
    fn streams_open_and_carry_data() {
        let mut compress = Compress::new(Compression::default(), true);
        compress.set_dictionary(&dictionary()).unwrap();
        let mut wire = Vec::new();
        wire.extend_from_slice(&open(&mut compress, 1, &[("streamtype", "error")]));
        wire.extend_from_slice(&open(
            &mut compress,
            3,
            &[("streamtype", "stdin"), ("port", "80")],
        ));
        wire.extend_from_slice(&data(3, b"hello", true));
        wire.extend_from_slice(&ping(7));
        let mut reader = Reader::default();
        let mut frames = Vec::new();
        for byte in wire {
            reader.feed(&[byte]);
            while let Some(frame) = reader.next().unwrap() {
                frames.push(frame);
            }
        }
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            frames,
            [
                Frame::Open {
                    stream: 1,
                    headers: vec![header("streamtype", "error")],
                    last: false
                },
                Frame::Open {
                    stream: 3,
                    headers: vec![header("streamtype", "stdin"), header("port", "80")],
                    last: false
                },
                Frame::Data {
                    stream: 3,
                    bytes: Bytes::from_static(b"hello"),
                    last: true
                },
                Frame::Ping { id: 7 },
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn nonsense_never_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let mut reader = Reader::default();
            reader.feed(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }
}
