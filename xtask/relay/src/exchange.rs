//! One request on its way through the relay, and its answer on the way back.
#![expect(clippy::disallowed_methods, reason = "delays requests on purpose")]

use crate::canned::Canned;
use crate::http::{Framing, Head, Part, go_on, walk};
use crate::relay::Shared;
use crate::rules::{Request, Then};
use crate::server::lock;
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::net::TcpStream;

/// How much of a body is held at a time, in bytes.
pub const BUFFER: usize = 64 << 10;

/// A connection that is read through a buffer.
pub type Reader = BufReader<TcpStream>;

/// One request and its answer.
pub struct Exchange<'a> {
    pub shared: &'a Shared,
    pub request: &'a Request,
    pub head: Head,
    pub client: &'a TcpStream,
}

impl Exchange<'_> {
    /// Whether the client's connection can be used for the next request.
    pub fn run(
        &mut self,
        reader: &mut Reader,
        upstream: &mut Option<Reader>,
        then: Option<Then>,
    ) -> io::Result<bool> {
        match &then {
            Some(Then::Cut) => return Ok(false),
            Some(Then::Answer(canned)) => return self.answer(reader, canned),
            Some(Then::Delay(wait)) => std::thread::sleep(*wait),
            Some(Then::Hold(gate)) => gate.pass(),
            Some(Then::Before(call)) => call(self.request),
            _ => {}
        }
        let upload_limit = match then {
            Some(Then::CutUpload(bytes)) => Some(bytes),
            _ => None,
        };
        let server = match upstream.take().filter(is_alive) {
            Some(server) => server,
            None => self.connect()?,
        };
        let server = upstream.insert(server);
        let whole = self.pass_request(reader, server, upload_limit)?;
        if upload_limit.is_some() {
            return Ok(false);
        }
        let answer = loop {
            let head = Head::read(server)?.ok_or(ErrorKind::UnexpectedEof)?;
            if !head.word(1).starts_with('1') {
                break head;
            }
        };
        self.shared.note(self.request, |entry| entry.status = answer.word(1).parse().ok());
        let mut answer = answer;
        let kept = self.pass_answer(server, &mut answer, then)?;
        if !kept || answer.closes() {
            *upstream = None;
        }
        Ok(kept && whole && !answer.closes() && !self.head.closes())
    }

    fn answer(&mut self, reader: &mut Reader, canned: &Canned) -> io::Result<bool> {
        go_on(&self.head, &mut self.client)?;
        walk(reader, self.head.request_framing(), &mut |_| Ok(()))?;
        self.shared.note(self.request, |entry| entry.status = Some(canned.status));
        self.client.write_all(&canned.to_bytes(&self.request.method))?;
        Ok(!self.head.closes())
    }

    fn connect(&self) -> io::Result<Reader> {
        let server = TcpStream::connect(self.shared.upstream)?;
        server.set_nodelay(true)?;
        Ok(BufReader::with_capacity(BUFFER, server))
    }

    /// Sends the request upstream; `false` where the upstream stopped reading before its end.
    fn pass_request(
        &mut self,
        reader: &mut Reader,
        server: &Reader,
        limit: Option<u64>,
    ) -> io::Result<bool> {
        go_on(&self.head, &mut self.client)?;
        let framing = self.head.request_framing();
        let mut head = self.head.clone();
        head.remove("expect");
        let mut writer = BufWriter::with_capacity(BUFFER, server.get_ref());
        writer.write_all(&head.to_bytes())?;
        let (mut sent, mut broken) = (0, false);
        let walked = walk(reader, framing, &mut |part| {
            let bytes = match part {
                Part::Framing(bytes) => bytes,
                Part::Data(bytes) => {
                    let room = limit.map_or(u64::MAX, |limit| limit - sent);
                    let bytes =
                        &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                    sent += bytes.len() as u64;
                    bytes
                }
            };
            let written = writer.write_all(bytes);
            broken = written.is_err();
            written?;
            if limit == Some(sent) { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
        });
        let flushed = writer.flush();
        drop(writer.into_parts());
        self.shared.note(self.request, |entry| entry.up = sent);
        if limit.is_some() || broken || flushed.is_err() {
            return Ok(false);
        }
        walked.map(|()| true)
    }

    /// Sends the answer back; `false` where the connection must not be used again.
    fn pass_answer(
        &self,
        server: &mut Reader,
        answer: &mut Head,
        then: Option<Then>,
    ) -> io::Result<bool> {
        self.rewrite(answer);
        let framing = answer.answer_framing(&self.request.method);
        match &then {
            Some(Then::LoseAnswer) => {
                self.pass_body(server, framing, &mut io::sink(), None)?;
                return Ok(false);
            }
            Some(Then::HoldAnswer(gate)) => gate.pass(),
            Some(Then::After(call)) => call(self.request),
            _ => {}
        }
        let limit = match then {
            Some(Then::CutAnswer(bytes)) => Some(bytes),
            _ => None,
        };
        let mut writer = BufWriter::with_capacity(BUFFER, self.client);
        writer.write_all(&answer.to_bytes())?;
        self.pass_body(server, framing, &mut writer, limit)?;
        writer.flush()?;
        Ok(limit.is_none() && framing != Framing::UntilClose)
    }

    fn pass_body(
        &self,
        server: &mut Reader,
        framing: Framing,
        client: &mut dyn Write,
        limit: Option<u64>,
    ) -> io::Result<()> {
        let (mut read, mut cut) = (0_u64, false);
        let walked = walk(server, framing, &mut |part| {
            let (bytes, counts) = match part {
                Part::Framing(bytes) => (bytes, false),
                Part::Data(bytes) => (bytes, true),
            };
            let room = usize::try_from(limit.map_or(u64::MAX, |limit| limit.saturating_sub(read)));
            let room =
                if counts { room.unwrap_or(usize::MAX).min(bytes.len()) } else { bytes.len() };
            if counts {
                read += bytes.len() as u64;
            }
            cut = limit.is_some_and(|limit| read > limit || (read == limit && counts));
            client.write_all(&bytes[..room])?;
            if cut { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
        });
        self.shared.note(self.request, |entry| entry.down = read);
        if cut { Ok(()) } else { walked }
    }

    /// An upstream that names itself by its own address names the relay instead.
    fn rewrite(&self, answer: &mut Head) {
        let own = lock(&self.shared.own).clone();
        let upstream = format!("http://{}/", self.shared.upstream);
        for (name, value) in &mut answer.headers {
            if name.eq_ignore_ascii_case("location")
                && let Some(path) = value.strip_prefix(&upstream)
            {
                *value = format!("http://{own}/{path}");
            }
        }
    }
}

/// Whether an idle connection has not been closed by the other side.
fn is_alive(reader: &Reader) -> bool {
    let stream = reader.get_ref();
    if !reader.buffer().is_empty() || stream.set_nonblocking(true).is_err() {
        return false;
    }
    let idle = matches!(stream.peek(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_ok() && idle
}
