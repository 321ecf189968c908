//! Groups in groups: whoever is in the inner one is in the outer one, too (RFC 7643 §4.1.2, `indirect`).

use rollcall_tests::ScimClient;
use serde_json::{Value, json};

use crate::world::{Resource, World, patch};

/// The groups of a person as an answer shows them: `Inner direct, Outer indirect`.
async fn groups_of(client: &ScimClient, person: &Resource) -> anyhow::Result<String> {
    let shown = client.get(&person.path).await?.body;
    let text = |group: &Value, name: &str| group[name].as_str().unwrap_or("?").to_owned();
    let groups = shown["groups"].as_array().into_iter().flatten();
    let mut groups: Vec<String> =
        groups.map(|group| format!("{} {}", text(group, "display"), text(group, "type"))).collect();
    groups.sort();
    Ok(groups.join(", "))
}

async fn put_into(client: &ScimClient, group: &Resource, member: &str) -> anyhow::Result<()> {
    let add = patch(&json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }]));
    let added = client.patch(&group.path, &add).await?;
    anyhow::ensure!(added.status.is_success(), "{}", added.body);
    Ok(())
}

#[tokio::test]
async fn who_is_in_an_inner_group_is_in_the_outer_ones() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let (ada, bob) = (world.user(client, json!({})).await?, world.user(client, json!({})).await?);
    let mut groups = Vec::new();
    for name in ["Inner", "Middle", "Outer"] {
        groups.push(world.group(client, json!({ "displayName": name })).await?);
    }
    put_into(client, &groups[0], &ada.id).await?;
    put_into(client, &groups[1], &groups[0].id).await?;
    put_into(client, &groups[2], &groups[1].id).await?;
    put_into(client, &groups[1], &bob.id).await?;
    assert_eq!(groups_of(client, &ada).await?, "Inner direct, Middle indirect, Outer indirect");
    assert_eq!(groups_of(client, &bob).await?, "Middle direct, Outer indirect");

    // Both ways at once count as direct, and groups that are in each other end nowhere.
    put_into(client, &groups[2], &ada.id).await?;
    put_into(client, &groups[0], &groups[2].id).await?;
    assert_eq!(groups_of(client, &ada).await?, "Inner direct, Middle indirect, Outer direct");
    assert_eq!(groups_of(client, &bob).await?, "Inner indirect, Middle direct, Outer indirect");

    // Filters see what answers show.
    let outer = &groups[2].id;
    let cases = [
        (format!("groups.value eq \"{outer}\""), 2),
        (format!("groups[value eq \"{outer}\" and type eq \"direct\"]"), 1),
        (format!("groups[value eq \"{outer}\" and type eq \"indirect\"]"), 1),
        (format!("not (groups.value eq \"{outer}\")"), 0),
        ("groups.type eq \"indirect\"".to_owned(), 2),
    ];
    for (filter, total) in cases {
        let query = filter.replace(' ', "%20").replace('"', "%22").replace('[', "%5B").replace(']', "%5D");
        let found = client.get(&format!("/Users?filter={query}")).await?.body;
        assert_eq!(found["totalResults"], total, "{filter}: {found}");
    }

    // A group that is gone leads nowhere.
    client.delete(&groups[1].path).await?;
    assert_eq!(groups_of(client, &ada).await?, "Inner direct, Outer direct");
    assert_eq!(groups_of(client, &bob).await?, "");
    let found = client.get(&format!("/Users?filter=groups.value%20eq%20%22{}%22", groups[0].id)).await?.body;
    assert_eq!(found["totalResults"], 1, "{found}");
    Ok(())
}
