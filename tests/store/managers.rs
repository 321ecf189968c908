//! How a manager is named: kept with the value that a source wrote, and read again by nobody else.

use rollcall_scim::profile::{ManagerBy, Profile};
use rollcall_scim::resource::Resource;
use rollcall_store::users::{ManagerReading, Namesake, StoredUser, UserView};
use rollcall_store::write::Actor;
use serde_json::{Value, json};

use crate::fixture::{ENTERPRISE, Fixture, Never, resource};

const NAMES: [ManagerBy; 3] = [ManagerBy::Id, ManagerBy::ExternalId, ManagerBy::EmployeeNumber];

fn actor(f: &Fixture, manager_by: ManagerBy) -> Actor {
    Actor { manager_by, ..f.actor("r") }
}

fn under(name: &str, manager: Option<&str>) -> Value {
    let manager = manager.map_or(Value::Null, |value| json!({ "manager": { "value": value } }));
    json!({ "userName": name, "active": true, ENTERPRISE: manager })
}

/// A report under this manager, written by a source that names managers so.
async fn report(f: &Fixture, by: ManagerBy, manager: Option<&str>) -> anyhow::Result<StoredUser> {
    let body = under(&format!("report-{by:?}-{manager:?}"), manager);
    Ok(f.store.create_user(&actor(f, by), without_nulls(body), Namesake::Ignored).await?)
}

fn without_nulls(mut body: Value) -> rollcall_scim::resource::Resource {
    if let Some(map) = body.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    resource(body)
}

#[tokio::test]
async fn what_is_answered_is_what_is_read() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    for by in NAMES {
        for manager in [None, Some("W1")] {
            let made = report(&f, by, manager).await?;
            let wanted = if manager.is_some() { by } else { ManagerBy::Id };
            assert_eq!(made.manager_reading.by(), wanted);
            let read = f.store.user(f.tenant, made.id, UserView::default()).await?;
            assert_eq!(read.as_ref(), Some(&made), "{by:?} {manager:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_reading_goes_with_the_value() -> anyhow::Result<()> {
    use ManagerBy::{EmployeeNumber, ExternalId, Id};
    let f = Fixture::new().await?;
    // How it was named, who writes, what they write, how it is read then, and whether anything was written.
    let cases = [
        (ExternalId, Id, Some("W1"), ExternalId, false),
        (ExternalId, Id, Some("W2"), Id, true),
        (ExternalId, Id, None, Id, true),
        (ExternalId, ExternalId, Some("W1"), ExternalId, false),
        (ExternalId, ExternalId, Some("W2"), ExternalId, true),
        (ExternalId, EmployeeNumber, Some("W1"), EmployeeNumber, true),
        // A source whose switch was moved sends its next snapshot, in which nothing else is new.
        (Id, ExternalId, Some("W1"), ExternalId, true),
        (Id, EmployeeNumber, Some("W1"), EmployeeNumber, true),
        (Id, Id, Some("W1"), Id, false),
        (Id, ExternalId, None, Id, true),
    ];
    for (named, by, manager, wanted, written) in cases {
        let made = report(&f, named, Some("W1")).await?;
        let extension = under("report", manager).get(ENTERPRISE).and_then(Value::as_object).cloned();
        let updated = f
            .store
            .update_user(&actor(&f, by), made.id, UserView::default(), |user| {
                let mut map = user.resource.as_map().clone();
                map.shift_remove(ENTERPRISE);
                map.extend(extension.clone().map(|extension| (ENTERPRISE.to_owned(), Value::Object(extension))));
                Ok::<_, Never>(rollcall_scim::resource::Resource::from_map(map))
            })
            .await
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let case = format!("{named:?} {by:?} {manager:?}");
        assert_eq!((updated.value.manager_reading.by(), updated.changed), (wanted, written), "{case}");
        let read = f.store.user(f.tenant, made.id, UserView::default()).await?;
        assert_eq!(read, Some(updated.value), "{case}");
        f.delete(made.id).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn reports_are_marked_when_somebody_is_named_so_or_not_any_more() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let by_external_id = report(&f, ManagerBy::ExternalId, Some("W1")).await?.id;
    let by_number = report(&f, ManagerBy::EmployeeNumber, Some("W1")).await?.id;
    let by_id = report(&f, ManagerBy::Id, Some("W1")).await?.id;
    let marks = async || {
        let mut marks = Vec::new();
        for id in [by_external_id, by_number, by_id] {
            let mark: i64 = sqlx::query_scalar("SELECT mark FROM deliveries WHERE resource_id = $1")
                .bind(id.0)
                .fetch_one(f.database.pool())
                .await?;
            marks.push(mark);
        }
        anyhow::Ok(marks)
    };
    assert_eq!(marks().await?, [1, 1, 1]);
    let boss = f.user(json!({ "userName": "boss", "active": true, "externalId": "W1" })).await?.id;
    assert_eq!(marks().await?, [2, 1, 1], "the manager has come");
    f.user(json!({ "userName": "other", "active": true, "externalId": "w1" })).await?;
    assert_eq!(marks().await?, [2, 1, 1], "an externalId has its case");
    let failed = |error| anyhow::anyhow!("{error:?}");
    f.set(boss, json!({ "title": "x" })).await.map_err(failed)?;
    assert_eq!(marks().await?, [2, 1, 1], "nothing that a report shows has changed");
    f.set(boss, json!({ ENTERPRISE: { "employeeNumber": "w1" } })).await.map_err(failed)?;
    assert_eq!(marks().await?, [3, 2, 1], "a number has none");
    f.set(boss, json!({ "externalId": "W2" })).await.map_err(failed)?;
    assert_eq!(marks().await?, [4, 3, 1], "the manager has another name");
    f.set(boss, json!({ "externalId": "W1", "active": false })).await.map_err(failed)?;
    assert_eq!(marks().await?, [5, 4, 1], "the manager has left");
    f.delete(boss).await.map_err(failed)?;
    assert_eq!(marks().await?, [6, 5, 1], "the manager is gone");
    let kept: Option<String> = sqlx::query_scalar("SELECT manager_key FROM users WHERE id = $1")
        .bind(by_external_id.0)
        .fetch_one(f.database.pool())
        .await?;
    assert_eq!(kept.as_deref(), Some("W1"), "it is the source's word, and somebody may come who is named so");
    Ok(())
}

/// An externalId belongs to the source that gave it: the same text of another source is another name.
#[tokio::test]
async fn reports_are_marked_when_their_source_names_somebody_otherwise() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let hr = f.store.create_source(f.tenant, "hr", &Profile::generic()).await?.id;
    let of_hr = Actor { source: hr, ..actor(&f, ManagerBy::ExternalId) };
    let report_to_hr = without_nulls(under("report-hr", Some("W1")));
    let of_okta = report(&f, ManagerBy::ExternalId, Some("W1")).await?.id;
    let made = f.store.create_user(&of_hr, report_to_hr, Namesake::Ignored).await?;
    assert_eq!(made.manager_reading, ManagerReading::ExternalId(hr));
    let marks = async || {
        let marks = "SELECT mark FROM unnest($1::uuid[]) WITH ORDINALITY AS named (id, place) \
                     JOIN deliveries ON resource_id = named.id ORDER BY place";
        let ids = [of_okta.0, made.id.0];
        anyhow::Ok(sqlx::query_scalar::<_, i64>(marks).bind(ids).fetch_all(f.database.pool()).await?)
    };
    let boss = f.user(json!({ "userName": "boss", "active": true, "externalId": "W1" })).await?.id;
    assert_eq!(marks().await?, [2, 1], "whom Okta calls W1 has come");
    let gives = async |id: Option<&str>, active: bool| {
        let change = |user: &StoredUser| {
            let mut map = user.resource.as_map().clone();
            map.shift_remove("externalId");
            map.extend(id.map(|id| ("externalId".to_owned(), id.into())));
            map.insert("active".to_owned(), active.into());
            Ok::<_, Never>(Resource::from_map(map))
        };
        let updated = f.store.update_user(&of_hr, boss, UserView::default(), change).await;
        updated.map_err(|error| anyhow::anyhow!("{error:?}"))
    };
    // What HR calls the manager, and how often its report is marked then. Whoever uses another name of the same person
    // is marked with it.
    for (id, mark) in [(Some("W2"), 1), (Some("W1"), 2), (Some("W1"), 2), (None, 3), (Some("W1"), 4)] {
        gives(id, true).await?;
        assert_eq!(marks().await?[1], mark, "{id:?}");
    }
    let before = marks().await?;
    gives(Some("W1"), false).await?;
    let left = marks().await?;
    assert!(left.iter().zip(&before).all(|(now, before)| now > before), "the manager has left: {left:?}");
    f.delete(boss).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let gone = marks().await?;
    assert!(gone.iter().zip(&left).all(|(now, before)| now > before), "the manager is gone: {gone:?}");
    Ok(())
}
