//! What a registry said, and what it left open. Absence is never guessed (DESIGN 4.5).

use super::Reason;

/// The answer to a question about something that may or may not be there (DESIGN 4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It is there
    Found(T),
    /// The registry says that it is not there (404)
    Absent,
    /// The registry refuses us (401 or 403 after the token exchange); whether it is there is unknown
    Refused(Reason),
    /// It could not be found out: 429, 5xx, time-outs, cut connections, garbage
    Unknown(Reason),
}

impl<T> Answer<T> {
    /// What was found, if it was.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(value) => Some(value),
            _ => None,
        }
    }

    /// Why it is not known whether the thing is there; `None` when it is known.
    pub fn unknown(&self) -> Option<&Reason> {
        match self {
            Self::Refused(reason) | Self::Unknown(reason) => Some(reason),
            Self::Found(_) | Self::Absent => None,
        }
    }

    /// The same answer about something made from what was found.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        self.and_then(|value| Ok(f(value)))
    }

    /// As [`map`](Self::map), where what was found may turn out to be unusable.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Result<U, Reason>) -> Answer<U> {
        match self {
            Self::Found(value) => f(value).map_or_else(Answer::from, Answer::Found),
            Self::Absent => Answer::Absent,
            Self::Refused(reason) => Answer::Refused(reason),
            Self::Unknown(reason) => Answer::Unknown(reason),
        }
    }

    /// For those who go no further without knowing: `Some`, `None` where it is absent, or the reason.
    pub fn known(self) -> Result<Option<T>, Reason> {
        match self {
            Self::Found(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::Refused(reason) | Self::Unknown(reason) => Err(reason),
        }
    }
}

impl<T> From<Reason> for Answer<T> {
    fn from(reason: Reason) -> Self {
        if reason.is_refusal() { Self::Refused(reason) } else { Self::Unknown(reason) }
    }
}

impl<T> From<Result<Option<T>, Reason>> for Answer<T> {
    fn from(result: Result<Option<T>, Reason>) -> Self {
        match result {
            Ok(Some(value)) => Self::Found(value),
            Ok(None) => Self::Absent,
            Err(reason) => reason.into(),
        }
    }
}
