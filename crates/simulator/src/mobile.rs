//! Mobile numbers in DingTalk's spelling: mainland numbers bare, others `+<country>-<number>` (page A0055).

use std::fmt;

use serde::{Serialize, Serializer};

/// Country code of mainland China.
const MAINLAND: &str = "86";

/// A well-formed mobile number. Two spellings of one number are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mobile {
    country: String,
    number: String,
}

impl Mobile {
    /// Reads a number as an API caller writes it. `None`: malformed (60103, 40104).
    ///
    /// An organisation registered abroad must write mainland numbers as `+86-…`.
    pub(crate) fn parse(text: &str, registered_abroad: bool) -> Option<Self> {
        let (country, number) = match text.strip_prefix('+') {
            Some(rest) => rest.split_once('-')?,
            None if registered_abroad => return None,
            None => (MAINLAND, text),
        };
        let digits = |part: &str, least: usize, most: usize| {
            (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let number_fits =
            if country == MAINLAND { digits(number, 11, 11) && number.starts_with('1') } else { digits(number, 4, 15) };
        (digits(country, 1, 4) && !country.starts_with('0') && number_fits)
            .then(|| Self { country: country.to_owned(), number: number.to_owned() })
    }

    /// Reads a number written in either spelling, as a person at the simulator's own control paths writes it.
    pub(crate) fn parse_any(text: &str) -> Option<Self> {
        Self::parse(text, false)
    }

    /// `state_code` of user reads.
    pub(crate) fn state_code(&self) -> &str {
        &self.country
    }

    /// `mobile` of user reads: the number without its country code.
    pub(crate) fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Display for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.country == MAINLAND {
            f.write_str(&self.number)
        } else {
            write!(f, "+{}-{}", self.country, self.number)
        }
    }
}

impl Serialize for Mobile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Mobile;

    #[test]
    fn numbers_are_read_in_dingtalks_spelling() {
        for (text, abroad, expected) in [
            ("13800000001", false, Some("13800000001")),
            ("+86-13800000001", false, Some("13800000001")),
            ("+86-13800000001", true, Some("13800000001")),
            ("13800000001", true, None),
            ("+1-4155550100", false, Some("+1-4155550100")),
            ("+14155550100", false, None),
            ("+8613800000001", false, None),
            ("1380000000", false, None),
            ("23800000001", false, None),
            ("+0-4155550100", false, None),
            ("+1-415 555 0100", false, None),
            ("", false, None),
        ] {
            let parsed = Mobile::parse(text, abroad).map(|mobile| mobile.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text} abroad={abroad}");
        }
    }
}
