//! How much of a plan is applied now, as people say it.

use crate::error::ApiError;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::Wave;
use serde_json::Value;
use uuid::Uuid;

/// Most people that are named one by one.
pub(super) const MAX_USERS: usize = 1_000;

/// How much of a plan is applied now. Departments that people need go with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WaveRequest {
    /// All that is left of it.
    All,
    /// This many people.
    People(u32),
    /// The people of a department and of those below it; its path, such as `Sales / EMEA`.
    Department(String),
    /// These people.
    Users(Vec<Uuid>),
}

impl WaveRequest {
    /// Reads `"all"`, `{"people": 10}`, `{"department": "Sales / EMEA"}` or `{"users": [ids]}`.
    ///
    /// # Errors
    /// 400 that says what it can be.
    pub fn parse(value: &Value) -> Result<Self, ApiError> {
        let wrong = || {
            ApiError::parameter(
                "wave",
                "must be \"all\", {\"people\": 10}, {\"department\": \"Sales / EMEA\"} or {\"users\": [ids]}",
            )
        };
        if value == "all" {
            return Ok(Self::All);
        }
        let mut members = value.as_object().ok_or_else(wrong)?.iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else { return Err(wrong()) };
        match name.as_str() {
            "people" => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
                number.map(Self::People).ok_or_else(|| ApiError::parameter("wave", "people must be a number from 1 on"))
            }
            "department" => {
                let path = value.as_str().map(str::trim).filter(|path| !path.is_empty());
                let path = path.ok_or_else(|| {
                    ApiError::parameter("wave", "department must be its path, such as \"Sales / EMEA\"")
                })?;
                Ok(Self::Department(path.to_owned()))
            }
            "users" => users("wave", value).map(Self::Users),
            _ => Err(wrong()),
        }
    }

    /// What it means for this plan.
    ///
    /// # Errors
    /// 400 for a department that the target does not have, and for people who are not in the plan.
    pub(super) async fn resolve(
        self,
        store: &Store,
        tenant: TenantId,
        (plan, target): (Uuid, TargetId),
    ) -> Result<Wave, ApiError> {
        match self {
            Self::All => Ok(Wave::All),
            Self::People(number) => Ok(Wave::People(number)),
            Self::Department(path) => {
                let found = store.unit_by_path((tenant, target), &path).await?;
                found.map(Wave::Department).ok_or_else(|| {
                    let problem = format!(
                        "names the department {}, which the target does not have; a department below another is named \
                         by both, as \"Sales / EMEA\"",
                        quoted(&path)
                    );
                    ApiError::parameter("wave", problem)
                })
            }
            Self::Users(ids) => {
                let ids: Vec<ResourceId> = ids.into_iter().map(ResourceId).collect();
                match store.not_in_plan(tenant, plan, &ids).await?.first() {
                    None => Ok(Wave::Resources(ids)),
                    Some(id) => Err(ApiError::parameter("wave", format!("names {id}, who is not in the plan"))),
                }
            }
        }
    }
}

/// People by their ids.
///
/// # Errors
/// 400 that says what they must be.
pub(super) fn users(name: &'static str, value: &Value) -> Result<Vec<Uuid>, ApiError> {
    let id = |value: &Value| value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    let ids: Option<Vec<Uuid>> = value.as_array().and_then(|ids| ids.iter().map(id).collect());
    ids.filter(|ids| (1..=MAX_USERS).contains(&ids.len())).ok_or_else(|| {
        let problem = format!("users must be an array of 1 to {MAX_USERS} ids of people, each a UUID");
        ApiError::parameter(name, problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn waves() {
        let id = Uuid::from_u128(7);
        for (given, expected) in [
            (json!("all"), Some(WaveRequest::All)),
            (json!({ "people": 10 }), Some(WaveRequest::People(10))),
            (json!({ "department": " Sales / EMEA " }), Some(WaveRequest::Department("Sales / EMEA".to_owned()))),
            (json!({ "users": [id] }), Some(WaveRequest::Users(vec![id]))),
            (json!("some"), None),
            (Value::Null, None),
            (json!({}), None),
            (json!({ "people": 0 }), None),
            (json!({ "people": -1 }), None),
            (json!({ "people": 1.5 }), None),
            (json!({ "people": "ten" }), None),
            (json!({ "people": 1, "users": [id] }), None),
            (json!({ "department": "" }), None),
            (json!({ "users": [] }), None),
            (json!({ "users": ["x"] }), None),
            (json!({ "everybody": true }), None),
        ] {
            assert_eq!(WaveRequest::parse(&given).ok(), expected, "{given}");
        }
    }
}
