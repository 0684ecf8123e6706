//! The names of steps, as BuildKit and bake write them.

/// A vertex's name, taken apart: `[git-server builder 3/6] RUN make`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepName<'a> {
    /// The bake target
    pub target: Option<&'a str>,
    /// The platform, where there are several or another than the builder's
    pub platform: Option<&'a str>,
    /// What stands before the number: the stage, `internal`
    pub stage: Option<&'a str>,
    /// `3/6`
    pub number: Option<(usize, usize)>,
    /// The rest
    pub text: &'a str,
}

impl<'a> StepName<'a> {
    /// Takes a name apart; one without brackets is all text.
    pub fn parse(name: &'a str) -> Self {
        let whole = Self { text: name, ..Self::default() };
        let Some((inside, text)) = name.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            return whole;
        };
        let mut words: Vec<&str> = inside.split(' ').filter(|word| !word.is_empty()).collect();
        let number = words.last().and_then(|last| {
            let (step, all) = last.split_once('/')?;
            Some((step.parse().ok()?, all.parse().ok()?))
        });
        if number.is_some() {
            words.pop();
        }
        let mut words = words.into_iter().peekable();
        let target = words.next();
        let platform = words.next_if(|word| word.contains('/'));
        Self { target, platform, stage: words.next(), number, text: text.trim_start() }
    }

    /// Whether it is an instruction that could come from a cache: RUN, COPY, ADD, WORKDIR.
    pub fn is_step(&self) -> bool {
        self.number.is_some() && !self.text.starts_with("FROM ")
    }

    /// Whether it writes the image.
    pub fn is_export(&self) -> bool {
        ["exporting to image", "exporting to oci image format"].contains(&self.text)
    }

    /// The name without bake's target: `[builder 3/6] RUN make`.
    pub fn without_target(&self) -> String {
        let number = self.number.map(|(step, all)| format!("{step}/{all}"));
        let inside: Vec<&str> =
            self.platform.into_iter().chain(self.stage).chain(number.as_deref()).collect();
        format!("[{}] {}", inside.join(" "), self.text)
    }
}

/// With a single target buildx leaves its name out: put it where it stands otherwise.
pub(super) fn with_target(name: &str, target: &str) -> String {
    // This is buildx's own, and of no target.
    if name == "[internal] load local bake definitions" {
        return name.to_owned();
    }
    match name.strip_prefix('[') {
        Some(rest) => format!("[{target} {rest}"),
        None => format!("[{target}] {name}"),
    }
}
