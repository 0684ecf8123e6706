//! The relay as a program: prints its address, then a line for each request.

use relay::{Relay, Then, When};
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

const USAGE: &str = "usage: relay --upstream ADDRESS [--listen ADDRESS] [--rule K=ACTION]…
  K       the number of a request (from 1); `K+` means it and all that follow
  ACTION  status:CODE, delay:MILLISECONDS, cut, cut-upload:BYTES, cut-answer:BYTES, lose";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            writeln!(std::io::stderr(), "{problem}\n{USAGE}").ok();
            ExitCode::from(2)
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut upstream, mut listen, mut rules) =
        (None, SocketAddr::from(([127, 0, 0, 1], 0)), vec![]);
    while let Some(option) = args.next() {
        let value = args.next().ok_or(format!("`{option}` needs a value"))?;
        let address =
            || value.parse::<SocketAddr>().map_err(|_| format!("`{value}` is no address"));
        match option.as_str() {
            "--upstream" => upstream = Some(address()?),
            "--listen" => listen = address()?,
            "--rule" => rules.push(rule(&value)?),
            _ => return Err(format!("`{option}` is no option")),
        }
    }
    let upstream = upstream.ok_or("`--upstream` is missing")?;
    let relay =
        Relay::start_at(upstream, listen).map_err(|e| format!("cannot listen at {listen}: {e}"))?;
    for (when, then) in rules {
        relay.rule(when, then);
    }
    relay.watch(|entry| {
        let status = entry.status.map_or("-".to_owned(), |status| status.to_string());
        let rule = entry.rule.as_deref().unwrap_or("-");
        let (number, method, path) = (entry.number, &entry.method, &entry.path);
        say(&format!("{number} {method} {path} {status} {} {} {rule}", entry.up, entry.down));
    });
    say(&relay.address().to_string());
    loop {
        std::thread::park();
    }
}

fn rule(text: &str) -> Result<(When, Then), String> {
    let (k, action) = text.split_once('=').ok_or(format!("`{text}` is not K=ACTION"))?;
    let number = k.trim_end_matches('+').parse().map_err(|_| format!("`{k}` is no number"))?;
    let when = if k.ends_with('+') { When::from(number) } else { When::nth(number) };
    Ok((when, action.parse()?))
}

/// A line on stdout, at once, whoever reads it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads: then there is nothing to say.
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
