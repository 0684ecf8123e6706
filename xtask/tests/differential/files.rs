//! Edits of what is in a folder. Nothing where an edit does not fit.

use super::links;
use super::random::Random;
use super::site::Site;
use std::fs;

/// An edit.
pub type Edit = fn(&Site, &mut Random) -> Option<()>;

/// What the fingerprint could wrongly leave out.
pub const AIMED: [(&str, Edit); 25] = [
    ("the exec bit", exec_bit),
    ("other bits of a file", other_bits),
    ("the bits of a folder", folder_bits),
    ("bits of umask 002", group_bits),
    ("content, with size and time kept", same_size_and_time),
    ("two contents swapped", swapped),
    ("a letter moved to the next file", boundary),
    ("a file renamed", renamed),
    ("a folder renamed", folder_renamed),
    ("a name in capitals", capitals),
    ("a link elsewhere", links::link_elsewhere),
    ("a link to nowhere", links::link_to_nowhere),
    ("a link becomes a file of its text", links::link_becomes_file),
    ("a file becomes a link of its text", links::file_becomes_link),
    ("a link becomes what it leads to", links::link_followed),
    ("a new link", links::new_link),
    ("a new empty folder", new_folder),
    ("an empty folder removed", empty_folder_removed),
    ("a file becomes a folder", file_becomes_folder),
    ("an extended attribute", attribute),
    ("a hard link", links::hard_link),
    ("a hard link broken", links::hard_link_broken),
    ("a file that git ignores", ignored_by_git),
    ("a file that git does not know", untracked),
    ("an empty file", emptied),
];

/// The same, where BuildKit's cache would take the new state for the old one.
pub const UNCACHED: [(&str, Edit); 4] = [
    ("a capability", capability),
    ("another capability", capability),
    ("twins that become one file", links::twins),
    ("twins that become two files again", links::twins),
];

/// Any other.
pub const OTHER: [(&str, Edit); 7] = [
    ("a content", content),
    ("a content as it was", same_content),
    ("a new file", new_file),
    ("a file removed", removed),
    ("a file touched", touched),
    ("a folder of files", folder_of_files),
    ("a folder removed", folder_removed),
];

fn exec_bit(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    site.chmod(&file, site.mode(&file) ^ 0o111);
    Some(())
}

fn other_bits(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    site.chmod(&file, random.pick(&[0o600, 0o640, 0o444, 0o4755, 0o2755, 0o1644, 0o666, 0o777]));
    Some(())
}

fn folder_bits(site: &Site, random: &mut Random) -> Option<()> {
    let folder = random.any(&site.folders())?;
    site.chmod(&folder, random.pick(&[0o700, 0o711, 0o1777, 0o2755, 0o750]));
    Some(())
}

/// Nothing is published of a tree that has such bits: [`without_group_bits`] is never far.
fn group_bits(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    let mode = if site.mode(&file) & 0o100 == 0 { 0o664 } else { 0o775 };
    site.chmod(&file, mode);
    Some(())
}

/// Takes all such bits away.
pub fn without_group_bits(site: &Site) -> Option<()> {
    let files: Vec<String> = site.files();
    let with = |file: &&String| matches!(site.mode(file), 0o664 | 0o775);
    let with: Vec<&String> = files.iter().filter(with).collect();
    with.iter().for_each(|file| site.chmod(file, site.mode(file) & !0o020));
    (!with.is_empty()).then_some(())
}

fn same_size_and_time(site: &Site, random: &mut Random) -> Option<()> {
    let files: Vec<String> =
        site.files().into_iter().filter(|file| site.meta(file).len() > 0).collect();
    let file = random.any(&files)?;
    let time = site.meta(&file).modified().ok()?;
    let text = site.read(&file);
    let other = if text.starts_with('x') { "y" } else { "x" };
    let rest: String = text.chars().skip(1).collect();
    site.overwrite(&file, &format!("{other}{rest}"));
    let opened = fs::File::options().append(true).open(site.path(&file)).ok()?;
    opened.set_modified(time).ok()
}

fn swapped(site: &Site, random: &mut Random) -> Option<()> {
    let (one, other) = two(site, random)?;
    let (a, b) = (site.read(&one), site.read(&other));
    site.overwrite(&one, &b);
    site.overwrite(&other, &a);
    (a != b).then_some(())
}

fn boundary(site: &Site, random: &mut Random) -> Option<()> {
    let (one, next) = two(site, random)?;
    let mut text = site.read(&one);
    let letter = text.pop()?;
    site.overwrite(&one, &text);
    site.overwrite(&next, &format!("{letter}{}", site.read(&next)));
    Some(())
}

/// Two files, one after the other.
pub fn two(site: &Site, random: &mut Random) -> Option<(String, String)> {
    let files = site.files();
    let at = random.below(files.len().max(1));
    Some((files.get(at)?.clone(), files.get(at + 1)?.clone()))
}

fn renamed(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    let to = format!("{file}{}", random.below(10));
    site.rename(&file, &to);
    Some(())
}

fn folder_renamed(site: &Site, random: &mut Random) -> Option<()> {
    let folder = random.any(&site.folders())?;
    site.rename(&folder, &format!("{folder}{}", random.below(10)));
    Some(())
}

fn capitals(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    let to = file.to_uppercase();
    let (to, from) = if to == file { (file.to_lowercase(), file) } else { (to, file) };
    (to != from).then(|| site.rename(&from, &to))
}

fn new_folder(site: &Site, random: &mut Random) -> Option<()> {
    let path = site.fresh(random);
    site.folder(&path);
    Some(())
}

fn empty_folder_removed(site: &Site, random: &mut Random) -> Option<()> {
    let is_empty = |folder: &String| {
        fs::read_dir(site.path(folder)).is_ok_and(|mut entries| entries.next().is_none())
    };
    let empty: Vec<String> = site.folders().into_iter().filter(is_empty).collect();
    site.remove(&random.any(&empty)?);
    Some(())
}

fn file_becomes_folder(site: &Site, random: &mut Random) -> Option<()> {
    site.folder(&random.any(&site.files())?);
    Some(())
}

fn attribute(site: &Site, random: &mut Random) -> Option<()> {
    let all = [site.files(), site.folders()].concat();
    set(site, &random.any(&all)?, "user.x", random.word().as_bytes())
}

/// Version 2 of the kernel's structure, with one permitted capability.
fn capability(site: &Site, random: &mut Random) -> Option<()> {
    let mut value = [0; 20];
    value[0..4].copy_from_slice(&0x0200_0000_u32.to_le_bytes());
    value[5] = 1 << random.below(8);
    set(site, &random.any(&site.files())?, "security.capability", &value)
}

/// Nothing where the file system or the user cannot.
fn set(site: &Site, path: &str, name: &str, value: &[u8]) -> Option<()> {
    rustix::fs::setxattr(site.path(path), name, value, rustix::fs::XattrFlags::empty()).ok()
}

fn ignored_by_git(site: &Site, random: &mut Random) -> Option<()> {
    let files = site.files().into_iter().filter(|file| file.ends_with(".tmp"));
    let file = random.any(&files.collect::<Vec<_>>())?;
    site.overwrite(&file, &random.word());
    Some(())
}

fn untracked(site: &Site, random: &mut Random) -> Option<()> {
    site.write(random.pick(&["never", "src/never"]), &random.word());
    Some(())
}

fn emptied(site: &Site, random: &mut Random) -> Option<()> {
    site.overwrite(&random.any(&site.files())?, "");
    Some(())
}

fn content(site: &Site, random: &mut Random) -> Option<()> {
    let end = random.pick(&["", "\n", "\r\n"]);
    site.overwrite(&random.any(&site.files())?, &format!("{}{end}", random.word()));
    Some(())
}

fn same_content(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    site.overwrite(&file, &site.read(&file));
    Some(())
}

fn new_file(site: &Site, random: &mut Random) -> Option<()> {
    let path = site.fresh(random);
    site.write(&path, &random.word());
    Some(())
}

fn removed(site: &Site, random: &mut Random) -> Option<()> {
    site.remove(&random.any(&site.files())?);
    Some(())
}

/// Into the past, but not before the time that all is given (1 s after 1970).
fn touched(site: &Site, random: &mut Random) -> Option<()> {
    let file = fs::File::options().append(true).open(site.path(&random.any(&site.files())?));
    file.ok()?
        .set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000))
        .ok()
}

fn folder_of_files(site: &Site, random: &mut Random) -> Option<()> {
    let folder = site.fresh(random);
    for _ in 0..1 + random.below(4) {
        site.write(&format!("{folder}/{}", random.word()), &random.word());
    }
    Some(())
}

fn folder_removed(site: &Site, random: &mut Random) -> Option<()> {
    site.remove(&random.any(&site.folders())?);
    Some(())
}
