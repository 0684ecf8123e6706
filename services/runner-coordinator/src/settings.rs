//! The environment, read once: what is wrong in it is said before anything is opened.

use std::{fs, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{job::Rules, log::Level};

/// What the environment says, with defaults for everything but the token.
#[derive(Debug)]
pub struct Settings {
    /// LISTEN
    pub listen: SocketAddr,
    /// DATABASE
    pub database: PathBuf,
    /// COORDINATOR_TOKEN_FILE or COORDINATOR_TOKEN; an empty one is none
    pub token: Option<String>,
    /// LEASE_SECONDS and MAX_ATTEMPTS
    pub rules: Rules,
    /// LOG_LEVEL
    pub log_level: Level,
}

impl Settings {
    /// Reads the variables through `get`.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let lease: u32 = value(&get, "LEASE_SECONDS", "60")?;
        let max_attempts = value(&get, "MAX_ATTEMPTS", "3")?;
        ensure!(lease > 0, "LEASE_SECONDS must be at least 1");
        ensure!(max_attempts > 0, "MAX_ATTEMPTS must be at least 1");
        Ok(Self {
            listen: value(&get, "LISTEN", "0.0.0.0:8080")?,
            database: value(&get, "DATABASE", "/var/lib/coordinator/coordinator.db")?,
            token: token(&get)?,
            rules: Rules { lease: Duration::from_secs(lease.into()), max_attempts },
            log_level: value(&get, "LOG_LEVEL", "info")?,
        })
    }
}

fn value<T>(get: impl Fn(&str) -> Option<String>, name: &str, default: &str) -> Result<T>
where
    T: FromStr,
    Result<T, T::Err>: Context<T, T::Err>,
{
    let text = get(name).filter(|text| !text.is_empty());
    let text = text.as_deref().unwrap_or(default);
    text.parse().with_context(|| format!("the variable {name} is `{text}`"))
}

fn token(get: impl Fn(&str) -> Option<String>) -> Result<Option<String>> {
    let from_file = match get("COORDINATOR_TOKEN_FILE").filter(|path| !path.is_empty()) {
        Some(path) => fs::read_to_string(&path)
            .with_context(|| format!("failed to read the token from `{path}`"))?,
        None => String::new(),
    };
    let from_file = from_file.lines().next().unwrap_or_default().to_owned();
    Ok([Some(from_file), get("COORDINATOR_TOKEN")]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings> {
        Settings::from_env(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn nothing_set() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.token, None);
        assert_eq!(settings.listen.port(), 8080);
        assert_eq!(settings.rules, Rules { lease: Duration::from_secs(60), max_attempts: 3 });
    }

    #[test]
    fn an_empty_token_is_none() {
        let settings =
            read(&[("COORDINATOR_TOKEN_FILE", "/dev/null"), ("COORDINATOR_TOKEN", "")]).unwrap();
        assert_eq!(settings.token, None);
    }

    #[test]
    fn an_empty_file_leaves_it_to_the_variable() {
        let settings =
            read(&[("COORDINATOR_TOKEN_FILE", "/dev/null"), ("COORDINATOR_TOKEN", "sesame")])
                .unwrap();
        assert_eq!(settings.token.as_deref(), Some("sesame"));
    }

    #[test]
    fn errors_name_the_variable() {
        for (name, text) in [
            ("LISTEN", "8080"),
            ("LEASE_SECONDS", "0"),
            ("MAX_ATTEMPTS", "-1"),
            ("LOG_LEVEL", "loud"),
            ("COORDINATOR_TOKEN_FILE", "/nowhere/token"),
        ] {
            let error = format!("{:#}", read(&[(name, text)]).unwrap_err());
            assert!(error.contains(name) || error.contains(text), "{error}");
        }
    }
}
