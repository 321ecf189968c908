//! Mobile numbers in the form that DingTalk takes: mainland numbers bare (11 digits), all others as
//! `+<country code>-<number>` (page `user-information-creation`).

/// Why a number cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MobileError {
    /// Neither international nor a mainland mobile number.
    #[error("the number has no country code")]
    NoCountryCode,
    /// Not a telephone number.
    #[error("this is not a telephone number")]
    NotANumber,
}

/// Rewrites a number as people and directories write it (`+852 9123 4567`, `0086-138…`, `tel:+44…`).
/// A number without a country code is taken for a mainland mobile number if it has that form.
pub fn dingtalk_form(number: &str) -> Result<String, MobileError> {
    let number = number.trim();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let strange = |c: char| !(c.is_ascii_digit() || c.is_whitespace() || "+-().\u{a0}\u{2011}/".contains(c));
    if digits.len() < 5 || number.chars().any(strange) {
        return Err(MobileError::NotANumber);
    }
    let international = if number.starts_with('+') {
        format!("+{digits}")
    } else if let Some(rest) = digits.strip_prefix("00") {
        format!("+{rest}")
    } else if digits.len() == 11 && digits.starts_with('1') {
        return Ok(digits);
    } else {
        return Err(MobileError::NoCountryCode);
    };
    let parsed = phonenumber::parse(None, &international).map_err(|_| MobileError::NotANumber)?;
    let country = parsed.country().code();
    let national = parsed.national().to_string();
    match country {
        86 if national.len() == 11 && national.starts_with('1') => Ok(national),
        86 => Err(MobileError::NotANumber),
        _ => Ok(format!("+{country}-{national}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (input, expected) in [
            ("13800000001", "13800000001"),
            ("+86 138 0000 0001", "13800000001"),
            ("0086-13800000001", "13800000001"),
            ("+852 9123 4567", "+852-91234567"),
            ("tel:+44-7700-900123", "+44-7700900123"),
            ("+1 (202) 555-0123", "+1-2025550123"),
            ("+971 50 123 4567", "+971-501234567"),
            ("  +65.8123.4567 ", "+65-81234567"),
        ] {
            assert_eq!(dingtalk_form(input).as_deref(), Ok(expected), "{input}");
        }
    }

    #[test]
    fn refusals() {
        for (input, expected) in [
            ("", MobileError::NotANumber),
            ("n/a", MobileError::NotANumber),
            ("ext. 4711", MobileError::NotANumber),
            ("9123 4567", MobileError::NoCountryCode),
            ("+86 10 8888 8888", MobileError::NotANumber),
        ] {
            assert_eq!(dingtalk_form(input), Err(expected), "{input}");
        }
    }
}
