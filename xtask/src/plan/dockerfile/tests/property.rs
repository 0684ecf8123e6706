//! Arbitrary text: no panic, no endless loop, lines within the text.

use super::*;

/// Pieces that mean something to the reader.
const PIECES: [&str; 60] = [
    "FROM ",
    "a",
    " AS ",
    "x",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\\\n",
    "\\",
    "`\n",
    "# escape=`\n",
    "# syntax=",
    "# ",
    "ARG ",
    "X=",
    "$X",
    "${X}",
    "${X:-",
    "${X+",
    "${X#",
    "${X/",
    "}",
    "$",
    "{",
    "COPY ",
    "ADD ",
    "RUN ",
    "ONBUILD ",
    "ENV ",
    "--from=",
    "--mount=",
    "type=bind,",
    "from=",
    "--platform=",
    "0",
    "1",
    "-1",
    "99999999999999999999",
    "\"",
    "'",
    "[\"",
    "\", \"",
    "\"]",
    "[",
    "<<E",
    "<<-'E'",
    "<<",
    "E\n",
    "\nE\n",
    ",",
    "=",
    "http://",
    ".git",
    "git@x:",
    "é",
    "\u{feff}",
    "\u{a0}",
    "scratch",
    "--",
];

const SEEDS: [&str; 3] = [
    "# syntax=docker/dockerfile:1\nARG B=debian\nFROM ${B:-x} AS base\nRUN --mount=type=bind,from=b,target=/x <<EOF\nFROM c\nEOF\nFROM base\nCOPY --from=base a b\n",
    "# escape=`\nFROM a AS b\nRUN x `\n  y\nADD [\"a\", \"b\"]\nRUN <<-E\n\tE\nFROM b\nCOPY --from=0 . .\n",
    "FROM scratch\nCOPY <<A <<B /\nA\nB\nADD x y /\nHEALTHCHECK --interval=1s CMD [\"x\"]\n",
];

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % n
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// A valid Dockerfile with pieces put in, cut out and doubled; or pieces alone.
    fn text(&mut self) -> String {
        let mut text = match self.below(4) {
            3 => String::new(),
            i => SEEDS[i].to_owned(),
        };
        for _ in 0..self.below(8) {
            let (from, to) = (self.boundary(&text), self.boundary(&text));
            match self.below(4) {
                0 if from < to => text.replace_range(from..to, ""),
                1 if from < to => {
                    let part = text[from..to].to_owned();
                    text.insert_str(to, &part);
                }
                _ => text.insert_str(from, PIECES[self.below(PIECES.len())]),
            }
        }
        text
    }
}

#[test]
fn arbitrary_text_is_read_without_panic() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut clear, mut refused) = (0, 0);
    for _ in 0..30_000 {
        let text = random.text();
        let lines = text.split('\n').count();
        let file = parse(&text);
        for stage in &file.stages {
            assert!((1..=lines).contains(&stage.line) && stage.last_line <= lines, "{text:?}");
            for instruction in &stage.instructions {
                let (first, last) = instruction.lines;
                assert!(stage.line < first && first <= last && last <= lines, "{text:?}");
            }
        }
        match ask(&text).arg("X", "x").answer() {
            Ok(reads) => {
                clear += usize::from(reads.unclear.is_empty());
                assert!(reads.references.iter().all(|r| r.line <= lines), "{text:?}");
                assert!(reads.unclear.iter().all(|u| (1..=lines).contains(&u.line)), "{text:?}");
            }
            Err(trouble) => {
                refused += 1;
                assert!((1..=lines).contains(&trouble.line), "{text:?}");
            }
        }
        let step = format!("[x {}/{}] {text}", random.below(9), random.below(9));
        lines_of_vertex(&file, &step);
    }
    // The mutations reach every kind of answer.
    assert!(clear > 1_000 && refused > 200, "{clear} clear, {refused} refused");
}

#[test]
fn long_nesting_does_not_exhaust_the_stack() {
    for piece in ["${X:-", "\"${X:-", "ONBUILD ", "[", "<<E ", "'", "--x=\""] {
        let text = format!("FROM a\nRUN {}\nFROM {}\n", piece.repeat(5_000), piece.repeat(5_000));
        drop(ask(&text).answer());
        drop(ask(&format!("FROM a\n{}", piece.repeat(5_000))).answer());
    }
}
