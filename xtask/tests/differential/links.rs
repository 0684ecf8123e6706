//! Edits of links, of both kinds. Nothing where an edit does not fit.

use super::files::two;
use super::random::Random;
use super::site::Site;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

pub fn link_elsewhere(site: &Site, random: &mut Random) -> Option<()> {
    let link = random.any(&site.links())?;
    site.link(random.pick(&["a", "b", "src/a", "src", "/etc", "../x"]), &link);
    Some(())
}

pub fn link_to_nowhere(site: &Site, random: &mut Random) -> Option<()> {
    let link = random.any(&site.links())?;
    site.link(&random.word(), &link);
    Some(())
}

pub fn link_becomes_file(site: &Site, random: &mut Random) -> Option<()> {
    let link = random.any(&site.links())?;
    let text = fs::read_link(site.path(&link)).ok()?;
    site.write(&link, text.to_str()?);
    Some(())
}

pub fn file_becomes_link(site: &Site, random: &mut Random) -> Option<()> {
    let file = random.any(&site.files())?;
    let text = site.read(&file);
    (!text.is_empty()).then(|| site.link(&text, &file))
}

pub fn link_followed(site: &Site, random: &mut Random) -> Option<()> {
    let link = random.any(&site.links())?;
    let text = fs::read_to_string(site.path(&link)).ok()?;
    site.write(&link, &text);
    Some(())
}

pub fn new_link(site: &Site, random: &mut Random) -> Option<()> {
    let files = site.files();
    let inside: Vec<&String> = files.iter().filter(|file| !file.contains('/')).collect();
    let to = random.any(&inside)?;
    site.link(to, random.pick(&["l", "l2", "l.txt"]));
    Some(())
}

pub fn hard_link(site: &Site, random: &mut Random) -> Option<()> {
    let (one, other) = two(site, random)?;
    site.hard_link(&one, &other);
    Some(())
}

/// Two files of one content.
pub fn twins(site: &Site, _random: &mut Random) -> Option<()> {
    let [one, two] = ["twin", "twin2"];
    (site.is_file(one) && site.is_file(two)).then_some(())?;
    let same = site.meta(one).ino() == site.meta(two).ino();
    let mode = site.mode(one);
    site.hard_link(one, two);
    if same {
        site.write(two, &site.read(one));
        site.chmod(two, mode);
    }
    Some(())
}

/// The same content and bits, in a file of its own.
pub fn hard_link_broken(site: &Site, random: &mut Random) -> Option<()> {
    let linked: Vec<String> =
        site.files().into_iter().filter(|file| site.meta(file).nlink() > 1).collect();
    let file = random.any(&linked)?;
    let (mode, text) = (site.mode(&file), site.read(&file));
    site.write(&file, &text);
    site.chmod(&file, mode);
    Some(())
}
