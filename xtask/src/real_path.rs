//! Where a path really leads.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::io;

/// The real path of one that is relative to a real folder: links in it are followed. The same as
/// [`Utf8Path::canonicalize_utf8`], which asks the system about every folder from the root of the disk;
/// this one is for the same question about each of a thousand services.
///
/// # Errors
/// Where the system cannot tell, or there is nothing.
pub fn below(folder: &Utf8Path, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let mut real = folder.to_owned();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => continue,
            Utf8Component::Normal(name) => real.push(name),
            _ => return folder.join(path).canonicalize_utf8(),
        }
        if real.symlink_metadata()?.is_symlink() {
            return folder.join(path).canonicalize_utf8();
        }
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::below;
    use camino::Utf8Path;

    #[test]
    #[cfg(unix)]
    fn it_is_what_the_system_says() {
        let folder =
            Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src").canonicalize_utf8().unwrap();
        for path in
            [".", "", "docker", "./docker/", "docker/bases/mod.rs", "docker/../time.rs", ".."]
        {
            let expected = folder.join(path).canonicalize_utf8().unwrap();
            assert_eq!(below(&folder, path.into()).unwrap(), expected, "{path}");
        }
        for path in ["absent", "absent/more", "lib.rs/more", "docker/absent"] {
            let expected = folder.join(path).canonicalize_utf8().unwrap_err();
            assert_eq!(below(&folder, path.into()).unwrap_err().kind(), expected.kind(), "{path}");
        }
        let proc = Utf8Path::new("/proc").canonicalize_utf8();
        if let Ok(proc) = proc {
            let expected = proc.join("self/fd").canonicalize_utf8().unwrap();
            assert_eq!(below(&proc, "self/fd".into()).unwrap(), expected);
        }
    }
}
