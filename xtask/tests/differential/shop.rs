//! A small repository of services that build on each other.

use super::bases::Bases;
use super::random::Random;
use super::recipe::{Entry, Names, REGISTRY, Recipe, Second, Source, Start, quoted};
use super::site::Site;
use super::steps::{SECRETS, Step, Surroundings};
use super::support::Repository;
use std::collections::BTreeSet;

const SERVICES: [&str; 4] = ["a", "b", "c", "d"];
/// The context of a service that is sent those of the others, too.
pub const ALL: &str = "services";
/// What the context of a new service has.
const FILES: [&str; 9] =
    ["a", "b", "c.txt", "src/a", "src/b.rs", "deep/er/x", ".hidden", "left.tmp", "odd name"];
const RULES: [&str; 6] =
    ["*.tmp\n.hidden", "src\n!src/a", "c.txt", "*\n!src", "deep\n!deep/er/*", "**/a\n!src"];

/// The repository, and what it was made from.
pub struct Shop {
    pub number: usize,
    pub repository: Repository,
    pub recipes: Vec<Recipe>,
    /// A label of all services
    pub source: String,
    /// External images
    bases: &'static Bases,
    /// Which of them are under its tags
    images: [usize; 2],
    /// Whether a service's name has a tag in Dockerfiles
    pub tagged: bool,
    pub random: Random,
    /// Numbers of steps go on
    pub next: usize,
}

impl Shop {
    /// With services whose features begin with a turn.
    pub fn new(number: usize, turn: usize, mut random: Random, bases: &'static Bases) -> Self {
        let mut shop = Self {
            number,
            repository: Repository::new(&[
                ("token", "secret"),
                ("shared/s", "s"),
                ("other/s", "t"),
            ]),
            recipes: Vec::new(),
            source: "https://example.invalid/shop".into(),
            bases,
            images: [0, 1],
            tagged: random.chance(3),
            random: Random::new(0),
            next: 0,
        };
        [0, 1].iter().for_each(|which| bases.put(*which, &shop.tag(*which)));
        for service in 0..2 + random.below(5) / 2 {
            let recipe = shop.recipe(turn + service, service, &mut random);
            shop.recipes.push(recipe);
            shop.fill(service, &mut random);
        }
        shop.repository.write(".gitignore", "*.tmp\n");
        shop.write();
        shop.repository.commit("all");
        shop.random = random;
        shop
    }

    fn recipe(&mut self, turn: usize, service: usize, random: &mut Random) -> Recipe {
        let mut step = Step::feature(turn, service, random);
        if service == 0 && self.is_anew() {
            // BuildKit's cache does not know whether a secret is there.
            step = Step::Look(Surroundings::Secret(SECRETS[0]));
        }
        let start = match (step.source(), random.below(8)) {
            // What is copied from is something else.
            (Some(Source::Service(_)), _) | (_, 1) => Start::Base(0),
            (_, 0) if !step.is_run() => Start::Scratch,
            _ => self.last_with_shell().map_or(Start::Base(0), Start::Service),
        };
        let name = SERVICES[service];
        let all = service > 0 && random.chance(8);
        let context = if all { ALL.to_owned() } else { format!("services/{name}") };
        let beside = format!("docker/{name}");
        let dockerfiles = [beside.clone(), beside, format!("{context}/Dockerfile")];
        let seconds = [Second::None, Second::None, Second::None, Second::Follows, Second::Beside];
        let mut recipe = Recipe {
            name,
            dockerfile: random.pick(&dockerfiles),
            context,
            comment: random.word(),
            global: random.word(),
            start,
            second: random.pick(&seconds),
            steps: [Vec::new(), Vec::new()],
            entry: entry(random),
        };
        let shell = self.has_shell(&recipe);
        let first = match step {
            Step::Bind => Step::GlobalEnv,
            _ => Step::first_copy(random),
        };
        if step.source() == Some(Source::Folder) {
            recipe.entry.folder = Some("shared");
        }
        recipe.steps[0] = vec![(self.number(), first), (self.number(), step)];
        if recipe.second != Second::None {
            let step = self.step(service, 1, &recipe, shell, random);
            recipe.steps[1].push((self.number(), step));
        }
        recipe
    }

    /// A random step for a service.
    pub fn step(
        &self,
        service: usize,
        stage: usize,
        recipe: &Recipe,
        shell: bool,
        random: &mut Random,
    ) -> Step {
        let mut sources: Vec<Source> = (0..service).map(Source::Service).collect();
        sources.push(Source::Base(1));
        sources.extend((stage == 1).then_some(Source::Stage));
        sources.extend(recipe.entry.folder.map(|_| Source::Folder));
        let has_run = recipe.steps[stage].iter().any(|(_, step)| step.is_run());
        if shell && !has_run && random.chance(3) {
            Step::run(random, &sources)
        } else {
            Step::plain(random, &sources)
        }
    }

    /// Every fourth is built without BuildKit's cache, which may take two states for one.
    pub fn is_anew(&self) -> bool {
        self.number % 4 == 3
    }

    fn last_with_shell(&self) -> Option<usize> {
        (0..self.recipes.len()).rev().find(|at| self.has_shell(&self.recipes[*at]))
    }

    /// Whether something can be run in its stages.
    pub fn has_shell(&self, recipe: &Recipe) -> bool {
        match recipe.start {
            Start::Scratch => false,
            Start::Base(_) => true,
            Start::Service(number) => self.has_shell(&self.recipes[number]),
        }
    }

    pub fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn fill(&self, service: usize, random: &mut Random) {
        let recipe = &self.recipes[service];
        if recipe.context == ALL {
            return;
        }
        let site = Site::new(self.repository.root().join(&recipe.context));
        for file in FILES {
            if !random.chance(4) {
                site.write(file, &random.word());
            }
        }
        ["twin", "twin2"].iter().for_each(|file| site.write(file, "twin"));
        site.link(random.pick(&["src", "/x", "b"]), "link");
        site.folder("empty");
        let [beside, inside] = ignore_files(recipe);
        let files = match random.below(4) {
            0 => vec![],
            1 => vec![beside],
            2 => vec![inside],
            _ => vec![beside, inside],
        };
        files.iter().for_each(|file| self.repository.write(file, random.pick(&RULES)));
    }

    pub fn names(&self) -> Names {
        let tag = if self.tagged { ":1" } else { "" };
        let name = |recipe: &Recipe| format!("{REGISTRY}/{}{tag}", recipe.name);
        let bases = [0, 1].map(|which| self.bases.name(&self.tag(which)));
        Names { services: self.recipes.iter().map(name).collect(), bases }
    }

    /// Writes manifest and Dockerfiles where they are not as they should be.
    pub fn write(&self) {
        let mut manifest = format!(
            "[project]\nname = \"shop\"\nregistry = {}\nsource = {}\n",
            quoted(REGISTRY),
            quoted(&self.source)
        );
        let names = self.names();
        names.bases.iter().for_each(|base| manifest += &format!("[bases.{}]\n", quoted(base)));
        for recipe in &self.recipes {
            manifest += &recipe.section();
            self.write_changed(&recipe.dockerfile, &recipe.dockerfile(&names));
        }
        self.write_changed("services/services.toml", &manifest);
    }

    fn write_changed(&self, path: &str, text: &str) {
        let there = std::fs::read_to_string(self.repository.root().join(path));
        if there.ok().as_deref() != Some(text) {
            self.repository.write(path, text);
        }
    }

    /// Services and all that may build on them.
    pub fn with_dependants(&self, mut touched: BTreeSet<usize>) -> BTreeSet<usize> {
        for (number, recipe) in self.recipes.iter().enumerate() {
            if recipe.context == ALL || !recipe.builds_on().is_disjoint(&touched) {
                touched.insert(number);
            }
        }
        touched
    }

    /// Tags that only this repository has.
    fn tag(&self, which: usize) -> String {
        format!("r{}-{which}", self.number)
    }

    /// Puts another image under the tag of a base.
    pub fn move_base(&mut self, which: usize) {
        let others = super::bases::IMAGES.len() - 1;
        self.images[which] = (self.images[which] + 1 + self.random.below(others)) % (others + 1);
        self.bases.put(self.images[which], &self.tag(which));
    }
}

fn entry(random: &mut Random) -> Entry {
    let mut entry = Entry {
        target: random.pick(&[None, None, Some("one")]),
        folder: random.pick(&[None, Some("shared")]),
        secret: random.pick(&[None, Some("s1")]),
        ..Entry::default()
    };
    if random.chance(2) {
        entry.args.insert("A".into(), random.word());
    }
    entry
}

/// The two files that may say what is left out.
pub fn ignore_files(recipe: &Recipe) -> [String; 2] {
    [format!("{}.dockerignore", recipe.dockerfile), format!("{}/.dockerignore", recipe.context)]
}
