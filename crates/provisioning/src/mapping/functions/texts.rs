//! Functions of texts.

use super::{Answer, Arguments, absent, count, optional_text, required_text, text};
use crate::org_unit::OrgName;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub(super) fn trim<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    changed("trim", &arguments, |text| text.trim().to_owned())
}

pub(super) fn lower<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    changed("lower", &arguments, str::to_lowercase)
}

pub(super) fn upper<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    changed("upper", &arguments, str::to_uppercase)
}

pub(super) fn normalize_diacritics<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    changed("normalizeDiacritics", &arguments, without_accents)
}

pub(super) fn org_name<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    changed("orgName", &arguments, |text| OrgName::new(text).map_or_else(String::new, |unit| unit.name))
}

fn changed<'b, 'v>(
    function: &'static str,
    arguments: &Arguments<'b, 'v>,
    change: impl FnOnce(&str) -> String,
) -> Answer<'b, 'v> {
    match optional_text(function, arguments, 0)? {
        Some(given) => text(function, change(given)),
        None => Ok(absent()),
    }
}

pub(super) fn replace<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "replace";
    let Some(given) = optional_text(NAME, &arguments, 0)? else { return Ok(absent()) };
    let (what, by) = (required_text(NAME, &arguments, 1)?, required_text(NAME, &arguments, 2)?);
    if what.is_empty() {
        return text(NAME, given.to_owned());
    }
    // Its length is known before it is made.
    let most = super::MOST_CHARS * 4;
    let found = if by.len() > what.len() { given.matches(what).count() } else { 0 };
    if given.len().saturating_add(found.saturating_mul(by.len())) > most.max(given.len()) {
        let problem = format!("the text becomes longer than {} characters", super::MOST_CHARS);
        return Err(cel::ExecutionError::function_error(NAME, problem));
    }
    text(NAME, given.replace(what, by))
}

pub(super) fn mid<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "mid";
    let Some(given) = optional_text(NAME, &arguments, 0)? else { return Ok(absent()) };
    let (start, length) = (count(NAME, &arguments, 1)?, count(NAME, &arguments, 2)?);
    text(NAME, given.chars().skip(start.saturating_sub(1)).take(length).collect())
}

pub(super) fn fit<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "fit";
    let Some(given) = optional_text(NAME, &arguments, 0)? else { return Ok(absent()) };
    let cut: String = given.trim().chars().take(count(NAME, &arguments, 1)?).collect();
    text(NAME, cut.trim_end().to_owned())
}

pub(super) fn han_name<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "hanName";
    let part = |place| -> Result<Option<&str>, cel::ExecutionError> {
        Ok(optional_text(NAME, &arguments, place)?.map(str::trim).filter(|part| !part.is_empty()))
    };
    match (part(0)?, part(1)?) {
        // Names in Han characters are written family name first, without a space.
        (Some(family), Some(given)) if family.chars().all(is_han) => text(NAME, format!("{family}{given}")),
        (Some(family), Some(given)) => text(NAME, format!("{given} {family}")),
        (Some(only), None) | (None, Some(only)) => text(NAME, only.to_owned()),
        (None, None) => Ok(absent()),
    }
}

/// Han characters of the basic blocks, as in Chinese family names.
const fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

/// Letters without accents. Those that are letters of their own, such as `ø`, become the usual letters in their place.
fn without_accents(text: &str) -> String {
    let plain = text.nfd().filter(|letter| !is_combining_mark(*letter));
    let mut spelt = String::with_capacity(text.len());
    for letter in plain {
        match letter {
            'ß' => spelt.push_str("ss"),
            'æ' => spelt.push_str("ae"),
            'Æ' => spelt.push_str("AE"),
            'œ' => spelt.push_str("oe"),
            'Œ' => spelt.push_str("OE"),
            'þ' => spelt.push_str("th"),
            'Þ' => spelt.push_str("Th"),
            'ø' => spelt.push('o'),
            'Ø' => spelt.push('O'),
            'ł' => spelt.push('l'),
            'Ł' => spelt.push('L'),
            'đ' | 'ð' => spelt.push('d'),
            'Đ' | 'Ð' => spelt.push('D'),
            'ı' => spelt.push('i'),
            other => spelt.push(other),
        }
    }
    // What was taken apart and had no accent, such as Hangul, is put together again.
    spelt.nfc().collect()
}
