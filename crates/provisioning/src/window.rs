//! Deny windows: times at which a target is left alone, whatever is to be done. They recur every week, in a time zone of
//! their own. People who leave go on losing their access, unless a window says otherwise.

use crate::entity;
use crate::plan::{Action, Change};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// The most windows of a target.
pub const MOST: usize = 50;

/// What a step does, as far as windows tell steps apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// Somebody loses their access: an account goes, or is turned off.
    EndsAccess,
    /// Something else goes: a department, a role, a membership, a value.
    Destructive,
    /// Anything else.
    Additive,
}

impl Nature {
    /// That of an action.
    pub fn of(action: &Action) -> Self {
        let turns_off =
            |name: &str, change: &Change| name == entity::ENABLED && *change == Change::Set(Value::Bool(false));
        match action {
            Action::Delete { kind: entity::EntityKind::Account | entity::EntityKind::Contact, .. } => Self::EndsAccess,
            Action::Update { changes, .. } if changes.iter().any(|(name, change)| turns_off(name, change)) => {
                Self::EndsAccess
            }
            Action::Delete { .. } | Action::RemoveMembers { .. } => Self::Destructive,
            Action::Update { changes, .. } if changes.values().any(|change| *change == Change::Clear) => {
                Self::Destructive
            }
            Action::Create { .. } | Action::Update { .. } | Action::AddMembers { .. } => Self::Additive,
        }
    }
}

/// A time at which a target is left alone.
#[derive(Clone, PartialEq, Debug)]
struct Window {
    name: String,
    /// On which days it begins.
    days: Vec<Weekday>,
    from: Time,
    /// When it ends: on the next day if that is not after `from`.
    to: Time,
    zone: TimeZone,
    zone_name: String,
    only_destructive: bool,
    leavers_wait: bool,
}

/// All windows of a target.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Windows(Vec<Window>);

/// A window that denies something now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// What the window is called.
    pub name: String,
    /// When it ends.
    pub until: OffsetDateTime,
}

/// A window that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct WindowError {
    /// What is wrong, and with which window.
    pub problem: String,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
const MEMBERS: [&str; 7] = ["name", "days", "from", "to", "zone", "denies", "leavers"];

impl Windows {
    /// Reads a list of windows:
    /// `[{"name": "payroll", "days": ["mon"], "from": "09:00", "to": "17:30", "zone": "Asia/Hong_Kong",
    /// "denies": "everything", "leavers": "go_on"}]`. The last two may be left out; what they then are is shown here.
    ///
    /// # Errors
    /// What is wrong with the first window that cannot be used.
    pub fn parse(value: &Value) -> Result<Self, WindowError> {
        let wrong = |problem: String| WindowError { problem };
        let list = value.as_array().ok_or_else(|| wrong("the windows must be an array".to_owned()))?;
        if list.len() > MOST {
            return Err(wrong(format!("there are {} windows; {MOST} is the most", list.len())));
        }
        let windows = list.iter().enumerate().map(|(place, value)| {
            let window = value.as_object().ok_or_else(|| "must be an object".to_owned()).and_then(window);
            window.map_err(|problem| wrong(format!("window {}: {problem}", place + 1)))
        });
        let windows = windows.collect::<Result<Vec<_>, _>>()?;
        for (place, window) in windows.iter().enumerate() {
            if windows.iter().take(place).any(|other| other.name == window.name) {
                return Err(wrong(format!("window {}: another one is called \"{}\"", place + 1, window.name)));
            }
        }
        Ok(Self(windows))
    }

    /// The same list, complete.
    pub fn to_value(&self) -> Value {
        let words = |window: &Window| -> Vec<&str> {
            DAYS.iter().filter(|(_, day)| window.days.contains(day)).map(|(word, _)| *word).collect()
        };
        let shown = |window: &Window| {
            json!({
                "name": window.name,
                "days": words(window),
                "from": clock(window.from),
                "to": clock(window.to),
                "zone": window.zone_name,
                "denies": if window.only_destructive { "destructive" } else { "everything" },
                "leavers": if window.leavers_wait { "wait" } else { "go_on" },
            })
        };
        self.0.iter().map(shown).collect()
    }

    /// The window that denies a step of this nature now, and lasts the longest of those that do.
    pub fn closed(&self, nature: Nature, now: OffsetDateTime) -> Option<Closed> {
        let denies = |window: &&Window| match nature {
            Nature::EndsAccess => window.leavers_wait,
            Nature::Destructive => true,
            Nature::Additive => !window.only_destructive,
        };
        let now = Timestamp::from_second(now.unix_timestamp()).ok()?;
        let open = self.0.iter().filter(denies).filter_map(|window| Some((window, window.ends(now)?)));
        let (window, ends) = open.max_by_key(|(_, ends)| *ends)?;
        let until = OffsetDateTime::from_unix_timestamp(ends.as_second()).ok()?;
        Some(Closed { name: window.name.clone(), until })
    }
}

impl Window {
    /// When it ends, if it is open at that moment. It may have begun the day before.
    fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned(self.zone.clone()).date();
        let days = [Some(today), today.yesterday().ok()];
        let ends = days.into_iter().flatten().filter(|day| self.days.contains(&day.weekday()));
        ends.filter_map(|day| self.span(day)).find(|(begins, ends)| *begins <= now && now < *ends).map(|(_, ends)| ends)
    }

    fn span(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let at = |day: Date, time: Time| Some(day.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp());
        let last = if self.to > self.from { day } else { day.checked_add(1.day()).ok()? };
        Some((at(day, self.from)?, at(last, self.to)?))
    }
}

fn window(given: &Map<String, Value>) -> Result<Window, String> {
    if let Some(name) = given.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("{name:?} is no member of a window; it has {}", MEMBERS.join(", ")));
    }
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let needed =
        |name: &str, example: &str| text(name).ok_or_else(|| format!("{name} must be a text such as {example:?}"));
    let time = |name: &str| {
        let text = needed(name, "09:00")?;
        let time = Time::strptime("%H:%M", text).ok();
        time.ok_or_else(|| format!("{name} must be a time of day such as \"09:00\", and is {text:?}"))
    };
    let word = |name: &str, words: [&str; 2]| match given.get(name) {
        None => Ok(false),
        Some(value) if value == words[0] => Ok(false),
        Some(value) if value == words[1] => Ok(true),
        Some(value) => Err(format!("{name} must be {:?} or {:?}, and is {value}", words[0], words[1])),
    };
    let zone_name = needed("zone", "Asia/Hong_Kong")?;
    let zone = TimeZone::get(zone_name).map_err(|_| format!("zone {zone_name:?} is none of the IANA time zones"))?;
    Ok(Window {
        name: needed("name", "payroll")?.to_owned(),
        days: days(given.get("days"))?,
        from: time("from")?,
        to: time("to")?,
        zone,
        zone_name: zone_name.to_owned(),
        only_destructive: word("denies", ["everything", "destructive"])?,
        leavers_wait: word("leavers", ["go_on", "wait"])?,
    })
}

fn days(given: Option<&Value>) -> Result<Vec<Weekday>, String> {
    let day = |value: &Value| {
        let known = DAYS.iter().find(|(word, _)| value == word).map(|(_, day)| *day);
        known.ok_or_else(|| format!("days may name mon, tue, wed, thu, fri, sat and sun, and names {value}"))
    };
    let days = given.and_then(Value::as_array).filter(|days| !days.is_empty());
    let days = days.ok_or("days must be an array such as [\"mon\", \"tue\"]")?;
    days.iter().map(day).collect()
}

fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::EntityKind;
    use time::macros::datetime;

    fn windows(changes: &Value) -> Result<Windows, WindowError> {
        let mut window = json!({
            "name": "payroll", "days": ["mon", "fri"], "from": "09:00", "to": "17:30", "zone": "Asia/Hong_Kong",
        });
        for (name, value) in changes.as_object().expect("an object") {
            window[name] = value.clone();
        }
        Windows::parse(&json!([window]))
    }

    fn until(windows: &Windows, nature: Nature, now: OffsetDateTime) -> Option<OffsetDateTime> {
        windows.closed(nature, now).map(|closed| closed.until)
    }

    #[test]
    fn a_window_is_open_on_its_days_in_its_zone() {
        let windows = windows(&json!({})).expect("usable");
        // 2026-03-02 is a Monday; Hong Kong is eight hours ahead.
        let ends = Some(datetime!(2026-03-02 09:30 UTC));
        for (now, expected) in [
            (datetime!(2026-03-02 00:59:59 UTC), None),
            (datetime!(2026-03-02 01:00 UTC), ends),
            (datetime!(2026-03-02 09:29:59 UTC), ends),
            (datetime!(2026-03-02 09:30 UTC), None),
            (datetime!(2026-03-03 02:00 UTC), None),
            (datetime!(2026-03-06 02:00 UTC), Some(datetime!(2026-03-06 09:30 UTC))),
        ] {
            assert_eq!(until(&windows, Nature::Additive, now), expected, "{now}");
        }
    }

    #[test]
    fn a_window_may_last_over_midnight_and_over_a_change_of_the_clocks() {
        let night = windows(&json!({ "from": "22:00", "to": "06:00", "zone": "UTC" })).expect("usable");
        assert_eq!(
            until(&night, Nature::Additive, datetime!(2026-03-03 05:59 UTC)),
            Some(datetime!(2026-03-03 06:00 UTC))
        );
        assert_eq!(until(&night, Nature::Additive, datetime!(2026-03-02 05:59 UTC)), None, "Sunday's night is none");
        let day = windows(&json!({ "from": "00:00", "to": "00:00", "zone": "UTC", "days": ["mon"] })).expect("usable");
        assert_eq!(
            until(&day, Nature::Additive, datetime!(2026-03-02 12:00 UTC)),
            Some(datetime!(2026-03-03 00:00 UTC))
        );
        // On 2026-03-29, a Sunday, Berlin's clocks go from 02:00 to 03:00.
        let berlin = json!({ "from": "01:00", "to": "04:00", "zone": "Europe/Berlin", "days": ["sun"] });
        let berlin = windows(&berlin).expect("usable");
        assert_eq!(
            until(&berlin, Nature::Additive, datetime!(2026-03-29 00:30 UTC)),
            Some(datetime!(2026-03-29 02:00 UTC))
        );
    }

    #[test]
    fn what_it_denies() {
        let now = datetime!(2026-03-02 02:00 UTC);
        let all = [Nature::EndsAccess, Nature::Destructive, Nature::Additive];
        for (changes, denied) in [
            (json!({}), [false, true, true]),
            (json!({ "leavers": "wait" }), [true, true, true]),
            (json!({ "denies": "destructive" }), [false, true, false]),
            (json!({ "denies": "destructive", "leavers": "wait" }), [true, true, false]),
        ] {
            let windows = windows(&changes).expect("usable");
            assert_eq!(all.map(|nature| until(&windows, nature, now).is_some()), denied, "{changes}");
        }
    }

    #[test]
    fn the_nature_of_a_step() {
        let remote_id = "u1".to_owned();
        let update = |name: &str, change: Change| Action::Update {
            kind: EntityKind::Account,
            remote_id: remote_id.clone(),
            changes: [(name.to_owned(), change)].into(),
        };
        for (action, nature) in [
            (Action::Delete { kind: EntityKind::Account, remote_id: remote_id.clone() }, Nature::EndsAccess),
            (update(entity::ENABLED, Change::Set(json!(false))), Nature::EndsAccess),
            (update(entity::ENABLED, Change::Set(json!(true))), Nature::Additive),
            (update(entity::TITLE, Change::Set(json!("x"))), Nature::Additive),
            (update(entity::TITLE, Change::Clear), Nature::Destructive),
            (Action::Delete { kind: EntityKind::OrgUnit, remote_id: remote_id.clone() }, Nature::Destructive),
        ] {
            assert_eq!(Nature::of(&action), nature, "{action:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (changes, expected) in [
            (json!({ "zone": "Hong Kong" }), "window 1: zone \"Hong Kong\" is none of the IANA time zones"),
            (json!({ "from": "9 o'clock" }), "window 1: from must be a time of day such as \"09:00\""),
            (json!({ "to": "24:00" }), "window 1: to must be a time of day"),
            (json!({ "days": [] }), "window 1: days must be an array such as"),
            (json!({ "days": ["Monday"] }), "and names \"Monday\""),
            (json!({ "denies": "all" }), "denies must be \"everything\" or \"destructive\", and is \"all\""),
            (json!({ "leavers": true }), "leavers must be \"go_on\" or \"wait\", and is true"),
            (json!({ "name": " " }), "window 1: name must be a text such as \"payroll\""),
            (json!({ "cron": "* * * * *" }), "\"cron\" is no member of a window"),
        ] {
            let error = windows(&changes).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Windows::parse(&json!({})).is_err());
        let twice = windows(&json!({})).expect("usable").to_value();
        let twice = json!([twice[0], twice[0]]);
        assert!(Windows::parse(&twice).expect_err("twice").to_string().contains("another one is called \"payroll\""));
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let windows = windows(&json!({ "denies": "destructive" })).expect("usable");
        assert_eq!(Windows::parse(&windows.to_value()).expect("read"), windows);
    }
}
