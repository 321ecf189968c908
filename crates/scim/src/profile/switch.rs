//! A switch as data: its name, its positions, and what a person must know to choose one.

use std::fmt;

use serde_json::Value;

use super::overrides::SwitchError;
use super::{Position, Profile};
use crate::error::quoted;

/// Which positions a switch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchKind {
    /// On or off: `true` or `false`.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl SwitchKind {
    /// Every position, in the order in which people are shown them.
    pub fn positions(self) -> Vec<Position> {
        match self {
            Self::Boolean => vec![Position::Bool(true), Position::Bool(false)],
            Self::OneOf(words) => words.iter().map(|word| Position::Word(word)).collect(),
        }
    }
}

impl fmt::Display for SwitchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::OneOf(words) => f.write_str(&words.join(", ")),
        }
    }
}

/// One switch. All there are: [`Switch::all`].
#[derive(Clone, Copy)]
pub struct Switch {
    /// Its name in JSON, on the command line and in [`Profile`].
    pub name: &'static str,
    /// Its positions.
    pub kind: SwitchKind,
    /// What it does.
    pub does: &'static str,
    /// Why it exists.
    pub why: &'static str,
    /// Whose client it is for.
    pub client: &'static str,
    pub(super) get: fn(&Profile) -> Position,
    pub(super) set: fn(&mut Profile, Position),
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switch").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Switch {
    /// The switch of that name.
    ///
    /// # Errors
    /// [`SwitchError::Unknown`], which lists the names there are.
    pub fn named(name: &str) -> Result<&'static Self, SwitchError> {
        let found = Self::all().iter().find(|switch| switch.name == name);
        found.ok_or_else(|| SwitchError::Unknown { name: quoted(name) })
    }

    /// Its position in a profile.
    pub fn of(&self, profile: &Profile) -> Position {
        (self.get)(profile)
    }

    /// The position that a JSON value means.
    ///
    /// # Errors
    /// [`SwitchError::WrongValue`], which lists the values there are.
    pub fn parse(&self, value: &Value) -> Result<Position, SwitchError> {
        self.find(|position| position.to_json() == *value).ok_or_else(|| {
            self.wrong(match value {
                Value::String(text) => quoted(text),
                Value::Array(_) => "an array".to_owned(),
                Value::Object(_) => "an object".to_owned(),
                Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            })
        })
    }

    /// The position that a word means, as it is typed or chosen in a form.
    ///
    /// # Errors
    /// [`SwitchError::WrongValue`], which lists the values there are.
    pub fn parse_word(&self, word: &str) -> Result<Position, SwitchError> {
        self.find(|position| position.to_string() == word).ok_or_else(|| self.wrong(quoted(word)))
    }

    fn find(&self, is_meant: impl Fn(&Position) -> bool) -> Option<Position> {
        self.kind.positions().into_iter().find(is_meant)
    }

    const fn wrong(&self, given: String) -> SwitchError {
        SwitchError::WrongValue { name: self.name, given, kind: self.kind }
    }

    /// Puts the switch of a profile into a position of its own; one that it does not have changes nothing.
    pub(super) fn put(&self, profile: &mut Profile, position: Position) {
        (self.set)(profile, position);
    }
}

/// Declares the switches: the fields of `Profile`, and the table of [`Switch`]es.
macro_rules! switches {
    ($($name:ident: $type:ty { does: $does:literal, why: $why:literal, client: $client:literal $(,)? })+) => {
        /// A position for every switch.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Profile {
            /// Name by which a source refers to the profile.
            pub name: &'static str,
            /// For whom it is.
            pub about: &'static str,
            $(
                #[doc = concat!($does, "\n\n", $why, " For: ", $client, ".")]
                pub $name: $type,
            )+
        }

        impl Switch {
            /// All switches, in the order in which people are shown them.
            pub const fn all() -> &'static [Self] {
                const ALL: &[Switch] = &[$(Switch {
                    name: stringify!($name),
                    kind: <$type as position::Positioned>::KIND,
                    does: $does,
                    why: $why,
                    client: $client,
                    get: |profile| position::Positioned::position(profile.$name),
                    set: |profile, position| {
                        if let Some(value) = position::Positioned::at(position) {
                            profile.$name = value;
                        }
                    },
                }),+];
                ALL
            }
        }
    };
}
pub(super) use switches;
