//! Candidates as a CSV file, out and in.

use super::decide::{DecidedView, refused};
use super::exists;
use crate::error::ApiError;
use rollcall_provisioning::csv;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::adoption::{Bucket, Candidate, CandidateQuery, Decision};
use std::collections::HashMap;
use uuid::Uuid;

/// How many candidates are read at once.
const AT_ONCE: i64 = 1_000;
/// How many wrong lines are named.
const NAMED: usize = 20;

const HEADER: [&str; 14] = [
    "row_id",
    "decision",
    "bucket",
    "score",
    "keys",
    "differs",
    "user_name",
    "display_name",
    "account_id",
    "account_name",
    "account_job_number",
    "account_title",
    "mark",
    "decided_by",
];

/// All candidates, or those of one bucket.
///
/// # Errors
/// 404 when there is no such target.
pub async fn export(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    bucket: Option<Bucket>,
) -> Result<String, ApiError> {
    exists(store, tenant, target).await?;
    let mut text = String::new();
    csv::write(&mut text, HEADER);
    let mut query = CandidateQuery { bucket, limit: AT_ONCE, ..CandidateQuery::default() };
    loop {
        let rows = store.candidates(tenant, target, &query).await?;
        for row in &rows {
            write(&mut text, row);
        }
        match rows.last() {
            Some(last) => query.after = Some(last.id),
            None => return Ok(text),
        }
    }
}

fn write(text: &mut String, row: &Candidate) {
    let or_empty = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let cells = [
        row.id.to_string(),
        or_empty(&row.decision),
        row.bucket.clone(),
        row.score.to_string(),
        row.keys.join(" "),
        row.differs.join(" "),
        or_empty(&row.user_name),
        or_empty(&row.display_name),
        or_empty(&row.remote_id),
        or_empty(&row.account_name),
        or_empty(&row.account_job_number),
        or_empty(&row.account_title),
        or_empty(&row.mark),
        or_empty(&row.decided_by),
    ];
    csv::write(text, cells.iter().map(String::as_str));
}

/// Takes the decisions of a file: of its columns only `row_id` and `decision` count, and of its lines only those with a
/// decision that is not there yet.
///
/// # Errors
/// 400 that names the wrong lines; nothing is decided then.
pub async fn import(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    text: &str,
    by: &str,
) -> Result<DecidedView, ApiError> {
    exists(store, tenant, target).await?;
    let records = csv::read(text).map_err(|error| wrong(&[error.to_string()]))?;
    let mut records = records.into_iter();
    let header = records.next().map(|(_, cells)| cells).unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let (Some(id_at), Some(decision_at)) = (column("row_id"), column("decision")) else {
        return Err(wrong(&["the first line must name the columns row_id and decision".to_owned()]));
    };
    let there = decisions(store, tenant, target).await?;
    let (mut wanted, mut problems, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    for (line, cells) in records {
        let cell = |at: usize| cells.get(at).map_or("", |cell| cell.trim());
        if cell(decision_at).is_empty() {
            continue;
        }
        let id = Uuid::try_parse(cell(id_at)).ok().filter(|id| there.contains_key(id));
        match (id, Decision::parse(cell(decision_at))) {
            (None, _) => problems.push(format!("line {line}: there is no candidate {:?}", cell(id_at))),
            (_, None) => problems.push(format!(
                "line {line}: the decision {:?} is none of accepted, rejected, new, undecided",
                cell(decision_at)
            )),
            (Some(id), Some(decision)) => {
                if let Some(first) = seen.insert(id, line) {
                    problems.push(format!("line {line}: the candidate is on line {first}, too"));
                }
                let before = there.get(&id).cloned().flatten();
                if before.as_deref().unwrap_or("undecided") != decision.as_str() {
                    wanted.push((id, decision));
                }
            }
        }
    }
    if !problems.is_empty() {
        return Err(wrong(&problems));
    }
    let lines = |id: &Uuid| seen.get(id).copied().unwrap_or_default();
    store.decide(tenant, target, &wanted, by).await.map(DecidedView::from).map_err(|error| match &error {
        rollcall_store::adoption::DecisionError::Senseless { id, .. } => {
            wrong(&[format!("line {}: {error}", lines(id))])
        }
        _ => refused(error),
    })
}

/// What is decided about each candidate.
async fn decisions(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
) -> Result<HashMap<Uuid, Option<String>>, ApiError> {
    let mut found = HashMap::new();
    let mut query = CandidateQuery { limit: AT_ONCE, ..CandidateQuery::default() };
    loop {
        let rows = store.candidates(tenant, target, &query).await?;
        let Some(last) = rows.last() else { return Ok(found) };
        query.after = Some(last.id);
        found.extend(rows.into_iter().map(|row| (row.id, row.decision)));
    }
}

fn wrong(problems: &[String]) -> ApiError {
    let mut text = problems.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if problems.len() > NAMED {
        text.push_str("; and ");
        text.push_str(&(problems.len() - NAMED).to_string());
        text.push_str(" more");
    }
    ApiError::parameter("body", format!("cannot be used, and nothing was decided: {text}"))
}
