//! What it costs to find somebody: the same among a hundred and among twenty thousand, counted in rows that Postgres reads.

use std::time::Duration;

use rollcall_provisioning::ids::{ResourceId, ResourceKind, SourceId};
use rollcall_scim::filter::Filter;
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::builtin;
use rollcall_store::Store;
use rollcall_store::groups::{GroupQuery, GroupUpdate, GroupView, StoredGroup};
use rollcall_store::listing::Matching;
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use rollcall_store::walk::{Place, UserWalk};
use rollcall_tests::wait_until;
use serde_json::json;

use crate::fixture::{ENTERPRISE, Fixture, Never};

const PATIENCE: Duration = Duration::from_secs(20);

/// A directory in which somebody is looked for.
struct Crowd {
    f: Fixture,
    other: SourceId,
    wanted: ResourceId,
    group: ResourceId,
}

impl Crowd {
    /// So many people, in one group together; each has a name, numbers and addresses of their own.
    async fn of(people: i32) -> anyhow::Result<Self> {
        let f = Fixture::new().await?;
        let other = f.store.create_source(f.tenant, "entra", &Profile::generic()).await?.id;
        let group = f.group("staff", &[]).await?.id;
        let mut filling = f.database.pool().acquire().await?;
        sqlx::query(
            "INSERT INTO users (tenant_id, id, source_id, user_name_key, external_id, external_ids, active,
                                display_name_key, email_keys, employee_number_key, manager_id, attributes, version,
                                created_at, modified_at)
             SELECT $1, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $2, 'user-' || n, 'ext-' || n, jsonb_build_object($3, 'other-' || n), true,
                    'shown-' || n, ARRAY['mail-' || n], 'number-' || n, 'boss-' || n,
                    jsonb_build_object('userName', 'user-' || n), 1, now(), now()
             FROM generate_series(1, $4) AS n",
        )
        .bind(f.tenant.0)
        .bind(f.source.0)
        .bind(other.to_string())
        .bind(people)
        .execute(&mut *filling)
        .await?;
        sqlx::query(
            "INSERT INTO groups (tenant_id, id, source_id, display_name_key, attributes, version, created_at, modified_at)
             SELECT $1, gen_random_uuid(), $2, 'group-' || n, jsonb_build_object('displayName', 'group-' || n), 1, now(), now()
             FROM generate_series(1, $3) AS n",
        )
        .bind(f.tenant.0)
        .bind(f.source.0)
        .bind(people)
        .execute(&mut *filling)
        .await?;
        sqlx::query(
            "INSERT INTO memberships (tenant_id, group_id, member_id)
             SELECT tenant_id, $2, id::text FROM users WHERE tenant_id = $1",
        )
        .bind(f.tenant.0)
        .bind(group.0)
        .execute(&mut *filling)
        .await?;
        sqlx::query("VACUUM ANALYZE users, groups, memberships").execute(&mut *filling).await?;
        let wanted = sqlx::query_scalar("SELECT id FROM users WHERE user_name_key = 'user-50'");
        let wanted = ResourceId(wanted.fetch_one(&mut *filling).await?);
        // What this session has read is counted now, and not while something else is measured.
        sqlx::query("SELECT pg_stat_force_next_flush()").execute(&mut *filling).await?;
        Ok(Self { f, other, wanted, group })
    }

    async fn find_user(&self, store: &Store, source: SourceId, filter: &str) -> anyhow::Result<usize> {
        let filter = Filter::parse(filter, &builtin::user_type(), &Profile::generic())?;
        let judge = |_: &StoredUser| true;
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let view = UserView { source: Some(source), ..UserView::default() };
        let query = UserQuery { matching, start_index: 1, count: 10, view };
        Ok(store.list_users(self.f.tenant, &query).await?.items.len())
    }

    async fn find_group(&self, store: &Store, filter: &str) -> anyhow::Result<usize> {
        let filter = Filter::parse(filter, &builtin::group_type(), &Profile::generic())?;
        let judge = |_: &StoredGroup| true;
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let query = GroupQuery { matching, start_index: 1, count: 10, view: GroupView::default() };
        Ok(store.list_groups(self.f.tenant, &query).await?.items.len())
    }

    /// How many are found in this way.
    async fn look_up(&self, store: &Store, what: &str) -> anyhow::Result<usize> {
        let (creator, other, tenant) = (self.f.source, self.other, self.f.tenant);
        match what {
            "id" => Ok(usize::from(store.user(tenant, self.wanted, UserView::default()).await?.is_some())),
            "groups of a user" => {
                let view = UserView { groups: true, ..UserView::default() };
                Ok(store.user(tenant, self.wanted, view).await?.map_or(0, |user| user.groups.len()))
            }
            "userName" => self.find_user(store, creator, "userName eq \"USER-50\"").await,
            "externalId of the creator" => self.find_user(store, creator, "externalId eq \"ext-50\"").await,
            "externalId of another source" => self.find_user(store, other, "externalId eq \"other-50\"").await,
            "externalId and userName" => {
                self.find_user(store, other, "externalId eq \"other-50\" and userName eq \"user-50\"").await
            }
            "e-mail" => self.find_user(store, creator, "emails.value eq \"mail-50\"").await,
            "displayName" => self.find_user(store, creator, "displayName eq \"shown-50\"").await,
            "employeeNumber" => {
                self.find_user(store, creator, &format!("{ENTERPRISE}:employeeNumber eq \"number-50\"")).await
            }
            "manager" => self.find_user(store, creator, "manager eq \"boss-50\"").await,
            "displayName of a group" => self.find_group(store, "displayName eq \"Group-50\"").await,
            "member of a group" => {
                let filter = format!("id eq \"{}\" and members eq \"{}\"", self.group, self.wanted);
                self.find_group(store, &filter).await
            }
            "a page in the middle" | "a page before it" => {
                let from = Place { kind: ResourceKind::User, id: self.wanted.0, key: None };
                let backward = what == "a page before it";
                let view = UserView::default();
                let walk = UserWalk { matching: None, from: Some(&from), backward, count: 1, view };
                Ok(store.walk_users(tenant, &walk, None).await?.items.len())
            }
            other => anyhow::bail!("nobody knows how to look up {other}"),
        }
    }

    /// Rows that Postgres reads for it.
    async fn cost(&self, what: &str) -> anyhow::Result<i64> {
        let store = self.f.lone_store().await?;
        let marker = format!("marker {what}");
        let change = |value: Detached| DetachedChange { attribute: "members".to_owned(), change: value };
        let member = || vec![json!({ "value": marker })];
        let actor = self.f.actor("marker");
        let (before, removed) = self.rows_read().await?;
        assert_eq!(self.look_up(&store, what).await?, 1, "{what}");
        // The same connection comes and goes with a member, and when that is counted everything before it is.
        for value in [Detached::Add(member()), Detached::RemoveValues(member())] {
            let become_what =
                |group: &StoredGroup| Ok::<_, Never>((group.resource.clone(), vec![change(value.clone())]));
            store.update_group(&actor, self.group, GroupUpdate::default(), become_what).await?;
        }
        store.close().await;
        let after = wait_until(PATIENCE, "the removal is counted", async || {
            let (read, now_removed) = self.rows_read().await?;
            Ok((now_removed > removed).then_some(read))
        });
        Ok(after.await? - before)
    }

    async fn rows_read(&self) -> anyhow::Result<(i64, i64)> {
        Ok(sqlx::query_as(
            "SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0))::bigint,
                    sum(n_tup_del) FILTER (WHERE relname = 'memberships')::bigint
             FROM pg_stat_user_tables WHERE relname IN ('users', 'groups', 'memberships')",
        )
        .fetch_one(self.f.database.pool())
        .await?)
    }
}

#[tokio::test]
async fn looking_somebody_up_costs_the_same_among_twenty_thousand() -> anyhow::Result<()> {
    let (few, many) = (Crowd::of(100).await?, Crowd::of(20_000).await?);
    let mut wrong = Vec::new();
    for what in [
        "id",
        "groups of a user",
        "userName",
        "externalId of the creator",
        "externalId of another source",
        "externalId and userName",
        "e-mail",
        "displayName",
        "employeeNumber",
        "manager",
        "displayName of a group",
        "member of a group",
        "a page in the middle",
        "a page before it",
    ] {
        let (small, large) = (few.cost(what).await?, many.cost(what).await?);
        // Among a hundred Postgres may as well read everybody.
        if large > small.max(0) + 50 {
            wrong.push(format!("{what}: {small} rows among a hundred, {large} among twenty thousand"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
