//! The positions that switches can be in.

use std::fmt;

use serde_json::Value;

use super::SwitchKind;

/// Where a switch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// On or off.
    Bool(bool),
    /// One of the words of the switch.
    Word(&'static str),
}

impl Position {
    /// The position in JSON: a boolean or a string.
    pub fn to_json(self) -> Value {
        match self {
            Self::Bool(on) => on.into(),
            Self::Word(word) => word.into(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(on) => on.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// A type of which a switch can be.
pub(super) trait Positioned: Copy + Sized {
    const KIND: SwitchKind;

    fn position(self) -> Position;

    fn at(position: Position) -> Option<Self>;
}

impl Positioned for bool {
    const KIND: SwitchKind = SwitchKind::Boolean;

    fn position(self) -> Position {
        Position::Bool(self)
    }

    fn at(position: Position) -> Option<Self> {
        match position {
            Position::Bool(on) => Some(on),
            Position::Word(_) => None,
        }
    }
}

/// Declares an enumeration with the word of each of its values.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $value,)+
        }

        impl $name {
            /// The word used in JSON and on screens.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }

            /// The value behind a word written by [`Self::as_str`].
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$value),)+
                    _ => None,
                }
            }
        }

        impl Positioned for $name {
            const KIND: SwitchKind = SwitchKind::OneOf(&[$($word),+]);

            fn position(self) -> Position {
                Position::Word(self.as_str())
            }

            fn at(position: Position) -> Option<Self> {
                match position {
                    Position::Word(word) => Self::parse(word),
                    Position::Bool(_) => None,
                }
            }
        }
    };
}

words! {
    /// How a successful PATCH of a user is answered. An `attributes` parameter in the URL always gets 200.
    PatchResponse {
        /// 200 with the whole user.
        Full = "full",
        /// 204 without a body.
        NoContent = "no_content",
    }
}

words! {
    /// How a successful PATCH of a group is answered. An `attributes` parameter in the URL always gets 200.
    GroupPatchResponse {
        /// 200 with the whole group.
        Full = "full",
        /// 200 with the group but without its members.
        WithoutMembers = "without_members",
        /// 204 without a body.
        NoContent = "no_content",
    }
}

words! {
    /// What `manager.value` says of the manager. Whatever it is, the id of a user is understood too.
    ManagerBy {
        /// The id of the manager's resource (RFC 7643 §4.3).
        Id = "id",
        /// The manager's `externalId`, with regard to case.
        ExternalId = "externalId",
        /// The manager's `employeeNumber`, without regard to case.
        EmployeeNumber = "employeeNumber",
    }
}
