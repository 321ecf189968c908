//! Telephone numbers, as much of them as a screen may show.

use rollcall_provisioning::mobile::dingtalk_form;

/// Digits at the end that stay readable, so that two people with one number can be told by it.
const SHOWN: usize = 4;
/// A number shorter than this is hidden altogether.
const SHORTEST: usize = 8;

/// A telephone number with its middle hidden: `+852 •••• 4567`. What is no telephone number is hidden up to its last
/// digits.
pub fn phone(number: &str) -> String {
    let (country, national) = match dingtalk_form(number) {
        Ok(form) => match form.split_once('-') {
            Some((country, national)) => (format!("{country} "), national.to_owned()),
            None => ("+86 ".to_owned(), form),
        },
        Err(_) => (String::new(), number.chars().filter(char::is_ascii_digit).collect()),
    };
    let digits = national.chars().count();
    let shown: String = if digits < SHORTEST { String::new() } else { national.chars().skip(digits - SHOWN).collect() };
    format!("{country}•••• {shown}").trim_end().to_owned()
}

/// Whether what is kept under this name or SCIM path may be a telephone number.
pub fn is_phone(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["phone", "mobile", "fax"].iter().any(|word| path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (number, expected) in [
            ("+852 9123 4567", "+852 •••• 4567"),
            ("+852-91234567", "+852 •••• 4567"),
            ("+85291234567", "+852 •••• 4567"),
            ("13800001234", "+86 •••• 1234"),
            ("+86 138 0000 1234", "+86 •••• 1234"),
            ("tel:+44-7700-900123", "+44 •••• 0123"),
            ("9123 4567", "•••• 4567"),
            ("ext. 4711", "••••"),
            ("", "••••"),
            ("<script>12345678</script>", "•••• 5678"),
        ] {
            assert_eq!(phone(number), expected, "{number}");
        }
    }

    #[test]
    fn where_numbers_are() {
        for path in ["phoneNumbers[type eq \"work\"].value", "mobile", "telephone", "urn:example:User:faxNumber"] {
            assert!(is_phone(path), "{path}");
        }
        for path in ["userName", "emails.value", "employeeNumber"] {
            assert!(!is_phone(path), "{path}");
        }
    }
}
