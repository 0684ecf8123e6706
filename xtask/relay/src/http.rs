//! As much of HTTP/1.1 as a relay and test servers need: heads, and bodies in their framings.

use std::io::{self, BufRead, Error, ErrorKind, Read as _, Write};

/// The longest head that is read, in bytes.
const HEAD_LIMIT: u64 = 64 << 10;

/// The first line and the headers of a message.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub start: String,
    pub headers: Vec<(String, String)>,
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// A piece of a body.
pub enum Part<'a> {
    /// Sizes and line ends between chunks
    Framing(&'a [u8]),
    /// The body's own bytes
    Data(&'a [u8]),
}

impl Head {
    /// Reads a head; `None` where the connection ended before it.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut limited = reader.take(HEAD_LIMIT);
        let mut head = Self::default();
        loop {
            let mut line = String::new();
            let read = limited.read_line(&mut line)?;
            if read == 0 && head.start.is_empty() {
                return Ok(None);
            }
            if !line.ends_with('\n') {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the head is cut or too long"));
            }
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(':') {
                _ if head.start.is_empty() && line.is_empty() => {}
                _ if head.start.is_empty() => line.clone_into(&mut head.start),
                _ if line.is_empty() => return Ok(Some(head)),
                Some((name, value)) => {
                    head.headers.push((name.to_owned(), value.trim().to_owned()));
                }
                None => return Err(Error::new(ErrorKind::InvalidData, "a header without a colon")),
            }
        }
    }

    /// The first header of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a header lists a word, as `Connection: close` does.
    pub fn says(&self, name: &str, word: &str) -> bool {
        let values = self.get(name).unwrap_or_default();
        values.split(',').any(|value| value.trim().eq_ignore_ascii_case(word))
    }

    /// Takes a header away.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }

    /// Words of the first line: `GET /v2/ HTTP/1.1`, `HTTP/1.1 200 OK`.
    pub fn word(&self, at: usize) -> &str {
        self.start.split(' ').nth(at).unwrap_or_default()
    }

    /// Whether the sender closes the connection after this message.
    pub fn closes(&self) -> bool {
        self.says("connection", "close") || self.start.contains("HTTP/1.0")
    }

    /// The framing of a request's body.
    pub fn request_framing(&self) -> Framing {
        self.framing(Framing::None)
    }

    /// The framing of the body of an answer to a method.
    pub fn answer_framing(&self, method: &str) -> Framing {
        let status = self.word(1);
        if method == "HEAD" || status.starts_with('1') || matches!(status, "204" | "304") {
            return Framing::None;
        }
        self.framing(Framing::UntilClose)
    }

    fn framing(&self, otherwise: Framing) -> Framing {
        if self.says("transfer-encoding", "chunked") {
            return Framing::Chunked;
        }
        match self.get("content-length").and_then(|length| length.parse().ok()) {
            Some(0) => Framing::None,
            Some(length) => Framing::Length(length),
            None => otherwise,
        }
    }

    /// Its bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Goes through a body piece by piece, without keeping it.
pub fn walk(
    reader: &mut impl BufRead,
    framing: Framing,
    each: &mut dyn FnMut(Part<'_>) -> io::Result<()>,
) -> io::Result<()> {
    match framing {
        Framing::None => Ok(()),
        Framing::Length(length) => pieces(reader, Some(length), each),
        Framing::UntilClose => pieces(reader, None, each),
        Framing::Chunked => loop {
            let line = line(reader)?;
            each(Part::Framing(&line))?;
            let size = String::from_utf8_lossy(&line);
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(Error::other)?;
            if size > 0 {
                pieces(reader, Some(size), each)?;
                each(Part::Framing(&self::line(reader)?))?;
                continue;
            }
            // Trailers, up to an empty line.
            loop {
                let line = self::line(reader)?;
                each(Part::Framing(&line))?;
                if line == b"\r\n" || line == b"\n" {
                    return Ok(());
                }
            }
        },
    }
}

/// Reads a body into memory.
pub fn collect(reader: &mut impl BufRead, framing: Framing) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    walk(reader, framing, &mut |part| {
        if let Part::Data(data) = part {
            bytes.extend_from_slice(data);
        }
        Ok(())
    })?;
    Ok(bytes)
}

/// Tells a client that waits for it to go on with the body.
pub fn go_on(head: &Head, client: &mut impl Write) -> io::Result<()> {
    if head.says("expect", "100-continue") {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        client.flush()?;
    }
    Ok(())
}

fn pieces(
    reader: &mut impl BufRead,
    length: Option<u64>,
    each: &mut dyn FnMut(Part<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut left = length.unwrap_or(u64::MAX);
    while left > 0 {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            let cut = || Error::new(ErrorKind::UnexpectedEof, "the body is cut");
            return if length.is_some() { Err(cut()) } else { Ok(()) };
        }
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        each(Part::Data(&piece[..size]))?;
        reader.consume(size);
        left -= size as u64;
    }
    Ok(())
}

fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.take(HEAD_LIMIT).read_until(b'\n', &mut line)?;
    if line.ends_with(b"\n") { Ok(line) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &str, framing: Framing) -> (String, String, String) {
        let mut reader = body.as_bytes();
        let (mut raw, mut data) = (Vec::new(), Vec::new());
        walk(&mut reader, framing, &mut |part| {
            match part {
                Part::Framing(bytes) => raw.extend_from_slice(bytes),
                Part::Data(bytes) => {
                    raw.extend_from_slice(bytes);
                    data.extend_from_slice(bytes);
                }
            }
            Ok(())
        })
        .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&raw), text(&data), text(reader))
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        let chunked = "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: t\r\n\r\n";
        let (raw, data, rest) = parts(&format!("{chunked}next"), Framing::Chunked);
        assert_eq!((raw.as_str(), data.as_str(), rest.as_str()), (chunked, "abcde", "next"));
        assert_eq!(parts("abcdef", Framing::Length(2)), ("ab".into(), "ab".into(), "cdef".into()));
        assert_eq!(parts("abc", Framing::UntilClose).1, "abc");
        assert_eq!(parts("abc", Framing::None).2, "abc");
    }

    #[test]
    fn heads_are_read() {
        let text =
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive, close\r\n\r\nabc";
        let head = Head::read(&mut text.as_bytes()).unwrap().unwrap();
        assert_eq!(head.answer_framing("GET"), Framing::Length(3));
        assert_eq!(head.answer_framing("HEAD"), Framing::None);
        assert!(head.closes());
        assert_eq!(head.to_bytes(), &text.as_bytes()[..text.len() - 3]);
        assert!(Head::read(&mut "".as_bytes()).unwrap().is_none());
        assert!(Head::read(&mut "GET / HT".as_bytes()).is_err());
        assert!(Head::read(&mut "GET / HTTP/1.1\r\nbad\r\n\r\n".as_bytes()).is_err());
    }
}
