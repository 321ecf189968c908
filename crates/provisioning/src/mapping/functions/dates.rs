//! Functions of dates.

use super::{Answer, Arguments, absent, optional_text, required_text, text};
use cel::ExecutionError;
use cel::common::types::CelInt;
use cel::common::value::CowVal;
use time::{Date, Month, UtcOffset};

/// Where nobody names another zone.
const SHANGHAI: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

pub(super) fn millis<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "dateMillis";
    let offset = match arguments.get(1) {
        None => SHANGHAI,
        Some(_) => zone(NAME, required_text(NAME, &arguments, 1)?)?,
    };
    let Some(date) = date(NAME, &arguments)? else { return Ok(absent()) };
    let midnight = date.midnight().assume_offset(offset);
    Ok(CowVal::owned(CelInt::from(midnight.unix_timestamp().saturating_mul(1_000))))
}

pub(super) fn format<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "dateFormat";
    let pattern = required_text(NAME, &arguments, 1)?;
    let Some(date) = date(NAME, &arguments)? else { return Ok(absent()) };
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let mut written = String::new();
    let digits = |number: u8, least: usize| format!("{number:0least$}");
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(first).len();
        let (part, after) = rest.split_at_checked(run).unwrap_or((rest, ""));
        match (first, part.chars().count()) {
            ('y', 4) => written.extend([format!("{year:04}")]),
            ('M', 2) => written += &digits(month, 2),
            ('M', 1) => written.push_str(&month.to_string()),
            ('d', 2) => written += &digits(day, 2),
            ('d', 1) => written.push_str(&day.to_string()),
            (letter, _) if letter.is_ascii_alphabetic() => {
                let problem = format!("\"{part}\" means nothing in the form of a date");
                return Err(ExecutionError::function_error(NAME, problem));
            }
            _ => written.push_str(part),
        }
        rest = after;
    }
    text(NAME, written)
}

/// The first argument as a date: `2024-03-01`, or a time (RFC 3339), of which the date counts as it is written.
fn date(function: &str, arguments: &Arguments<'_, '_>) -> Result<Option<Date>, ExecutionError> {
    let Some(given) = optional_text(function, arguments, 0)?.map(str::trim).filter(|given| !given.is_empty()) else {
        return Ok(None);
    };
    let problem = || ExecutionError::function_error(function, "the date does not look like 2024-03-01");
    let day = given.split(['T', ' ']).next().unwrap_or(given);
    let mut parts = day.split('-');
    let (year, month, rest) = (parts.next(), parts.next(), parts.next());
    if parts.next().is_some() || year.is_none_or(|year| year.len() != 4) {
        return Err(problem());
    }
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u8>().ok());
    let year = year.and_then(|year| year.parse::<i32>().ok()).ok_or_else(problem)?;
    let month = number(month).and_then(|month| Month::try_from(month).ok()).ok_or_else(problem)?;
    let date = number(rest).and_then(|day| Date::from_calendar_date(year, month, day).ok());
    date.map(Some).ok_or_else(problem)
}

/// A zone by its distance to UTC, or by a name. Of named zones there are those where no clock is put forward in summer,
/// because it is a date, not a time, that is told.
fn zone(function: &str, name: &str) -> Result<UtcOffset, ExecutionError> {
    let problem = || {
        let problem = "the zone must be a distance to UTC such as \"+08:00\", or one of UTC, Asia/Shanghai, \
                       Asia/Hong_Kong, Asia/Macau, Asia/Taipei, Asia/Singapore, Asia/Kuala_Lumpur, Asia/Tokyo, \
                       Asia/Seoul, Asia/Bangkok, Asia/Jakarta, Asia/Ho_Chi_Minh, Asia/Kolkata and Asia/Dubai";
        ExecutionError::function_error(function, problem)
    };
    let (hours, minutes) = match name {
        "UTC" | "Z" => (0, 0),
        "Asia/Shanghai" | "Asia/Hong_Kong" | "Asia/Macau" | "Asia/Taipei" | "Asia/Singapore" | "Asia/Kuala_Lumpur" => {
            (8, 0)
        }
        "Asia/Tokyo" | "Asia/Seoul" => (9, 0),
        "Asia/Bangkok" | "Asia/Jakarta" | "Asia/Ho_Chi_Minh" => (7, 0),
        "Asia/Kolkata" => (5, 30),
        "Asia/Dubai" => (4, 0),
        other => {
            let (sign, rest) = match (other.strip_prefix('+'), other.strip_prefix('-')) {
                (Some(rest), _) => (1, rest),
                (_, Some(rest)) => (-1, rest),
                _ => return Err(problem()),
            };
            let (hours, minutes) = rest.split_once(':').ok_or_else(problem)?;
            let number =
                |part: &str| part.parse::<i8>().ok().filter(|_| part.len() == 2 && !part.starts_with(['+', '-']));
            (sign * number(hours).ok_or_else(problem)?, sign * number(minutes).ok_or_else(problem)?)
        }
    };
    UtcOffset::from_hms(hours, minutes, 0).map_err(|_| problem())
}
