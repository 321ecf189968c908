//! Mobile numbers in the form that DingTalk takes: mainland numbers bare (11 digits), all others as
//! `+<country code>-<number>` (page `user-information-creation`).

use phonenumber::country::Id as Region;

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

/// Where the organisation is registered, which decides how DingTalk wants mainland numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registered {
    /// In the mainland: its numbers are written bare.
    Mainland,
    /// Elsewhere: mainland numbers are written as `+86-…`.
    Abroad,
}

/// A number as DingTalk takes it. A number without a country code is one of `region`; without a region it is taken for a
/// mainland mobile number if it has that form.
pub fn target_form(number: &str, region: Option<Region>, registered: Registered) -> Result<String, MobileError> {
    let (country, national) = parts(number, region)?;
    Ok(match (country, registered) {
        (MAINLAND, Registered::Mainland) => national,
        _ => format!("+{country}-{national}"),
    })
}

/// A number in the international form without any signs: `+85291234567`. Otherwise as [`target_form`].
pub fn e164(number: &str, region: Option<Region>) -> Result<String, MobileError> {
    let (country, national) = parts(number, region)?;
    Ok(format!("+{country}{national}"))
}

/// [`target_form`] for an organisation in the mainland.
pub fn dingtalk_form(number: &str) -> Result<String, MobileError> {
    target_form(number, None, Registered::Mainland)
}

/// The country code and the rest of a number as people and directories write it (`+852 9123 4567`, `0086-138…`,
/// `tel:+44…`).
fn parts(number: &str, region: Option<Region>) -> Result<(u16, String), MobileError> {
    let number = number.trim();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let strange = |c: char| !(c.is_ascii_digit() || c.is_whitespace() || "+-().\u{a0}\u{2011}/".contains(c));
    if digits.len() < 5 || number.chars().any(strange) {
        return Err(MobileError::NotANumber);
    }
    let parsed = if number.starts_with('+') {
        phonenumber::parse(None, format!("+{digits}"))
    } else if let Some(rest) = digits.strip_prefix("00") {
        phonenumber::parse(None, format!("+{rest}"))
    } else if let Some(region) = region {
        phonenumber::parse(Some(region), &digits)
    } else if is_mainland_mobile(&digits) {
        return Ok((MAINLAND, digits));
    } else {
        return Err(MobileError::NoCountryCode);
    };
    let parsed = parsed.map_err(|_| MobileError::NotANumber)?;
    let (country, national) = (parsed.country().code(), parsed.national().to_string());
    if country == MAINLAND && !is_mainland_mobile(&national) {
        return Err(MobileError::NotANumber);
    }
    Ok((country, national))
}

/// The country code of the mainland.
const MAINLAND: u16 = 86;

fn is_mainland_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1')
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
    fn regions_and_places_of_registration() {
        for (input, region, registered, expected) in [
            ("9123 4567", Some(Region::HK), Registered::Mainland, "+852-91234567"),
            ("020 7946 0018", Some(Region::GB), Registered::Mainland, "+44-2079460018"),
            ("13800000001", Some(Region::CN), Registered::Mainland, "13800000001"),
            ("13800000001", None, Registered::Abroad, "+86-13800000001"),
            ("+86 138 0000 0001", Some(Region::HK), Registered::Abroad, "+86-13800000001"),
            ("+852 9123 4567", None, Registered::Abroad, "+852-91234567"),
        ] {
            assert_eq!(target_form(input, region, registered).as_deref(), Ok(expected), "{input}");
        }
        assert_eq!(e164("13800000001", None).as_deref(), Ok("+8613800000001"));
        assert_eq!(e164("9123 4567", Some(Region::HK)).as_deref(), Ok("+85291234567"));
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
