//! How much each key counts, and from which sum on a pair is linked or suggested.

use super::Key;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// From which sum on a pair is linked without asking.
const LINK_AT: u32 = 90;
/// From which sum on a pair is suggested.
const SUGGEST_AT: u32 = 50;
/// The most that one key, or a threshold, may be.
const MOST: u32 = 1_000;

/// The weights of a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights {
    own: BTreeMap<Key, u32>,
    link_at: u32,
    suggest_at: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { own: BTreeMap::new(), link_at: LINK_AT, suggest_at: SUGGEST_AT }
    }
}

/// Why weights cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WeightsError {
    /// There is no such key.
    #[error("there is no key {0:?}")]
    Unknown(String),
    /// It is no number in range.
    #[error("{0} must be a whole number from 0 to {MOST}")]
    NoWeight(String),
    /// Whatever is linked would not even be suggested.
    #[error("link_at must be suggest_at or more, and suggest_at 1 or more")]
    Order,
}

impl Weights {
    /// How much a key counts.
    pub fn of(&self, key: Key) -> u32 {
        self.own.get(&key).copied().unwrap_or_else(|| key.usual_weight())
    }

    /// From which sum on a pair is linked without asking.
    pub const fn link_at(&self) -> u32 {
        self.link_at
    }

    /// From which sum on a pair is suggested.
    pub const fn suggest_at(&self) -> u32 {
        self.suggest_at
    }

    /// Reads weights: an object of key to number, with `link_at` and `suggest_at`. What is not named stays as usual.
    ///
    /// # Errors
    /// The first member that cannot be taken.
    pub fn parse(value: &Value) -> Result<Self, WeightsError> {
        let empty = Map::new();
        let mut weights = Self::default();
        for (word, value) in value.as_object().unwrap_or(&empty) {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= MOST);
            let number = number.ok_or_else(|| WeightsError::NoWeight(word.clone()))?;
            match word.as_str() {
                "link_at" => weights.link_at = number,
                "suggest_at" => weights.suggest_at = number,
                word => {
                    let key = Key::parse(word).ok_or_else(|| WeightsError::Unknown(word.to_owned()))?;
                    weights.own.insert(key, number);
                }
            }
        }
        if weights.suggest_at == 0 || weights.link_at < weights.suggest_at {
            return Err(WeightsError::Order);
        }
        Ok(weights)
    }

    /// All of them, as [`Self::parse`] reads them.
    pub fn to_value(&self) -> Value {
        let mut members: Map<String, Value> =
            Key::ALL.into_iter().map(|key| (key.as_str().to_owned(), self.of(key).into())).collect();
        members.insert("link_at".to_owned(), self.link_at.into());
        members.insert("suggest_at".to_owned(), self.suggest_at.into());
        Value::Object(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_read_is_what_is_written() {
        for given in [json!({}), json!({ "name": 0, "link_at": 120 }), json!({ "mobile": 90, "suggest_at": 90 })] {
            let weights = Weights::parse(&given).expect("good weights");
            assert_eq!(Weights::parse(&weights.to_value()).map(|again| again.to_value()), Ok(weights.to_value()));
        }
        assert_eq!(Weights::parse(&json!({})), Ok(Weights::default()));
    }

    #[test]
    fn refusals() {
        for (given, expected) in [
            (json!({ "shoe size": 5 }), WeightsError::Unknown("shoe size".to_owned())),
            (json!({ "name": -5 }), WeightsError::NoWeight("name".to_owned())),
            (json!({ "name": 5.5 }), WeightsError::NoWeight("name".to_owned())),
            (json!({ "link_at": 40 }), WeightsError::Order),
            (json!({ "suggest_at": 0 }), WeightsError::Order),
        ] {
            assert_eq!(Weights::parse(&given), Err(expected), "{given}");
        }
    }
}
