//! What is refused here, before a call is spent on it: what DingTalk's answer could only say in vaguer words.

use rollcall_provisioning::connector::{
    AttributeSpec, Clearing, ConnectorError, ErrorClass, TargetSchema, account_kind,
};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::plan::{Action, Change, InitialPassword};
use serde_json::Value;

use crate::schema::DingTalkSchema;

/// The most departments that one person can be given in one call (page `user-information-creation`).
const MOST_DEPARTMENTS: usize = 100;

/// Checks an action against the schema: required attributes are there, nothing unknown, nothing that cannot
/// be changed or cleared.
pub(crate) fn action(action: &Action) -> Result<(), ConnectorError> {
    match action {
        Action::Create { kind, attributes, .. } => {
            for name in attributes.keys() {
                spec(*kind, name)?;
            }
            let required = DingTalkSchema.required(*kind, account_kind(attributes));
            match required.into_iter().find(|name| !attributes.contains_key(*name)) {
                Some(name) => Err(unfit(name, "missing", "has no value, and DingTalk needs one")),
                None => Ok(()),
            }
        }
        Action::Update { kind, changes, .. } => changes.iter().try_for_each(|(name, change)| {
            let spec = spec(*kind, name)?;
            if spec.create_only {
                let refused = unfit(spec.name, "unchangeable", "cannot be changed by an application");
                return Err(ConnectorError { class: ErrorClass::Conflict, ..refused });
            }
            if *change == Change::Clear && spec.clearing == Clearing::Impossible {
                return Err(unfit(spec.name, "unclearable", "cannot be cleared"));
            }
            Ok(())
        }),
        Action::Delete { .. } | Action::AddMembers { .. } | Action::RemoveMembers { .. } => Ok(()),
    }
}

fn spec(kind: EntityKind, name: &str) -> Result<&'static AttributeSpec, ConnectorError> {
    static SCHEMA: DingTalkSchema = DingTalkSchema;
    SCHEMA.attribute(kind, name).ok_or_else(|| ConnectorError {
        attribute: None,
        message: format!("DingTalk has no attribute {name}."),
        ..unfit("", "unknown_attribute", "")
    })
}

/// A text that can be sent: without control characters that JSON can only write as `\uXXXX`, which DingTalk
/// refuses (40033).
pub(crate) fn text(attribute: &'static str, value: &Value) -> Result<String, ConnectorError> {
    let Value::String(text) = value else {
        return Err(unfit(attribute, "malformed", "is not a text"));
    };
    if text.chars().any(|c| c < ' ' && !matches!(c, '\u{8}' | '\t' | '\n' | '\u{c}' | '\r')) {
        return Err(unfit(attribute, "malformed", "holds a control character, which DingTalk does not take"));
    }
    Ok(text.clone())
}

/// The number of a department that may be touched. Ids of zero and below are pseudo-departments of schools
/// (page `common-errors`).
pub(crate) fn department_number(id: &str) -> Option<i64> {
    id.parse().ok().filter(|number| *number > 0)
}

/// The number of a department that an attribute speaks of.
pub(crate) fn department(attribute: &'static str, value: &Value) -> Result<i64, ConnectorError> {
    let number = value.as_str().and_then(department_number);
    number.ok_or_else(|| unfit(attribute, "malformed", "is not the id of a department"))
}

/// The ids of a person's departments.
pub(crate) fn departments(attribute: &'static str, value: &Value) -> Result<Vec<i64>, ConnectorError> {
    let ids = value.as_array().filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| unfit(attribute, "malformed", "is not a list of departments"))?;
    if ids.len() > MOST_DEPARTMENTS {
        return Err(unfit(attribute, "too_many", "holds more than 100 departments"));
    }
    ids.iter().map(|id| department(attribute, id)).collect()
}

/// Remote ids that can be sent joined by commas.
pub(crate) fn ids(attribute: &'static str, value: &Value) -> Result<Vec<String>, ConnectorError> {
    let refused = || unfit(attribute, "malformed", "is not a list of ids");
    let id = |id: &Value| id.as_str().filter(|id| plain_id(id)).map(str::to_owned);
    value.as_array().ok_or_else(refused)?.iter().map(|value| id(value).ok_or_else(refused)).collect()
}

/// Members that fit one call.
pub(crate) fn members(members: &[String], most: usize) -> Result<(), ConnectorError> {
    let refuse = |fault: &str, what: &str| {
        let advice = "Report this to the maintainers of Rollcall.".to_owned();
        Err(ConnectorError { attribute: None, advice, ..unfit("members", fault, what) })
    };
    if members.is_empty() || members.len() > most {
        return refuse("too_many", "are none or more than fit one call");
    }
    if members.iter().all(|id| plain_id(id)) { Ok(()) } else { refuse("malformed", "hold what is no id") }
}

/// Whether an id stays one when it is joined with others by commas.
pub(crate) fn plain_id(id: &str) -> bool {
    !id.is_empty() && !id.contains(',') && !id.chars().any(char::is_control)
}

/// Values by department.
pub(crate) fn by_department<'a>(
    attribute: &'static str,
    value: &'a Value,
) -> Result<Vec<(i64, &'a Value)>, ConnectorError> {
    let refused = || unfit(attribute, "malformed", "is not an object of values by department");
    let object = value.as_object().ok_or_else(refused)?;
    object.iter().map(|(id, value)| Ok((department_number(id).ok_or_else(refused)?, value))).collect()
}

/// A whole number.
pub(crate) fn integer(attribute: &'static str, value: &Value) -> Result<i64, ConnectorError> {
    value.as_i64().ok_or_else(|| unfit(attribute, "malformed", "is not a whole number"))
}

/// Whole numbers.
pub(crate) fn integers(attribute: &'static str, value: &Value) -> Result<Vec<i64>, ConnectorError> {
    let list = value.as_array().ok_or_else(|| unfit(attribute, "malformed", "is not a list of whole numbers"))?;
    list.iter().map(|value| integer(attribute, value)).collect()
}

/// A yes or no.
pub(crate) fn switch(attribute: &'static str, value: &Value) -> Result<bool, ConnectorError> {
    value.as_bool().ok_or_else(|| unfit(attribute, "malformed", "is neither true nor false"))
}

/// A first password that DingTalk takes: at least 8 characters, neither letters nor digits alone (page
/// `create-dingtalk-user-created-dedicated-account`).
pub(crate) fn password(password: Option<&InitialPassword>) -> Result<&InitialPassword, ConnectorError> {
    let refuse = |fault: &str, what: &str| {
        let advice = "Report this to the maintainers of Rollcall.".to_owned();
        ConnectorError { attribute: None, advice, ..unfit("password", fault, what) }
    };
    let password = password.ok_or_else(|| refuse("missing", "was not made, and an account of this kind needs one"))?;
    let text = password.expose();
    let alone = text.chars().all(char::is_alphabetic) || text.chars().all(|c| c.is_ascii_digit());
    if alone || text.chars().count() < 8 {
        return Err(refuse("malformed", "is too weak for DingTalk"));
    }
    Ok(password)
}

/// The refusal of one attribute: `<attribute>_<fault>`.
pub(crate) fn unfit(attribute: &'static str, fault: &str, what: &str) -> ConnectorError {
    let name = attribute.trim_end_matches('.');
    ConnectorError {
        class: ErrorClass::Invalid,
        code: if name.is_empty() { fault.to_owned() } else { format!("{name}_{fault}") },
        message: format!("The {name} {what}."),
        advice: "Correct the value at the source, or the mapping.".to_owned(),
        attribute: Some(attribute).filter(|name| !name.is_empty()),
        retry_after: None,
        outcome_unknown: false,
    }
}

/// The refusal to touch a department that is not ours to touch.
pub(crate) fn untouchable(id: &str) -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Forbidden,
        code: "untouchable".to_owned(),
        message: format!("The department {id} is the one at the top, or none that an application may change."),
        advice: "Remove the link to this department.".to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown: false,
    }
}
