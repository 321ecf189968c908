//! Switches that one source has in another position than its profile, as a JSON object of name and value.

use serde_json::{Map, Value};

use super::{Position, Switch, SwitchKind};

/// Why an override cannot be used. The texts are whole sentences for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// There is no switch of that name. The name is quoted already, and cut off if it is long.
    #[error("there is no switch {name}; the switches are {}", names())]
    Unknown {
        /// What was given.
        name: String,
    },
    /// The switch does not have that position.
    #[error("the switch \"{name}\" cannot be {given}; it can be {kind}")]
    WrongValue {
        /// The switch.
        name: &'static str,
        /// What was given.
        given: String,
        /// What it can be.
        kind: SwitchKind,
    },
    /// Something else than an object.
    #[error("the overrides must be a JSON object of switch names and values")]
    NotAnObject,
}

fn names() -> String {
    Switch::all().iter().map(|switch| switch.name).collect::<Vec<_>>().join(", ")
}

/// The overridden switches of a source. One that stands where the profile has it too is still overridden: it stays
/// there when the source gets another profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides(Vec<(&'static str, Position)>);

impl Overrides {
    /// Reads a JSON object of switch names and values.
    ///
    /// # Errors
    /// [`SwitchError`] for the first entry that cannot be used.
    pub fn parse(value: &Value) -> Result<Self, SwitchError> {
        let mut overrides = Self::default();
        for (name, value) in value.as_object().ok_or(SwitchError::NotAnObject)? {
            let switch = Switch::named(name)?;
            overrides.set(switch, switch.parse(value)?);
        }
        Ok(overrides)
    }

    /// These overrides with the changes of a merge patch (RFC 7396): a value overrides a switch, `null` resets it.
    ///
    /// # Errors
    /// [`SwitchError`] for the first entry that cannot be used.
    pub fn merged(&self, patch: &Map<String, Value>) -> Result<Self, SwitchError> {
        let mut merged = self.clone();
        for (name, value) in patch {
            let switch = Switch::named(name)?;
            match value {
                Value::Null => merged.reset(switch),
                value => merged.set(switch, switch.parse(value)?),
            }
        }
        Ok(merged)
    }

    /// Overrides a switch.
    pub fn set(&mut self, switch: &Switch, position: Position) {
        self.reset(switch);
        self.0.push((switch.name, position));
    }

    /// Gives a switch back to the profile.
    pub fn reset(&mut self, switch: &Switch) {
        self.0.retain(|(name, _)| *name != switch.name);
    }

    /// Where a switch is overridden to.
    pub fn get(&self, switch: &Switch) -> Option<Position> {
        self.0.iter().find(|(name, _)| *name == switch.name).map(|(_, position)| *position)
    }

    /// True if no switch is overridden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The overridden switches in the order of [`Switch::all`], each with its position.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Switch, Position)> + '_ {
        Switch::all().iter().filter_map(|switch| self.get(switch).map(|position| (switch, position)))
    }

    /// The overrides as a JSON object, which [`Self::parse`] reads.
    pub fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(switch, position)| (switch.name.to_owned(), position.to_json())).collect())
    }
}
