//! From records to digests.

use super::record::Record;
use super::{Part, SCHEMA};
use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;

/// The digest of one part: its records in their order as bytes, however they were found.
pub fn of_part(part: Part, records: &[Record]) -> String {
    let mut encoded: Vec<Vec<u8>> = records.iter().map(Record::encode).collect();
    encoded.sort_unstable();
    let mut hash = started("xtask fingerprint part");
    put(&mut hash, part.name().as_bytes());
    hash.update(&(encoded.len() as u64).to_be_bytes());
    for record in &encoded {
        put(&mut hash, record);
    }
    hex(hash.finish().as_ref())
}

/// The digest of all parts.
pub fn of_parts(parts: &BTreeMap<Part, String>) -> String {
    let mut hash = started("xtask fingerprint");
    for (part, digest) in parts {
        put(&mut hash, part.name().as_bytes());
        put(&mut hash, digest.as_bytes());
    }
    hex(hash.finish().as_ref())
}

/// What is hashed, and the schema's version, first.
fn started(what: &str) -> Context {
    let mut hash = Context::new(&SHA256);
    put(&mut hash, what.as_bytes());
    hash.update(&SCHEMA.to_be_bytes());
    hash
}

fn put(hash: &mut Context, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Lower-case hex digits. A plain loop: this is called for each file, in a build without optimization.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut text = vec![0; bytes.len() * 2];
    let digits = text.as_mut_slice();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at] as usize;
        digits[2 * at] = DIGITS[byte >> 4];
        digits[2 * at + 1] = DIGITS[byte & 15];
        at += 1;
    }
    String::from_utf8(text).unwrap_or_default()
}
