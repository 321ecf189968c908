//! A reason why a resource, or one attribute of it, cannot be projected, in words for a person.

use std::fmt;

/// What kind of hindrance a [`Finding`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FindingKind {
    /// The value does not fit the target (missing, too long, wrong form).
    Invalid,
    /// The value belongs to somebody else, or cannot be changed any more.
    Conflict,
    /// The target refuses the application the right to do this.
    Forbidden,
    /// Several entities could be meant.
    Ambiguous,
}

impl FindingKind {
    /// The word used in tables, JSON and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// One hindrance: which attribute, what is wrong, what to do. Whose it is follows from where it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of hindrance.
    pub kind: FindingKind,
    /// A code to switch on: DingTalk's `errcode`, or a word of ours such as `mobile_missing`.
    pub code: String,
    /// The target's attribute, if one attribute is to blame.
    pub attribute: Option<String>,
    /// The SCIM path that the value comes from, if there is one.
    pub source_path: Option<String>,
    /// What is wrong. A sentence.
    pub message: String,
    /// What a person can do about it. A sentence.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source_path {
            Some(path) => write!(f, "{} (SCIM: {path}) {}", self.message, self.advice),
            None => write!(f, "{} {}", self.message, self.advice),
        }
    }
}
