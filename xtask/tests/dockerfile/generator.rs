//! Random Dockerfiles, most of them valid, the same for the same seed.

/// Images; some are also names of stages.
const IMAGES: [&str; 16] = [
    "i",
    "i:1",
    "me/i",
    "docker.io/library/i",
    "r.io/me/i:t",
    "scratch",
    "a",
    "b",
    "c",
    "i-$X",
    "i:${Y}",
    "${B}",
    "${N:-i:2}",
    "i$E",
    "\"i\"",
    "${X:+z}$TARGETARCH",
];
const SOURCES: [&str; 12] =
    ["a", "b", "c", "A", "0", "1", "i", "me/i:1", "scratch", "r.io/x", "\"i\"", "'b'"];
const FILLERS: [&str; 12] = [
    "# a comment",
    "",
    "ENV P=q Q=\"r s\"",
    "LABEL x=y",
    "USER 1",
    "WORKDIR /w",
    "ARG L=m",
    "EXPOSE 80",
    "HEALTHCHECK --interval=5s CMD true",
    "CMD [\"x\"]",
    "SHELL [\"/bin/sh\", \"-c\"]",
    "ONBUILD ENV Z=1",
];
const RUNS: [&str; 24] = [
    "true",
    "echo '<<E'",
    "echo \"<<E\" it",
    "[\"a\", \"<<E\"]",
    "cat <<E\nFROM q\nE",
    "cat <<-E\n\tCOPY --from=q x y\n\tE",
    "<<'E' cat <<\"F\"\n$X ${\nE\n\\\nF",
    "3<< E cat\nE",
    "cat <<<E",
    "echo $((1<<3))",
    "echo ${X:0:3} <<E\nE",
    "echo ${X:-\"y z\"} <<E\nE",
    "echo \\\n  x \\\n\n# c\n  y",
    "echo x \\  \n  y",
    "echo \\\\",
    "echo ${x%%y} \"${z//a/b}\"",
    "a$(b)'c' `d`",
    "echo it's",
    "x <<A y <<B z\n1\nA\n2\nB",
    "<<E\n\nE",
    "echo \"a\\\"<<E\"",
    "echo a\\ <<E",
    "cat <<E>f\nE>f",
    "echo $'<<E'",
];

/// A xorshift generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self((seed.wrapping_mul(2) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// A Dockerfile of up to four stages, and whether a few letters were changed in it.
    pub fn text(&mut self) -> (String, bool) {
        let mut lines = Vec::new();
        if self.chance(8) {
            lines.push(self.pick(&["# escape=\\", "# check=skip=all", "#!/x", "# c"]).to_owned());
        }
        lines.push("ARG X=x Y=\"y\" N".to_owned());
        lines.push("ARG E=".to_owned());
        lines.push("ARG B=${X:-c}".to_owned());
        for i in 0..=self.below(4) {
            lines.push(self.from(i));
            for _ in 0..self.below(5) {
                lines.push(self.instruction());
            }
        }
        let mut text = lines.join(self.pick(&["\n", "\n", "\n", "\r\n"]));
        let damaged = self.chance(5);
        if damaged {
            self.damage(&mut text);
        }
        (text, damaged)
    }

    fn from(&mut self, stage: usize) -> String {
        let keyword = self.pick(&["FROM", "FROM", "FROM", "from", "From", " FROM", "FROM \\\n"]);
        let platform = self.pick(&["", "", "", "", "--platform=$TARGETPLATFORM "]);
        let image = self.pick(&IMAGES);
        let name = match self.below(4) {
            0 => String::new(),
            _ => format!(" {} {}", self.pick(&["AS", "as", "As"]), ["a", "b", "C", "d"][stage]),
        };
        format!("{keyword} {platform}{image}{name}")
    }

    fn instruction(&mut self) -> String {
        match self.below(4) {
            0 => self.pick(&FILLERS).to_owned(),
            1 => {
                let other = self.pick(&["", "--link ", "--chown=1 ", "--chmod=755 "]);
                let files =
                    self.pick(&["x y", "[\"x\", \"y\"]", "x \\\n y", "<<E y\nE", "x $X/ y/"]);
                match self.below(3) {
                    0 => format!("COPY {other}{files}"),
                    _ => format!("COPY {other}--from={} x y", self.pick(&SOURCES)),
                }
            }
            _ => {
                let run = self.pick(&RUNS);
                let mount = match self.below(4) {
                    0 => format!("--mount=type=bind,from={},target=/m ", self.pick(&SOURCES)),
                    1 => self
                        .pick(&[
                            "--mount=target=/m ",
                            "--mount=type=cache,target=/m ",
                            "--network=none ",
                            "--mount='type=bind,\"from=i\",target=/m' ",
                            "--mount=type=cache,from=i:3,target=/m ",
                        ])
                        .to_owned(),
                    _ => String::new(),
                };
                format!("RUN {mount}{run}")
            }
        }
    }

    /// Puts something in or takes something out.
    fn damage(&mut self, text: &mut String) {
        for _ in 0..=self.below(2) {
            let mut at = self.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match self.below(3) {
                0 => drop(text.remove(at)),
                _ => {
                    let pieces =
                        ["\n", "\"", "'", "\\", "$", "<<E ", "#", " ", "{", "}", "\t", "é"];
                    text.insert_str(at, self.pick(&pieces));
                }
            }
        }
    }
}
