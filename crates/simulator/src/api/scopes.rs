//! `GET /auth/scopes`: what the app may see (page A0053).

use serde_json::{Map, Value, json};

use crate::corp::{Corp, ROOT};
use crate::errcode::Refusal;
use crate::params::Params;

use super::{Caller, fields};

/// Readable fields and the contact range. Department 1 in the range means the whole organisation.
#[expect(clippy::unnecessary_wraps, reason = "every API has the same signature, so that the catalogue can list it")]
pub(crate) fn auth_scopes(_: &mut Corp, caller: Caller<'_>, _: &Params) -> Result<Map<String, Value>, Refusal> {
    let mut readable = vec!["userid", "name", "avatar", "department", "position", "jobnumber", "tel", "active"];
    if caller.app.reads_mobile {
        readable.extend(["mobile", "stateCode"]);
    }
    if caller.app.reads_personal {
        readable.extend(["email", "orgEmail", "workPlace", "remark", "extattr"]);
    }
    let range = caller.app.range.as_ref().map_or_else(|| vec![ROOT], |range| range.iter().copied().collect());
    Ok(fields([
        ("auth_user_field", json!(readable)),
        ("condition_field", json!([])),
        ("auth_org_scopes", json!({ "authed_user": [], "authed_dept": range })),
    ]))
}
