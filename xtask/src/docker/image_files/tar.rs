//! Reads a tar archive entry by entry: ustar with the extensions of POSIX (pax) and GNU, as layers
//! have them.
//!
//! Nothing is unpacked. What is not understood is an error, never passed over.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Result};

const BLOCK: usize = 512;
/// The longest extended header that is read, in bytes.
const LIMIT: u64 = 16 << 20;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file
    Regular,
    /// Another name of a file
    HardLink,
    /// A symbolic link
    Symlink,
    /// A character device
    CharDevice,
    /// A block device
    BlockDevice,
    /// A folder
    Folder,
    /// A named pipe
    Fifo,
}

/// What stands in front of an entry's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name, as it stands there
    pub path: Vec<u8>,
    /// What it is
    pub kind: EntryKind,
    /// Permission bits
    pub mode: u32,
    /// The owner's number
    pub user: u64,
    /// The group's number
    pub group: u64,
    /// The length of its content
    pub size: u64,
    /// What a link links to
    pub link: Vec<u8>,
    /// A device's numbers
    pub device: (u64, u64),
    /// Extended attributes
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// An archive that is being read.
pub struct Archive<R> {
    reader: R,
    /// What is left of the current entry's content, and of the filling behind it
    content: u64,
    filling: u64,
}

/// What extended headers say of the entry behind them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Extended {
    fn is_empty(&self) -> bool {
        self.path.is_none() && self.link.is_none() && self.records.is_empty()
    }
}

impl<R: Read> Archive<R> {
    /// Of a stream of bytes, uncompressed.
    pub fn new(reader: R) -> Self {
        Self { reader, content: 0, filling: 0 }
    }

    /// The next entry; `None` after the last. What was not read of the one before is passed over.
    pub fn next_entry(&mut self) -> Result<Option<Header>> {
        let mut extended = Extended::default();
        loop {
            self.content(&mut |_| {})?;
            let Some(block) = self.block()? else {
                return if extended.is_empty() {
                    Ok(None)
                } else {
                    Err(bad("it ends within an entry"))
                };
            };
            let size = number(&block[124..136])?;
            self.begin(size);
            match block[156] {
                b'x' | b'X' => records(&self.whole()?, &mut extended.records)?,
                // Comments and the like: what concerns files is in headers of their own.
                b'g' => {}
                b'L' => extended.path = Some(until_nul(&self.whole()?).to_vec()),
                b'K' => extended.link = Some(until_nul(&self.whole()?).to_vec()),
                kind => return self.entry(&block, kind, extended).map(Some),
            }
        }
    }

    /// Hands the current entry's content over, piece by piece.
    pub fn content(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut buffer = [0; 1 << 16];
        while self.content + self.filling > 0 {
            let most = (self.content + self.filling).min(buffer.len() as u64) as usize;
            let read = match self.reader.read(&mut buffer[..most]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                return Err(bad("it ends within an entry"));
            }
            let of_content = self.content.min(read as u64) as usize;
            if of_content > 0 {
                take(&buffer[..of_content]);
            }
            self.content -= of_content as u64;
            self.filling -= (read - of_content) as u64;
        }
        Ok(())
    }

    /// Reads what stands behind the end, which writers fill up as they like.
    pub fn finish(mut self) -> Result<()> {
        std::io::copy(&mut self.reader, &mut std::io::sink()).map(drop)
    }

    fn begin(&mut self, size: u64) {
        self.content = size;
        self.filling = size.next_multiple_of(BLOCK as u64) - size;
    }

    fn whole(&mut self) -> Result<Vec<u8>> {
        if self.content > LIMIT {
            return Err(bad("an extended header is too long"));
        }
        let mut bytes = Vec::new();
        self.content(&mut |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    /// The next header; `None` at the end, which is an empty block or the end of the bytes.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.reader.read(&mut block[filled..]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(bad("it ends within a header")),
                Ok(read) => filled += read,
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let sum = |(at, byte): (usize, &u8)| {
            u64::from(if (148..156).contains(&at) { b' ' } else { *byte })
        };
        if block.iter().enumerate().map(sum).sum::<u64>() != number(&block[148..156])? {
            return Err(bad("a header's checksum is wrong"));
        }
        Ok(Some(block))
    }

    fn entry(&mut self, block: &[u8; BLOCK], kind: u8, extended: Extended) -> Result<Header> {
        let record = |name: &str| extended.records.get(name.as_bytes());
        if extended.records.keys().any(|name| name.starts_with(b"GNU.sparse.")) {
            return Err(bad("it has a sparse file, which is not understood"));
        }
        let decimal = |name: &str, field: &[u8]| match record(name) {
            Some(text) => {
                let text = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                text.ok_or_else(|| bad("an extended header has a number that is none"))
            }
            None => number(field),
        };
        let path = record("path").cloned().or(extended.path).unwrap_or_else(|| path(block));
        let link = record("linkpath").cloned().or(extended.link);
        let kind = entry_kind(kind, &path)?;
        let size = decimal("size", &block[124..136])?;
        // Only files have content, whatever the size says of a link's target.
        let size = if kind == EntryKind::Regular { size } else { 0 };
        self.begin(size);
        Ok(Header {
            kind,
            mode: (number(&block[100..108])? & 0o7777) as u32,
            user: decimal("uid", &block[108..116])?,
            group: decimal("gid", &block[116..124])?,
            size,
            link: link.unwrap_or_else(|| until_nul(&block[157..257]).to_vec()),
            device: (number(&block[329..337])?, number(&block[337..345])?),
            xattrs: xattrs(&extended.records),
            path,
        })
    }
}

fn entry_kind(kind: u8, path: &[u8]) -> Result<EntryKind> {
    Ok(match kind {
        // Archives from before folders had a kind of their own.
        0 if path.ends_with(b"/") => EntryKind::Folder,
        0 | b'0' | b'7' => EntryKind::Regular,
        b'1' => EntryKind::HardLink,
        b'2' => EntryKind::Symlink,
        b'3' => EntryKind::CharDevice,
        b'4' => EntryKind::BlockDevice,
        b'5' => EntryKind::Folder,
        b'6' => EntryKind::Fifo,
        other => return Err(bad(&format!("an entry's kind is {other:#04x}, which is unknown"))),
    })
}

/// The name in the header itself. GNU's own format has other things where ustar has the prefix.
fn path(block: &[u8; BLOCK]) -> Vec<u8> {
    let (name, prefix) = (until_nul(&block[..100]), until_nul(&block[345..500]));
    if &block[257..263] != b"ustar\0" || prefix.is_empty() {
        return name.to_vec();
    }
    [prefix, name].join(&b'/')
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits, or bytes of the number itself where the first bit is set (GNU).
fn number(field: &[u8]) -> Result<u64> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        let mut bytes = field.to_vec();
        bytes[0] &= 0x7f;
        let (high, low) = bytes.split_at(bytes.len() - 8);
        if high.iter().any(|byte| *byte != 0) {
            return Err(bad("a header has a number that is too large"));
        }
        return Ok(low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let text = until_nul(field).trim_ascii();
    let digit = |n: u64, b: &u8| match b {
        b'0'..=b'7' => n.checked_mul(8)?.checked_add(u64::from(b - b'0')),
        _ => None,
    };
    text.iter().try_fold(0, digit).ok_or_else(|| bad("a header has a number that is none"))
}

/// Lines `LENGTH KEY=VALUE`, in which the length counts the whole line.
fn records(mut bytes: &[u8], records: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Result<()> {
    let broken = || bad("an extended header is broken");
    while !bytes.is_empty() {
        let space = bytes.iter().position(|b| *b == b' ').ok_or_else(broken)?;
        let length = std::str::from_utf8(&bytes[..space]).ok().and_then(|t| t.parse().ok());
        let length: usize = length.filter(|l| *l > space + 1).ok_or_else(broken)?;
        let line = bytes.get(space + 1..length).and_then(|line| line.strip_suffix(b"\n"));
        let line = line.ok_or_else(broken)?;
        let equals = line.iter().position(|b| *b == b'=').ok_or_else(broken)?;
        records.insert(line[..equals].to_vec(), line[equals + 1..].to_vec());
        bytes = &bytes[length..];
    }
    Ok(())
}

fn xattrs(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let named = records.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(b"SCHILY.xattr.")?;
        Some((String::from_utf8_lossy(name).into_owned(), value.clone()))
    });
    named.collect()
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("not a tar archive that can be read: {what}"))
}
