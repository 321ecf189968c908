//! Single people, for stories about one or two of them.

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::drivers::{ENTERPRISE, PATCH_OP, USER};
use crate::world::World;

/// The path of a mobile number in a PATCH.
pub(crate) const MOBILE: &str = "phoneNumbers[type eq \"mobile\"].value";

/// Somebody with a name, a number and a mobile number, directly under the root.
pub(crate) fn somebody(number: usize) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": format!("somebody.{number}@corp.example"),
        "displayName": format!("Somebody {number}"),
        "active": true,
        "phoneNumbers": [{ "type": "mobile", "value": mobile(number) }],
        ENTERPRISE: { "employeeNumber": job_number(number) },
    })
}

/// The mobile number of [`somebody`].
pub(crate) fn mobile(number: usize) -> String {
    format!("1390000{number:04}")
}

/// The job number of [`somebody`].
pub(crate) fn job_number(number: usize) -> String {
    format!("S{number:04}")
}

/// The same person with an attribute of the enterprise extension.
pub(crate) fn with(mut person: Value, attribute: &str, value: impl Into<Value>) -> Value {
    person[ENTERPRISE][attribute] = value.into();
    person
}

/// A replace operation.
pub(crate) fn replace(path: &str, value: impl Into<Value>) -> Value {
    json!({ "op": "replace", "path": path, "value": value.into() })
}

/// The path of an attribute of the enterprise extension.
pub(crate) fn enterprise(attribute: &str) -> String {
    format!("{ENTERPRISE}:{attribute}")
}

impl World {
    /// Creates a person. Returns the SCIM id.
    pub(crate) async fn join(&self, person: &Value) -> anyhow::Result<String> {
        let made = self.scim()?.expect(StatusCode::CREATED, Method::POST, "/Users", person).await?;
        Ok(made.text("/id")?.to_owned())
    }

    /// Changes a person with one operation.
    pub(crate) async fn change(&self, id: &str, operation: Value) -> anyhow::Result<()> {
        let body = json!({ "schemas": [PATCH_OP], "Operations": [operation] });
        self.scim()?.expect(StatusCode::OK, Method::PATCH, &format!("/Users/{id}"), &body).await.map(drop)
    }

    /// Activates or deactivates a person.
    pub(crate) async fn set_active(&self, id: &str, active: bool) -> anyhow::Result<()> {
        self.change(id, replace("active", active)).await
    }

    /// The member of DingTalk with the job number of [`somebody`], as stored there.
    pub(crate) async fn member(&self, number: usize) -> anyhow::Result<Option<Value>> {
        let job_number = job_number(number);
        let users = self.simulator.users().await?;
        Ok(users.into_iter().find(|user| user["job_number"] == job_number.as_str()))
    }

    /// The userid of the member with the job number of [`somebody`].
    pub(crate) async fn userid(&self, number: usize) -> anyhow::Result<String> {
        let member = self.member(number).await?.with_context(|| format!("somebody {number} is not at DingTalk"))?;
        Ok(member["userid"].as_str().unwrap_or_default().to_owned())
    }

    /// All calls that DingTalk has got, oldest first.
    pub(crate) async fn all_calls(&self) -> anyhow::Result<Vec<Value>> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().and_then(|call| call["seq"].as_u64()).unwrap_or(0);
            let page = self.simulator.calls(after).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// The calls of one API that changed something.
    pub(crate) async fn committed(&self, api: &str) -> anyhow::Result<Vec<Value>> {
        let calls = self.all_calls().await?;
        Ok(calls.into_iter().filter(|call| call["api"] == api && call["committed"] == true).collect())
    }
}
