//! The configured SCIM clients of a tenant.

use crate::credentials::lock_owner;
use crate::wake::CREDENTIALS_CHANNEL;
use crate::write::{UpdateError, Updated};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{CredentialId, SourceId, TenantId};
use rollcall_scim::profile::{Overrides, Position, Profile, Switch};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

/// How many sources one tenant may have. What each source calls a resource stands in one row with what the others do, and
/// pages and lists show all sources at once.
pub const MAX_SOURCES: i64 = 50;

/// One configured SCIM client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Its name, unique in the tenant.
    pub name: String,
    /// What the client does differently from the RFCs, but for the overrides.
    pub profile: Profile,
    /// Single switches that this source has in another position than its profile.
    pub overrides: Overrides,
    /// When it was set up.
    pub created_at: OffsetDateTime,
    /// When it last sent a request, to the precision with which uses are reported.
    pub last_heard_at: Option<OffsetDateTime>,
}

impl Source {
    /// What the client does differently from the RFCs.
    pub fn effective(&self) -> Profile {
        self.profile.with(&self.overrides)
    }
}

/// Who changes the set-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetUpBy {
    /// Somebody who has signed in to the console.
    Operator(Uuid),
    /// A program with a token of the REST API.
    Token(CredentialId),
    /// Somebody at the command line of the server.
    CommandLine,
}

impl SetUpBy {
    /// As it stands in the change log: an id, never a name.
    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::Operator(id) => json!({ "operator": id }),
            Self::Token(id) => json!({ "token": id.0 }),
            Self::CommandLine => json!("command line"),
        }
    }
}

#[derive(sqlx::FromRow)]
struct SourceRow {
    id: Uuid,
    name: String,
    profile: String,
    overrides: Value,
    created_at: OffsetDateTime,
    last_heard_at: Option<OffsetDateTime>,
}

impl TryFrom<SourceRow> for Source {
    type Error = StoreError;

    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SourceId(row.id),
            name: row.name,
            profile: profile(row.id, &row.profile)?,
            overrides: overrides(row.id, &row.overrides)?,
            created_at: row.created_at,
            last_heard_at: row.last_heard_at,
        })
    }
}

/// The profile that a row of `sources` names.
fn profile(source: Uuid, name: &str) -> Result<Profile, StoreError> {
    Profile::named(name).ok_or(StoreError::corrupt("sources", "profile", source))
}

/// The overrides of a row of `sources`. A switch that this program does not know is told, not passed over: the source
/// would be served in a way that nobody has chosen.
fn overrides(source: Uuid, value: &Value) -> Result<Overrides, StoreError> {
    Overrides::parse(value).map_err(|_| StoreError::corrupt("sources", "overrides", source))
}

/// What the client of a row of `sources` does differently from the RFCs.
pub(crate) fn effective(source: Uuid, name: &str, overridden: &Value) -> Result<Profile, StoreError> {
    Ok(profile(source, name)?.with(&overrides(source, overridden)?))
}

/// Selects sources by a condition; `$1` is the tenant.
macro_rules! select_sources {
    ($condition:literal) => {
        concat!(
            "SELECT s.id, s.name, s.profile, s.overrides, s.created_at, ",
            "(SELECT max(c.last_used_at) FROM credentials c ",
            "WHERE c.tenant_id = s.tenant_id AND c.source_id = s.id) AS last_heard_at ",
            "FROM sources s WHERE s.tenant_id = $1 ",
            $condition
        )
    };
}

/// Changes a source, says so in the change log, and tells every process to forget what it remembers of its credentials.
const CHANGE: &str = "WITH changed AS ( \
         UPDATE sources SET profile = $4, overrides = $5 WHERE tenant_id = $1 AND id = $2 RETURNING id), \
     entry AS ( \
         INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details) \
         SELECT $1, $3, $6, 'update', 'source', id, 0, $7 FROM changed) \
     SELECT pg_notify($8, '') IS NOT NULL FROM changed";

impl Store {
    /// Sets up a client. [`StoreError::Conflict`] when the tenant has one of that name, [`StoreError::Full`] when it has
    /// [`MAX_SOURCES`], [`StoreError::Unknown`] when there is no such tenant.
    pub async fn create_source(&self, tenant: TenantId, name: &str, profile: &Profile) -> Result<Source, StoreError> {
        let source = Source {
            id: SourceId(self.new_id()),
            name: name.to_owned(),
            profile: *profile,
            overrides: Overrides::default(),
            created_at: self.now(),
            last_heard_at: None,
        };
        let mut tx = self.pool().begin().await?;
        lock_owner(&mut tx, tenant.0, None).await?;
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE tenant_id = $1")
            .bind(tenant.0)
            .fetch_one(&mut *tx)
            .await?;
        if there >= MAX_SOURCES {
            return Err(StoreError::Full { what: "sources of this tenant", limit: MAX_SOURCES });
        }
        sqlx::query("INSERT INTO sources (tenant_id, id, name, profile, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(tenant.0)
            .bind(source.id.0)
            .bind(&source.name)
            .bind(source.profile.name)
            .bind(source.created_at)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(source)
    }

    /// The clients of a tenant, by name.
    pub async fn sources(&self, tenant: TenantId) -> Result<Vec<Source>, StoreError> {
        let rows: Vec<SourceRow> = sqlx::query_as(select_sources!("ORDER BY s.name, s.id LIMIT 10000"))
            .bind(tenant.0)
            .fetch_all(self.pool())
            .await?;
        rows.into_iter().map(Source::try_from).collect()
    }

    /// One client.
    pub async fn source(&self, tenant: TenantId, id: SourceId) -> Result<Option<Source>, StoreError> {
        let row: Option<SourceRow> = sqlx::query_as(select_sources!("AND s.id = $2"))
            .bind(tenant.0)
            .bind(id.0)
            .fetch_optional(self.pool())
            .await?;
        row.map(Source::try_from).transpose()
    }

    /// The client of that name.
    pub async fn source_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Source>, StoreError> {
        let row: Option<SourceRow> = sqlx::query_as(select_sources!("AND s.name = $2"))
            .bind(tenant.0)
            .bind(name)
            .fetch_optional(self.pool())
            .await?;
        row.map(Source::try_from).transpose()
    }

    /// Changes profile and overrides of a client; `change` says what they become, from what they are. If they become
    /// what they are, nothing is written. Requests that come in after this are served by the new switches, whichever
    /// process they come to: at once, or where the notification is lost, as soon as it forgets by itself.
    pub async fn change_source<E: Send>(
        &self,
        tenant: TenantId,
        id: SourceId,
        (by, request_id): (SetUpBy, &str),
        change: impl FnOnce(&Source) -> Result<(Profile, Overrides), E> + Send,
    ) -> Result<Updated<Source>, UpdateError<E>> {
        let mut tx = self.pool().begin().await?;
        // Two changes go one after the other, so that neither undoes the other's switches.
        let row: Option<SourceRow> = sqlx::query_as(select_sources!("AND s.id = $2 FOR NO KEY UPDATE OF s"))
            .bind(tenant.0)
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?;
        let before = Source::try_from(row.ok_or(UpdateError::NotFound)?)?;
        let (profile, overrides) = change(&before).map_err(UpdateError::Refused)?;
        let after = Source { profile, overrides, ..before.clone() };
        if after == before {
            return Ok(Updated { before_version: 0, changed: false, value: before });
        }
        let _told: Option<bool> = sqlx::query_scalar(CHANGE)
            .bind(tenant.0)
            .bind(id.0)
            .bind(self.now())
            .bind(after.profile.name)
            .bind(after.overrides.to_json())
            .bind(request_id)
            .bind(difference(&before, &after, by))
            .bind(CREDENTIALS_CHANNEL)
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Updated { before_version: 0, changed: true, value: after })
    }
}

/// What the change log says: who, and of everything that differs what it was and what it is. `null` is a switch that
/// stands where the profile has it.
fn difference(before: &Source, after: &Source, by: SetUpBy) -> Value {
    let mut details = Map::from_iter([("by".to_owned(), by.to_json())]);
    if before.profile != after.profile {
        details.insert("profile".to_owned(), json!({ "from": before.profile.name, "to": after.profile.name }));
    }
    let mut switches = Map::new();
    for switch in Switch::all() {
        let (from, to) = (before.overrides.get(switch), after.overrides.get(switch));
        if from != to {
            let shown = |position: Option<Position>| position.map(Position::to_json);
            switches.insert(switch.name.to_owned(), json!({ "from": shown(from), "to": shown(to) }));
        }
    }
    if !switches.is_empty() {
        details.insert("switches".to_owned(), Value::Object(switches));
    }
    Value::Object(details)
}
