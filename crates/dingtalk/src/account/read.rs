//! From DingTalk's answers about people to our attributes, and what a read will show after a write.

use super::enterprise::NORMAL;
use crate::fit;
use crate::wire::account::User;
use rollcall_provisioning::connector::account_kind;
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::{self, Action, Change};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What user/list leaves out, of all that user/get tells (page `queries-the-complete-information-of-a-department-user`).
pub(crate) const UNLISTED: [&str; 5] =
    [entity::MANAGER, entity::SENIOR_MODE, entity::ORG_UNIT_ORDERS, entity::ORG_UNIT_TITLES, entity::PRIMARY_ORG_UNIT];
/// The attributes that are an object of values by department.
const BY_DEPARTMENT: [&str; 2] = [entity::ORG_UNIT_ORDERS, entity::ORG_UNIT_TITLES];
/// The switches that are off as long as nobody turns them on.
const SWITCHES: [&str; 3] = [entity::HIDE_MOBILE, entity::SENIOR_MODE, entity::ADMINISTRATOR];

/// A person as an entity; `enabled` is whether an enterprise account may be used, if that is known. `None` if the answer
/// does not even say who it is, because then what it leaves out cannot be taken for empty.
pub(super) fn entity(user: User, enabled: Option<bool>) -> Option<Entity> {
    let mut attributes = placement(&user);
    let account_kind = match user.exclusive_account {
        Some(false) => Some(NORMAL.to_owned()),
        Some(true) => user.exclusive_account_type.map(|kind| kind.to_ascii_lowercase()),
        None => None,
    };
    let mobile = user.mobile.map(|mobile| dialled(mobile, user.state_code.as_deref()));
    let texts = [
        (entity::NAME, user.name),
        (entity::MOBILE, mobile),
        (entity::EMAIL, user.email),
        (entity::ORG_EMAIL, user.org_email),
        (entity::TELEPHONE, user.telephone),
        (entity::TITLE, user.title),
        (entity::JOB_NUMBER, user.job_number),
        (entity::WORK_PLACE, user.work_place),
        (entity::REMARK, user.remark),
        (entity::MANAGER, user.manager_userid),
        (entity::ACCOUNT_KIND, account_kind),
        (entity::LOGIN_ID, user.login_id),
        (entity::NICKNAME, user.nickname),
    ];
    let texts = texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))));
    attributes.extend(texts);
    let custom = user.extension.into_iter();
    attributes.extend(custom.map(|(field, text)| (format!("{}{field}", entity::EXTENSION_PREFIX), text.into())));
    let others = [
        (entity::HIRED_DATE, user.hired_date.map(Value::from)),
        (entity::HIDE_MOBILE, user.hide_mobile.map(Value::from)),
        (entity::SENIOR_MODE, user.senior.map(Value::from)),
        (entity::ENABLED, enabled.map(Value::from)),
        (entity::ADMINISTRATOR, Some(Value::Bool(user.admin == Some(true) || user.boss == Some(true)))),
    ];
    attributes.extend(others.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Some(Entity { remote_id: user.userid?, attributes: tidied(attributes) })
}

/// What is told of a person's departments.
fn placement(user: &User) -> Attributes {
    let mut attributes = Attributes::new();
    let departments = user.dept_id_list.iter().filter(|id| fit::department_number(id).is_some());
    attributes.insert(entity::ORG_UNITS.to_owned(), departments.cloned().map(Value::String).collect());
    let orders = user.dept_order_list.iter();
    let orders = orders.filter_map(|entry| Some((entry.dept_id?.to_string(), entry.order?.into())));
    attributes.insert(entity::ORG_UNIT_ORDERS.to_owned(), Value::Object(orders.collect()));
    let titles = user.dept_position_list.iter();
    let titles = titles.filter_map(|post| Some((post.dept_id?.to_string(), post.title.clone()?.into())));
    attributes.insert(entity::ORG_UNIT_TITLES.to_owned(), Value::Object(titles.collect()));
    if let Some(main) = user.dept_position_list.iter().find(|post| post.is_main == Some(true))
        && let Some(dept_id) = main.dept_id
    {
        attributes.insert(entity::PRIMARY_ORG_UNIT.to_owned(), dept_id.to_string().into());
    }
    attributes
}

/// The attributes that an accepted action leaves, as a read of the person will return them. What DingTalk gives by
/// itself cannot be known here: the order in a department for which none is wanted.
pub(crate) fn after(before: &Attributes, action: &Action) -> Attributes {
    let mut attributes = plan::after(before, action);
    if let Action::Create { .. } = action {
        // What DingTalk says of every account, and of every new enterprise account.
        attributes.entry(entity::ACCOUNT_KIND.to_owned()).or_insert_with(|| NORMAL.into());
        if account_kind(&attributes) != Some(NORMAL) {
            attributes.entry(entity::ENABLED.to_owned()).or_insert(Value::Bool(true));
        }
    }
    if let Action::Update { changes, .. } = action {
        for name in BY_DEPARTMENT {
            // Only what is named changes.
            if let (Some(Value::Object(before)), Some(Change::Set(Value::Object(named)))) =
                (before.get(name), changes.get(name))
            {
                let mut all = before.clone();
                all.extend(named.clone());
                attributes.insert(name.to_owned(), Value::Object(all));
            }
        }
    }
    tidied(attributes)
}

/// Attributes as every read has them: departments in the order that plain text comparison gives, each once (DingTalk
/// documents no meaning of their order, and lists are compared for equality); no empty texts; no switch that is off;
/// nothing about departments that the person is not in.
fn tidied(mut attributes: Attributes) -> Attributes {
    let units: BTreeSet<String> = match attributes.get(entity::ORG_UNITS) {
        Some(Value::Array(units)) => units.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        _ => BTreeSet::new(),
    };
    for name in BY_DEPARTMENT {
        if let Some(Value::Object(of)) = attributes.get_mut(name) {
            let said = |value: &Value| !value.is_null() && value.as_str() != Some("");
            let mut kept: Vec<(String, Value)> =
                std::mem::take(of).into_iter().filter(|(unit, value)| units.contains(unit) && said(value)).collect();
            kept.sort_by(|(a, _), (b, _)| a.cmp(b));
            *of = Map::from_iter(kept);
        }
    }
    attributes.retain(|name, value| match value {
        Value::Null => false,
        Value::String(text) if name == entity::PRIMARY_ORG_UNIT => units.contains(text),
        Value::String(text) => !text.is_empty(),
        Value::Bool(on) => *on || !SWITCHES.contains(&name.as_str()),
        Value::Object(object) => !object.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Number(_) => true,
    });
    if !units.is_empty() {
        attributes.insert(entity::ORG_UNITS.to_owned(), units.into_iter().map(Value::String).collect());
    }
    attributes
}

/// The form in which a number is given at creation (page `user-information-creation`): mainland numbers bare,
/// others `+<country>-<number>`. A read splits the country off into `state_code`.
pub(crate) fn dialled(mobile: String, state_code: Option<&str>) -> String {
    if let Some(bare) = mobile.strip_prefix("+86-") {
        return bare.to_owned();
    }
    match state_code.map(|code| code.trim().trim_start_matches('+')) {
        Some(country) if !matches!(country, "" | "86") && !mobile.starts_with('+') => {
            format!("+{country}-{mobile}")
        }
        _ => mobile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_as_given_at_creation() {
        for (mobile, state_code, expected) in [
            ("13800000001", Some("86"), "13800000001"),
            ("13800000001", None, "13800000001"),
            ("+86-13800000001", Some("86"), "13800000001"),
            ("91234567", Some("65"), "+65-91234567"),
            ("91234567", Some("+65"), "+65-91234567"),
            ("+65-91234567", Some("65"), "+65-91234567"),
            ("+65-91234567", None, "+65-91234567"),
        ] {
            assert_eq!(dialled(mobile.to_owned(), state_code), expected, "{mobile} {state_code:?}");
        }
    }

    #[test]
    fn what_was_written_looks_as_if_read() {
        let written = json!({
            "name": "张三", "title": "", "org_units": ["9", "10", "9"], "hide_mobile": false, "senior_mode": true,
            "org_unit_titles": {"9": "a", "10": "", "7": "b"}, "primary_org_unit": "7", "org_unit_orders": {"7": 1}
        });
        let Value::Object(written) = written else { panic!("an object") };
        let expected = json!({
            "name": "张三", "org_units": ["10", "9"], "senior_mode": true, "org_unit_titles": {"9": "a"}
        });
        assert_eq!(json!(tidied(written.into_iter().collect())), expected);
    }
}
