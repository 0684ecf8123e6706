//! Whatever the text is: no panic, and every place lies within the text.

use crate::manifest::parse;
use std::time::Instant;

const SEEDS: [&str; 10] = [
    include_str!("good.toml"),
    include_str!("../../../../services/services.toml"),
    "[project]\nname='x'\nregistry='ghcr.io/x'\n[services.web]\nargs={A='b'}\n[groups]\nall=['web']\n",
    "project={name='x',registry='ghcr.io/x'}\n[services]\nweb={}\na.epoch=1\n[services.b]\nrefresh='7d'\n",
    "[project]\nname=\"x\"\nregistry=\"localhost:5000\"\nplatforms=[\n  'linux/arm/v7', # one\n]\n[services.a]\nssh=['default']\nshm-size='64m'\n",
    "[project]\nname='x'\nregistry='ghcr.io/x'\n[[services.a.secrets]]\nid='t'\nenv='T'\n[[services.a.secrets]]\nid='u'\nfile='f'\noptional=true\n",
    "[project]\nname='x'\nregistry='ghcr.io/x'\nsource='https://x.y'\n[bases.'debian:1']\nbootstrap.debian='sid'\n[services.a]\n",
    "[services.a]\ncontext='a/b'\ncontexts={b='c',d='docker-image://e'}\n[project]\nname='x'\nregistry='ghcr.io/x'\n",
    "[project]\nname='x'\nregistry='ghcr.io/x'\n[services.a]\nlabels.\"größe 𝄞\"=''\nextra-hosts={x='::1'}\n",
    "[project]\r\nname='x'\r\nregistry='ghcr.io/x'\r\n[services.a]\r\ndescription=\"\"\"\r\nlong\r\n\"\"\"\r\n",
];
/// Pieces that a TOML reader might stumble on.
const PIECES: [&str; 24] = [
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "ä",
    "𝄞",
    "\\u",
    ".",
    ",",
    "#",
    "[services]\n",
    "[[services.web.secrets]]\n",
    "services.web.args.X = 1\n",
    "= [[[[{a=",
];
const CASES: u64 = 20_000;

/// Marsaglia's xorshift: the same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn char(&mut self) -> char {
        let limit = [0x80, 0x800, 0x11_0000][self.below(3)];
        u32::try_from(self.below(limit)).ok().and_then(char::from_u32).unwrap_or('?')
    }

    /// One of: insert, delete, replace, splice lines, cut off, noise.
    fn mutate(&mut self, text: &mut String) {
        let at = self.place(text);
        match self.below(7) {
            0 => text.insert(at, self.char()),
            1 => text.insert_str(at, PIECES[self.below(PIECES.len())]),
            2 => {
                let end = at + self.place(&text[at..]).min(12);
                let end = (at..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(at);
                text.replace_range(at..end, "");
            }
            3 if at < text.len() => {
                text.remove(at);
                text.insert(at, self.char());
            }
            4 => {
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                let line = lines.get(self.below(lines.len())).copied().unwrap_or_default();
                let line = line.to_owned();
                text.insert_str(at, &line);
            }
            5 if self.below(20) == 0 => text.truncate(at),
            _ => {
                let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                text.insert_str(line_start, PIECES[self.below(PIECES.len())]);
            }
        }
    }
}

#[test]
fn no_text_makes_the_parser_panic_or_point_outside() {
    let start = Instant::now();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut good, mut mistakes) = (0, 0);
    for case in 0..CASES {
        let mut text = SEEDS[random.below(SEEDS.len())].to_owned();
        for _ in 0..=random.below(4) {
            random.mutate(&mut text);
        }
        match std::panic::catch_unwind(|| within(&text)) {
            Ok(0) => good += 1,
            Ok(count) => mistakes += count,
            Err(_) => panic!("case {case}: panic for {text:?}"),
        }
    }
    eprintln!("{CASES} texts, {good} good, {mistakes} mistakes, {:?}", start.elapsed());
    assert!(good > 0 && good < CASES / 2);
}

#[test]
fn noise_does_no_harm() {
    let mut random = Random(42);
    for _ in 0..2_000 {
        let length = random.below(60);
        let text: String = (0..length)
            .map(|_| match random.below(3) {
                0 => random.char().to_string(),
                _ => PIECES[random.below(PIECES.len())].to_owned(),
            })
            .collect();
        within(&text);
    }
}

/// How many mistakes there are; each must be shown at a place that exists.
fn within(text: &str) -> usize {
    let Err(mistakes) = parse("f", text) else { return 0 };
    assert!(!mistakes.is_empty());
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split('\n').collect();
    for mistake in &mistakes {
        let line = lines.get(mistake.line - 1).unwrap_or_else(|| panic!("{mistake:?}"));
        let length = line.chars().count();
        assert!(mistake.column >= 1 && mistake.column <= length + 1, "{mistake:?}");
        assert!(mistake.column + mistake.length <= length + 2, "{mistake:?}");
        assert!(!mistake.message.is_empty() && !mistake.to_string().is_empty());
    }
    mistakes.len()
}
