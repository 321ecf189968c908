//! What an account or a person is recognised by, in a form in which equal things are equal.

use crate::entity::{self, Attributes};
use crate::mapping::Mapped;
use crate::mobile;
use crate::org_unit::path_key;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Something by which an account and a person may be the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// The employee number.
    JobNumber,
    /// The mobile number.
    Mobile,
    /// An e-mail address of the organisation.
    CompanyEmail,
    /// An e-mail address that the directory calls a private one.
    PersonalEmail,
    /// The folded name, and a department of the same path.
    NameAndDepartment,
    /// The folded name alone.
    Name,
}

impl Key {
    /// All keys.
    pub const ALL: [Self; 6] =
        [Self::JobNumber, Self::Mobile, Self::CompanyEmail, Self::PersonalEmail, Self::NameAndDepartment, Self::Name];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobNumber => "job_number",
            Self::Mobile => "mobile",
            Self::CompanyEmail => "company_email",
            Self::PersonalEmail => "personal_email",
            Self::NameAndDepartment => "name_and_department",
            Self::Name => "name",
        }
    }

    /// The key behind a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == word)
    }

    /// How much it counts where nobody says otherwise (operations, section 5.8).
    pub const fn usual_weight(self) -> u32 {
        match self {
            Self::JobNumber => 60,
            Self::Mobile | Self::CompanyEmail => 50,
            Self::PersonalEmail => 30,
            Self::NameAndDepartment => 15,
            Self::Name => 5,
        }
    }
}

/// What somebody is recognised by. A key without a usable value is missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    pub(super) job_number: Option<String>,
    /// In the international form.
    pub(super) mobile: Option<String>,
    /// Each once, and whether it is a private one.
    pub(super) emails: Vec<(String, bool)>,
    pub(super) name: Option<String>,
    /// Paths of departments, folded.
    pub(super) departments: Vec<String>,
}

impl Keys {
    /// The keys of an account; `departments` are the paths of its org units, as [`path_key`] writes them.
    pub fn of_account(attributes: &Attributes, departments: Vec<String>) -> Self {
        let text = |name: &str| attributes.get(name).and_then(Value::as_str);
        let mut keys = Self {
            job_number: text(entity::JOB_NUMBER).and_then(job_number),
            mobile: text(entity::MOBILE).or_else(|| text(entity::EXCLUSIVE_MOBILE)).and_then(number),
            name: text(entity::NAME).and_then(name),
            departments,
            ..Self::default()
        };
        for address in [entity::EMAIL, entity::ORG_EMAIL] {
            keys.add_email(text(address), false);
        }
        keys
    }

    /// The keys of a person: what the mapping makes of them, and all their addresses.
    pub fn of_person(resource: &Map<String, Value>, mapped: &Mapped) -> Self {
        let text = |name: &str| mapped.attributes.get(name).and_then(Option::as_ref).and_then(Value::as_str);
        let mut keys = Self {
            job_number: text(entity::JOB_NUMBER).and_then(job_number),
            mobile: text(entity::MOBILE).or_else(|| text(entity::EXCLUSIVE_MOBILE)).and_then(number),
            name: text(entity::NAME).and_then(name),
            departments: mapped.departments.iter().map(|department| path_key(&department.path)).collect(),
            ..Self::default()
        };
        for email in resource.get("emails").and_then(Value::as_array).into_iter().flatten() {
            let private =
                email.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("home"));
            keys.add_email(email.get("value").and_then(Value::as_str), private);
        }
        for address in [entity::EMAIL, entity::ORG_EMAIL] {
            keys.add_email(text(address), false);
        }
        keys
    }

    /// An address counts as what it was called first.
    fn add_email(&mut self, address: Option<&str>, private: bool) {
        let Some(address) = address.and_then(email) else { return };
        if !self.emails.iter().any(|(known, _)| *known == address) {
            self.emails.push((address, private));
        }
    }
}

fn job_number(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    (!text.is_empty()).then_some(text)
}

fn number(text: &str) -> Option<String> {
    mobile::e164(text, None).ok()
}

fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    text.contains('@').then_some(text)
}

/// A name without width, accents, case, spaces and punctuation.
fn name(text: &str) -> Option<String> {
    let plain: String = text.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    let folded: String = rollcall_scim::fold::fold(&plain).chars().filter(|letter| letter.is_alphanumeric()).collect();
    (!folded.is_empty()).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_read_back() {
        for key in Key::ALL {
            assert_eq!(Key::parse(key.as_str()), Some(key));
        }
    }

    #[test]
    fn equal_things_are_equal() {
        for (which, one, other) in [
            ("mobile", "13800000001", "+86 138 0000 0001"),
            ("mobile", "+852-91234567", "+852 9123 4567"),
            ("email", "Ada@Example.COM ", "ada@example.com"),
            ("job_number", " A17", "a17 "),
            ("name", "José  Núñez", "jose nunez"),
            ("name", "Ａｄａ", "ADA"),
            ("name", "阿卜杜·热合曼", "阿卜杜热合曼"),
        ] {
            let of = |text: &str| {
                let attributes: Attributes = [(which.to_owned(), json!(text))].into();
                Keys::of_account(&attributes, Vec::new())
            };
            assert_eq!(of(one), of(other), "{one} {other}");
            assert_ne!(of(one), Keys::default(), "{one}");
        }
    }

    #[test]
    fn what_is_no_key() {
        for (which, text) in
            [("mobile", "n/a"), ("mobile", "9123 4567"), ("email", "none"), ("job_number", "  "), ("name", "·")]
        {
            let attributes: Attributes = [(which.to_owned(), json!(text))].into();
            assert_eq!(Keys::of_account(&attributes, Vec::new()), Keys::default(), "{which} {text}");
        }
    }
}
