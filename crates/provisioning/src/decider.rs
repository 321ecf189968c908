//! Who asks for something that takes two people, or grants it: when two of them count as one person.
//!
//! Nobody proves here who they are beyond a token, a session or a shell, so names are compared: as people read them,
//! whatever their case and whatever stands before them. And a token counts as whoever made it too, since they have both.

use rollcall_scim::fold::fold;
use std::collections::BTreeSet;

/// What may stand before a name: a program, somebody in the console, somebody in a shell.
const KINDS: [&str; 3] = ["token ", "operator ", "command line "];

/// Somebody who asks or grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decider {
    words: String,
    behind: BTreeSet<String>,
}

impl Decider {
    /// Whoever is told by these words: `token maria`, `operator maria`, `command line maria`.
    pub fn new(words: &str) -> Self {
        let name = KINDS.iter().find_map(|kind| words.strip_prefix(kind)).unwrap_or(words);
        Self { words: words.to_owned(), behind: BTreeSet::from([key(name)]) }
    }

    /// The same, who is also whoever these words tell: whoever made the token, and whoever made that.
    #[must_use]
    pub fn made_by(mut self, makers: impl IntoIterator<Item = String>) -> Self {
        self.behind.extend(makers.into_iter().map(|maker| key(&maker)));
        self
    }

    /// In words, as it is kept and shown.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The keys of everybody who may be behind it; see [`Self::may_be`].
    pub fn behind(&self) -> Vec<String> {
        self.behind.iter().cloned().collect()
    }

    /// Whether it may be one of those who were behind another one.
    pub fn may_be(&self, behind: &[String]) -> bool {
        behind.iter().any(|key| self.behind.contains(key))
    }
}

/// A name as it is compared: folded, and without what nobody sees of spaces.
fn key(name: &str) -> String {
    fold(&name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_one_person_is_one() {
        let made =
            |words: &str, makers: &[&str]| Decider::new(words).made_by(makers.iter().map(|maker| (*maker).to_owned()));
        for (one, other, same) in [
            (Decider::new("token maria"), Decider::new("token maria"), true),
            (Decider::new("token maria"), Decider::new("command line Maria"), true),
            (Decider::new("operator MARIA  Ortiz "), Decider::new("token maria ortiz"), true),
            (Decider::new("operator Jürgen"), Decider::new("token JU\u{308}RGEN"), true),
            (Decider::new("token maria"), Decider::new("token jo"), false),
            (Decider::new("token token"), Decider::new("token"), true),
            (made("token jo", &["maria"]), Decider::new("token maria"), true),
            (made("token jo", &["maria"]), made("token li", &["Maria"]), true),
            (made("token jo", &["maria"]), made("token li", &["ann"]), false),
        ] {
            assert_eq!(one.may_be(&other.behind()), same, "{one:?} {other:?}");
            assert_eq!(other.may_be(&one.behind()), same, "{other:?} {one:?}");
        }
    }
}
