//! The generated docker-compose.yml with the real compose: services that build on others, optional
//! secrets, arguments of the environment; building by bake and without.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use std::process::{Command, Stdio};
use support::{Ran, Repository, busybox, engine, unique};

const SERVICES: &str = "\
[services.base]
[services.web]
args = { DOLLAR = \"${x}$y\" }
volatile-args = [\"CA\", \"TOKEN\"]
secrets = [
  { id = \"ca\", file = \"gone\", optional = true },
  { id = \"token\", env = \"SECRET_TOKEN\", optional = true },
]
";
/// Builds only where the secrets are what the arguments say, and absent without them.
const WEB: &str = "\
FROM registry.invalid/small/base
ARG DOLLAR CA TOKEN
RUN --mount=type=secret,id=ca --mount=type=secret,id=token \\
    for name in ca token; do \\
        case $name in ca) want=$CA ;; *) want=$TOKEN ;; esac; file=/run/secrets/$name; \\
        if [ -z \"$want\" ]; then [ ! -e $file ]; else [ \"$(cat $file)\" = \"$want\" ]; fi || exit 1; \\
    done; [ \"$DOLLAR\" = '${x}$y' ] && [ -e /of-base ]
CMD [\"sleep\", \"100\"]
";

/// A compose project of its own name.
struct Project {
    repository: Repository,
    name: String,
}

impl Project {
    #[track_caller]
    fn compose(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.name]).args(args);
        command.current_dir(self.repository.root()).envs(&engine().env).stdin(Stdio::null());
        for name in ["CA", "TOKEN", "SECRET_TOKEN", "XTASK_SECRET_CA"] {
            command.env_remove(name);
        }
        command.envs(env.iter().copied());
        Ran::from(command.output().unwrap()).success().stdout
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.compose(&["down", "--volumes", "--timeout", "0"], &[]);
    }
}

#[test]
fn what_is_optional_or_only_built_on_is_no_trouble() {
    let base = "FROM busybox:debian\nRUN touch /of-base\n";
    let repository = busybox("registry.invalid/small", SERVICES, &[("base", base), ("web", WEB)]);
    repository.write("services/web/compose.yml", "service:\n  init: true\n");
    // The base is in the engine's own store then, and compose has to build the services themselves.
    engine().xtask(&repository, &["build-images", "base"]).run().success();
    repository.xtask(&["compose"]).run().success();
    repository.write("file", "the certificates");
    let project = Project { repository, name: unique("compose") };

    for bake in ["true", "false"] {
        let build = ["build", "--no-cache"];
        project.compose(&build, &[("COMPOSE_BAKE", bake)]);
        let given = [
            ("COMPOSE_BAKE", bake),
            ("XTASK_SECRET_CA", "file"),
            ("CA", "the certificates"),
            ("SECRET_TOKEN", "t"),
            ("TOKEN", "t"),
        ];
        project.compose(&build, &given);
    }
    engine().docker(&["image", "inspect", "small-base:local", "small-web:local"]);
    project.compose(&["up", "--detach", "--wait"], &[]);
    assert_eq!(project.compose(&["ps", "--all", "--services"], &[]).trim(), "web");
}
