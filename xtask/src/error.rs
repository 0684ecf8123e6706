//! What an error means for the exit code. Everything else about errors is anyhow's.

use std::fmt;

/// The request or the manifest is wrong, and nothing was run: exit code 2.
#[derive(Debug)]
pub struct Wrong(pub String);

/// The user or the system asked us to stop: exit code 130.
#[derive(Debug)]
pub struct Interrupted;

/// The exit code that an error leads to (DESIGN: 1 a step failed, 2 wrong request, 130 interrupted).
///
/// An interrupt anywhere in the chain wins, since what failed then failed because of it.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        130
    } else if error.chain().any(|cause| cause.is::<Wrong>()) {
        2
    } else {
        1
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Returns from the function with [`Wrong`]: `wrong!("no service `{name}`")`.
macro_rules! wrong {
    ($($arg:tt)*) => {
        return Err(anyhow::Error::new($crate::error::Wrong(format!($($arg)*))))
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn the_kind_of_an_error_survives_added_context() {
        let wrong = Err::<(), _>(Wrong("x".into())).context("reading").unwrap_err();
        assert_eq!(exit_code(&wrong), 2);
        let interrupted = Err::<(), _>(Interrupted).context("building").unwrap_err();
        assert_eq!(exit_code(&interrupted), 130);
        assert_eq!(exit_code(&anyhow::anyhow!("failed")), 1);
    }
}
