//! The departments of a target as a survey reads them: all at once, by name and by remote id.

use super::surveys::Survey;
use crate::StoreError;
use rollcall_provisioning::ids::TargetId;
use rollcall_provisioning::org_unit::OrgName;
use rollcall_provisioning::proposal::Paths;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// The departments of a target.
#[derive(Debug, Default)]
pub struct SurveyUnits {
    by_name: HashMap<(Uuid, String), Uuid>,
    remote_ids: HashMap<Uuid, String>,
    /// Paths as people know them, by remote id.
    pub paths: Paths,
}

/// A department that somebody whom a survey settles belongs to.
#[derive(Clone, Debug)]
pub struct SurveyPlace {
    /// The way to it from the root, not empty.
    pub path: Vec<OrgName>,
    /// Whether the person heads it.
    pub head: bool,
}

impl SurveyUnits {
    /// The department at this path, and its remote id once it is at the target.
    pub fn find(&self, target: TargetId, path: &[OrgName]) -> Option<(Uuid, Option<&str>)> {
        let mut unit = target.0;
        for name in path {
            unit = *self.by_name.get(&(unit, name.key.clone()))?;
        }
        Some((unit, self.remote_ids.get(&unit).map(String::as_str)))
    }
}

/// The departments of a target that are not gone.
pub(super) async fn survey_units(connection: &mut PgConnection, survey: &Survey) -> Result<SurveyUnits, StoreError> {
    let rows: Vec<(Uuid, Uuid, String, String, Option<String>)> = sqlx::query_as(
        "SELECT o.id, o.parent_id, o.name, o.name_key, CASE WHEN l.observed <> 'absent' THEN l.remote_id END
         FROM org_units o
         LEFT JOIN links l ON l.tenant_id = o.tenant_id AND l.target_id = o.target_id AND l.resource_kind = 'org_unit'
                          AND l.resource_id = o.id
         WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.gone_at IS NULL",
    )
    .bind(survey.tenant.0)
    .bind(survey.target.0)
    .fetch_all(connection)
    .await?;
    let named: HashMap<Uuid, (Uuid, &str)> =
        rows.iter().map(|(id, parent, name, ..)| (*id, (*parent, name.as_str()))).collect();
    let mut units = SurveyUnits::default();
    for (id, parent, _, key, remote_id) in &rows {
        units.by_name.insert((*parent, key.clone()), *id);
        if let Some(remote_id) = remote_id {
            units.remote_ids.insert(*id, remote_id.clone());
            units.paths.insert(remote_id.clone(), path_of(*id, &named));
        }
    }
    Ok(units)
}

/// Names from the top, ` / ` between them. A department whose parents are gone is known by what is left.
fn path_of(id: Uuid, known: &HashMap<Uuid, (Uuid, &str)>) -> String {
    let mut names = Vec::new();
    let mut unit = id;
    while let Some((parent, name)) = known.get(&unit) {
        names.push(*name);
        // No tree is deeper than it has departments.
        if names.len() > known.len() {
            break;
        }
        unit = *parent;
    }
    names.reverse();
    names.join(" / ")
}
