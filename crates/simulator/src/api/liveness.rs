//! Members by whether they used DingTalk on a day (page A0067).

use serde_json::{Map, Value, json};
use time::macros::{format_description, time};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::corp::Corp;
use crate::corp::user::User;
use crate::errcode::{INVALID_ARGUMENT, INVALID_DEPARTMENT_LIST, INVALID_OFFSET, INVALID_SIZE, Refusal};
use crate::params::Params;

use super::{Caller, result};

/// Largest page.
const PAGE_SIZE: usize = 100;

/// How far back a day may lie.
const DAYS_BACK: i64 = 31;

/// One page of user ids. A member counts as active on every day once they have logged in (inferred).
pub(crate) fn inactive(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let is_active = params.boolean("is_active")?.ok_or_else(|| INVALID_ARGUMENT.about("is_active"))?;
    check_day(&params.required_text("query_date")?, caller.now_ms)?;
    let offset = usize::try_from(params.required_integer("offset")?).map_err(|_| INVALID_OFFSET.about("offset"))?;
    let size = usize::try_from(params.required_integer("size")?).ok().filter(|size| (1..=PAGE_SIZE).contains(size));
    let size = size.ok_or_else(|| INVALID_SIZE.about("size"))?;
    let dept_ids = params.id_list("dept_ids", || INVALID_DEPARTMENT_LIST.about("dept_ids"))?;
    let within = |user: &User| dept_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| user.dept_id_list.contains(id)));
    let range = caller.app.range.as_ref();
    let found =
        corp.users.iter().filter(|user| user.active == is_active && within(user) && corp.covers_user(range, user));
    let found: Vec<&str> = corp.in_some_order(found.map(|user| user.userid.as_str()).collect());
    let list: Vec<&str> = found.iter().skip(offset).take(size).copied().collect();
    let next_cursor = offset + list.len();
    let mut body = json!({ "has_more": next_cursor < found.len(), "list": list });
    if let (Value::Object(fields), true) =
        (&mut body, next_cursor < found.len() || corp.switches.next_cursor_on_last_page)
    {
        fields.insert("next_cursor".to_owned(), json!(next_cursor));
    }
    Ok(result(body))
}

/// A day is complete at nine o'clock of the next one, in China, and known for a month.
fn check_day(text: &str, now_ms: i64) -> Result<(), Refusal> {
    let wrong = || INVALID_ARGUMENT.about("query_date");
    let day = Date::parse(text, format_description!("[year][month][day]")).map_err(|_| wrong())?;
    let china = UtcOffset::from_hms(8, 0, 0).map_err(|_| wrong())?;
    let complete = day.next_day().ok_or_else(wrong)?;
    let complete = PrimitiveDateTime::new(complete, time!(9:00)).assume_offset(china);
    let now = OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1_000)).map_err(|_| wrong())?;
    if now < complete || now - complete > Duration::days(DAYS_BACK) { Err(wrong()) } else { Ok(()) }
}
