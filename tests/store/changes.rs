//! The change log.

use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_provisioning::stop::{Cause, Reach};
use rollcall_scim::patch::Detached;
use rollcall_store::changes::Operation::{Create, Delete, Update};
use rollcall_store::changes::{Alert, ChangeCursor, ChangeEntry, Operation, Subject};
use rollcall_store::projection::{NewTarget, Refused, TargetMode};
use serde_json::json;
use uuid::Uuid;

use crate::fixture::Fixture;

const USER: Subject = Subject::Resource(ResourceKind::User);
const GROUP: Subject = Subject::Resource(ResourceKind::Group);

fn story(entries: &[ChangeEntry]) -> Vec<(Operation, Subject, i64)> {
    entries.iter().map(|entry| (entry.operation, entry.subject, entry.version)).collect()
}

#[tokio::test]
async fn every_write_says_who_did_what() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let group = f.group("Sales", &["x"]).await?;
    f.set(ada.id, json!({ "title": "Countess", "active": false })).await?;
    f.members(group.id, vec![Detached::Add(vec![json!({ "value": ada.id.to_string() })])]).await?;
    f.delete(ada.id).await?;
    let log = f.store.changes(f.tenant, ChangeCursor::After(0), 100, None).await?;
    assert_eq!(
        story(&log),
        [(Create, USER, 1), (Create, GROUP, 1), (Update, USER, 2), (Update, GROUP, 2), (Delete, USER, 3)]
    );
    assert!(log.iter().all(|entry| entry.source == Some(f.source)));
    let requests: Vec<&str> = log.iter().map(|entry| entry.request_id.as_str()).collect();
    assert_eq!(requests, ["create", "create", "update", "members", "delete"]);
    assert_eq!(log[2].details, json!({ "attributes": ["active", "title"], "active": false }), "names, not values");
    let added = json!({
        "attributes": [], "added": 1, "added_first": [ada.id.to_string()], "removed": 0, "removed_first": [],
    });
    assert_eq!(log[3].details, added);
    assert_eq!(log[4].details, json!({ "groups": 1 }));
    Ok(())
}

#[tokio::test]
async fn the_log_is_read_page_by_page_in_both_directions() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    for title in ["a", "b", "c", "d"] {
        f.set(ada.id, json!({ "title": title })).await?;
        f.person(title).await?;
    }
    let whose = Some(ada.id);
    let versions = |entries: &[ChangeEntry]| entries.iter().map(|entry| entry.version).collect::<Vec<_>>();
    let newest = f.store.changes(f.tenant, ChangeCursor::Before(i64::MAX), 2, whose).await?;
    assert_eq!(versions(&newest), [5, 4]);
    let older = f.store.changes(f.tenant, ChangeCursor::Before(newest[1].id), 2, whose).await?;
    assert_eq!(versions(&older), [3, 2]);
    let newer = f.store.changes(f.tenant, ChangeCursor::After(older[0].id), 10, whose).await?;
    assert_eq!(versions(&newer), [4, 5]);
    assert_eq!(f.store.changes(f.tenant, ChangeCursor::After(0), 100, None).await?.len(), 9);
    let other = f.store.create_tenant("umbrella").await?.id;
    assert!(f.store.changes(other, ChangeCursor::After(0), 100, None).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn alerts_are_in_the_log() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let resource = ResourceId(Uuid::from_u128(5));
    let alert = Alert {
        kind: ResourceKind::User,
        resource,
        version: 3,
        request_id: "r".to_owned(),
        details: json!({ "code": "40022" }),
    };
    f.store.record_alert(f.tenant, &alert).await?;
    let log = f.store.changes(f.tenant, ChangeCursor::After(0), 10, Some(resource)).await?;
    assert_eq!(story(&log), [(Operation::Alert, USER, 3)]);
    assert_eq!((log[0].source, &log[0].details), (None, &alert.details));
    Ok(())
}

#[tokio::test]
async fn a_stopped_target_is_in_the_log_once_per_cause() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let new = NewTarget {
        id: f.store.new_target_id(),
        name: "somewhere".to_owned(),
        kind: "dingtalk".to_owned(),
        settings: json!({}),
        secret_sealed: vec![1],
        mode: TargetMode::Live,
    };
    let target = f.store.create_target(f.tenant, &new).await?;
    let refused = Refused {
        reach: Reach::Target,
        cause: Cause::Permission,
        code: "60020",
        reason: "The address is not allowed.",
        advice: "Allow it.",
        wish: None,
        settings_revision: Some(1),
        by: None,
    };
    for code in ["60020", "60020", "60011"] {
        assert!(f.store.stop(f.tenant, target, &Refused { code, ..refused }).await?.is_some());
    }
    // What was refused with settings that do not count any more says nothing about those that do.
    let outdated = Refused { code: "40089", settings_revision: Some(0), ..refused };
    assert_eq!(f.store.stop(f.tenant, target, &outdated).await?, None);
    let log = f.store.changes(f.tenant, ChangeCursor::After(0), 10, None).await?;
    assert_eq!(story(&log), [(Operation::TargetStopped, Subject::Target, 0); 2]);
    let told = json!({
        "code": "60011", "cause": "permission", "kind": null, "step": null, "reason": "The address is not allowed. Allow it.",
    });
    assert_eq!(log[1].details, told);
    Ok(())
}
