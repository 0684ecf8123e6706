//! Extended attributes, which are sent with files.

/// Those of a file, a folder or a link itself, by name.
#[cfg(target_os = "linux")]
pub fn of(path: &camino::Utf8Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    use rustix::fs::{lgetxattr, lgetxattr_query, llistxattr, llistxattr_query};
    use rustix::io::Errno;
    let trouble = |error: Errno| error.to_string();
    let length = match llistxattr_query(path.as_std_path()) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        length => length.map_err(trouble)?,
    };
    let mut names = vec![0; length];
    let length = llistxattr(path.as_std_path(), &mut names).map_err(trouble)?;
    names.truncate(length);
    let mut attributes = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let length = lgetxattr_query(path.as_std_path(), name).map_err(trouble)?;
        let mut value = vec![0; length];
        if length > 0 {
            let length = lgetxattr(path.as_std_path(), name, &mut value).map_err(trouble)?;
            value.truncate(length);
        }
        let name =
            String::from_utf8(name.to_vec()).map_err(|_| "a name is not UTF-8".to_owned())?;
        attributes.push((name, value));
    }
    attributes.sort_unstable();
    Ok(attributes)
}

/// buildx sends none of Apple's, and Windows has none.
#[cfg(not(target_os = "linux"))]
pub fn of(_path: &camino::Utf8Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    Ok(Vec::new())
}
