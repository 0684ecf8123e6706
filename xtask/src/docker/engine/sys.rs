//! The few things that differ from system to system. Elsewhere than on Linux there is no private
//! engine: there the answers only have to lead to that error.

use camino::Utf8Path;
use std::io;
use std::time::Duration;

/// Which signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Asks a process to end
    Term,
    /// Ends a process
    Kill,
}

/// Whether we are root.
pub fn is_root() -> bool {
    #[cfg(target_os = "linux")]
    return rustix::process::geteuid().is_root();
    #[cfg(not(target_os = "linux"))]
    false
}

/// Sends a signal to a process if `still_meant`, which is asked once the process is pinned down: its
/// number cannot go to another one in between.
pub fn signal(pid: u32, signal: Signal, still_meant: &dyn Fn() -> bool) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        if still_meant() {
            let signal = match signal {
                Signal::Term => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            // A process that has ended by itself is as good.
            pidfd_send_signal(process, signal).ok();
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _unused = (pid, signal, still_meant);
}

/// Takes a mount away, also one that is still in use.
pub fn unmount(path: &Utf8Path) {
    #[cfg(target_os = "linux")]
    rustix::mount::unmount(path.as_std_path(), rustix::mount::UnmountFlags::DETACH).ok();
    #[cfg(not(target_os = "linux"))]
    let _unused = path;
}

/// How many megabytes are free for us where a folder is.
pub fn free_megabytes(path: &Utf8Path) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let space = rustix::fs::statvfs(path.as_std_path()).ok()?;
        Some(space.f_bavail.saturating_mul(space.f_frsize) / 1_000_000)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _unused = path;
        None
    }
}

/// Whether the file system of an empty folder can carry overlays. One overlay does not carry another.
pub fn carries_overlays(folder: &Utf8Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::mount::{MountFlags, mount};
        let [lower, upper, work, point] = ["l", "u", "w", "m"].map(|name| folder.join(name));
        let made =
            [&lower, &upper, &work, &point].iter().all(|one| std::fs::create_dir(one).is_ok());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        let Ok(options) = std::ffi::CString::new(options) else { return false };
        let point = point.as_std_path();
        let mounted =
            made && mount("overlay", point, "overlay", MountFlags::empty(), &*options).is_ok();
        if mounted {
            rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH).ok();
        }
        mounted
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _unused = folder;
        false
    }
}

/// What tells a folder from any other on this machine: two chroots have two roots.
pub fn identity(path: &Utf8Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = path.metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _unused = path;
        None
    }
}

/// Makes a symbolic link.
pub fn symlink(to: &str, at: &Utf8Path) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(to, at);
    #[cfg(not(unix))]
    {
        let _unused = (to, at);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Whether a Docker engine answers on a unix socket within `patience`.
pub fn answers(socket: &Utf8Path, patience: Duration) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::net::UnixStream;
        let Ok(stream) = UnixStream::connect(socket.as_std_path()) else { return false };
        stream.set_read_timeout(Some(patience)).is_ok()
            && stream.set_write_timeout(Some(patience)).is_ok()
            && says_ok(stream, "/_ping")
    }
    #[cfg(not(unix))]
    {
        let _unused = (socket, patience);
        false
    }
}

/// What a Docker engine on a unix socket answers to a GET with 200, within `patience`.
pub fn get(socket: &Utf8Path, path: &str, patience: Duration) -> Option<String> {
    #[cfg(unix)]
    {
        use io::{Read as _, Write as _};
        let mut stream = std::os::unix::net::UnixStream::connect(socket.as_std_path()).ok()?;
        stream.set_read_timeout(Some(patience)).ok()?;
        stream.write_all(request(path).as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        (head.split(' ').nth(1) == Some("200")).then(|| body.to_owned())
    }
    #[cfg(not(unix))]
    {
        let _unused = (socket, path, patience);
        None
    }
}

/// In the old version of HTTP, which knows no chunks and ends with the connection.
fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")
}

/// Whether a registry answers on a port of this machine within `patience`.
pub fn registry_answers(port: u16, patience: Duration) -> bool {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(stream) = std::net::TcpStream::connect_timeout(&address, patience) else { return false };
    stream.set_read_timeout(Some(patience)).is_ok() && says_ok(stream, "/v2/")
}

fn says_ok(mut stream: impl io::Read + io::Write, path: &str) -> bool {
    let mut answer = [0; 12];
    stream.write_all(request(path).as_bytes()).is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.")
        && answer.ends_with(b" 200")
}
