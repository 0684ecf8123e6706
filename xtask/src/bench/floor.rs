//! What nobody can be faster than: reading all that is sent, and asking once about each service.

use crate::parallel;
use crate::process::{Command, Processes};
use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

/// How long each part took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Floor {
    /// SHA-256 of every file that is sent, on all cores
    pub hash: f64,
    /// `git status`, which is what it takes to know that no file has changed
    pub git_status: f64,
    /// One GET a service, over one connection
    pub gets: f64,
}

impl Floor {
    /// The whole, with every file read.
    pub fn total(&self) -> f64 {
        self.hash + self.gets
    }
}

/// Measures it. `images` are asked for at `host` under the tag `dev`.
pub fn measure(
    processes: &Processes,
    root: &Utf8Path,
    contexts: &[Utf8PathBuf],
    host: &str,
    images: &[String],
) -> Result<Floor> {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    parallel::map(threads, contexts, |context| hash(&root.join(context)))
        .into_iter()
        .collect::<Result<()>>()?;
    let hash = began.elapsed().as_secs_f64();
    let began = Instant::now();
    processes.read(&Command::new("ask git", "git").args(["status", "--porcelain"]).dir(root))?;
    let git_status = began.elapsed().as_secs_f64();
    let began = Instant::now();
    gets(host, images).with_context(|| format!("cannot ask the registry {host}"))?;
    Ok(Floor { hash, git_status, gets: began.elapsed().as_secs_f64() })
}

fn hash(folder: &Utf8Path) -> Result<()> {
    let mut context = Context::new(&SHA256);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().with_context(|| format!("cannot read `{folder}`"))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path().to_owned());
            } else {
                context.update(&std::fs::read(entry.path())?);
            }
        }
    }
    // Else nobody would need the digest, and it might not be computed.
    std::hint::black_box(context.finish());
    Ok(())
}

/// As little HTTP as it takes: a client's own costs are not part of the floor.
fn gets(host: &str, images: &[String]) -> Result<()> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    for image in images {
        let request = format!(
            "GET /v2/{image}/manifests/dev HTTP/1.1\r\nHost: {host}\r\n\
             Accept: application/vnd.oci.image.index.v1+json\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let length = head(&mut reader)?;
        let read = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        ensure!(read == length, "an answer was cut");
    }
    Ok(())
}

/// Reads the head of an answer, and gives the length of its body.
fn head(reader: &mut impl BufRead) -> Result<u64> {
    let mut length = 0;
    let mut status = String::new();
    reader.read_line(&mut status)?;
    ensure!(status.contains(" 200 "), "it answered `{}`", status.trim_end());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            return Ok(length);
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_far_as_needed() {
        let mut answer = "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 12\r\n\r\nbody".as_bytes();
        assert_eq!(head(&mut answer).unwrap(), 12);
        assert_eq!(answer, b"body");
        assert!(head(&mut "HTTP/1.1 404 Not Found\r\n\r\n".as_bytes()).is_err());
    }
}
