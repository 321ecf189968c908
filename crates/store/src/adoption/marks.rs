//! Marks: what must not be touched, and what people intend.

use crate::projection::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use sqlx::FromRow;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// What a mark says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkKind {
    /// A robot, a service, an executive: every step against it is held until two people release it.
    Protected,
    /// The same, for any other reason.
    DoNotTouch,
    /// It is decided later.
    Later,
    /// The person has left and is to be removed after go-live.
    Leaver,
}

impl MarkKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Protected, Self::DoNotTouch, Self::Later, Self::Leaver];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::DoNotTouch => "do_not_touch",
            Self::Later => "later",
            Self::Leaver => "leaver",
        }
    }

    /// Whether it holds every step, so that it takes two people to lift it.
    pub const fn forbids(self) -> bool {
        matches!(self, Self::Protected | Self::DoNotTouch)
    }

    /// The kind behind a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What became of the wish to lift a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifting {
    /// It is lifted.
    Lifted,
    /// Somebody else has to grant it.
    Asked,
    /// Whoever asked cannot grant it.
    SamePerson,
    /// There is no such mark.
    NotFound,
}

/// What a mark is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MarkedThing {
    /// An account of the target.
    Account(String),
    /// An org unit of the target.
    OrgUnit(String),
    /// Whatever a person of the directory has at the target, or will have.
    Resource(ResourceId),
}

/// A mark to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewMark<'a> {
    /// What it is about.
    pub about: &'a MarkedThing,
    /// What it says.
    pub kind: MarkKind,
    /// Why.
    pub reason: &'a str,
    /// When somebody should look at it again.
    pub review_on: Option<Date>,
    /// Who makes it.
    pub by: &'a str,
}

/// A mark.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct Mark {
    /// Which.
    pub id: Uuid,
    /// `account` or `org_unit`.
    pub entity_kind: String,
    /// Of which entity.
    pub remote_id: Option<String>,
    /// Or of which person.
    pub resource_id: Option<Uuid>,
    /// What it says, as [`MarkKind::as_str`] writes it.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: OffsetDateTime,
    /// When somebody should look at it again.
    pub review_on: Option<Date>,
    /// Whether a scan made it, because the account administers the target.
    pub automatic: bool,
    /// Who has asked that it be lifted.
    pub lift_asked_by: Option<String>,
}

/// A mark that forbids a step.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct AgainstIt {
    /// What it says.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub made_by: String,
}

impl Store {
    /// The mark that forbids every step against what the claim is about, or the entity of this kind and id.
    pub async fn mark_against(
        &self,
        claim: &Claim,
        kind: EntityKind,
        remote_id: Option<&str>,
    ) -> Result<Option<AgainstIt>, StoreError> {
        let mark = sqlx::query_as(
            "SELECT kind, reason, made_by FROM marks
             WHERE tenant_id = $1 AND target_id = $2 AND lifted_at IS NULL AND kind IN ('protected', 'do_not_touch')
               AND (entity_kind = $3 AND remote_id = $4 OR resource_id = $5)
             ORDER BY kind DESC LIMIT 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(kind.as_str())
        .bind(remote_id)
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(mark)
    }

    /// Marks something, in place of what it was marked as before. Returns the mark's id; `None` when it is marked as
    /// something that forbids more, which must be lifted first.
    pub async fn set_mark(
        &self,
        tenant: TenantId,
        target: TargetId,
        new: &NewMark<'_>,
    ) -> Result<Option<Uuid>, StoreError> {
        let (entity, remote_id, resource) = match new.about {
            MarkedThing::Account(id) => (EntityKind::Account, Some(id.as_str()), None),
            MarkedThing::OrgUnit(id) => (EntityKind::OrgUnit, Some(id.as_str()), None),
            MarkedThing::Resource(id) => (EntityKind::Account, None, Some(id.0)),
        };
        let mut tx = self.pool().begin().await?;
        let forbidden: Option<String> = sqlx::query_scalar(
            "SELECT kind FROM marks WHERE tenant_id = $1 AND target_id = $2 AND lifted_at IS NULL
               AND kind IN ('protected', 'do_not_touch') AND (entity_kind = $3 AND remote_id = $4 OR resource_id = $5)
             FOR UPDATE",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(entity.as_str())
        .bind(remote_id)
        .bind(resource)
        .fetch_optional(&mut *tx)
        .await?;
        if forbidden.is_some() && !new.kind.forbids() {
            return Ok(None);
        }
        sqlx::query(
            "DELETE FROM marks WHERE tenant_id = $1 AND target_id = $2
               AND (entity_kind = $3 AND remote_id = $4 OR resource_id = $5)",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(entity.as_str())
        .bind(remote_id)
        .bind(resource)
        .execute(&mut *tx)
        .await?;
        let id = self.new_id();
        sqlx::query(
            "WITH made AS (
                 INSERT INTO marks (tenant_id, target_id, id, entity_kind, remote_id, resource_id, kind, reason, made_by,
                                    made_at, review_on)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             VALUES ($1, $10, '', 'marked', 'target', $2, 0,
                     jsonb_build_object('mark', $3::uuid, 'kind', $7::text, 'by', $9::text))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(id)
        .bind(entity.as_str())
        .bind(remote_id)
        .bind(resource)
        .bind(new.kind.as_str())
        .bind(new.reason)
        .bind(new.by)
        .bind(self.now())
        .bind(new.review_on)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(id))
    }

    /// Lifts a mark, and looks again at what it held. One that forbids something is lifted by two people: the first call
    /// asks for it, and somebody else's grants it.
    pub async fn lift_mark(
        &self,
        tenant: TenantId,
        target: TargetId,
        mark: Uuid,
        by: &Decider,
    ) -> Result<Lifting, StoreError> {
        let mut tx = self.pool().begin().await?;
        let found: Option<(String, Option<String>, Option<Vec<String>>)> = sqlx::query_as(
            "SELECT kind, lift_asked_by, lift_asked_as FROM marks
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND lifted_at IS NULL FOR UPDATE",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(mark)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((kind, asked_by, asked_as)) = found else { return Ok(Lifting::NotFound) };
        let forbids = MarkKind::parse(&kind).is_none_or(MarkKind::forbids);
        match asked_by {
            None if forbids => {
                sqlx::query(
                    "WITH asked AS (
                         UPDATE marks SET lift_asked_by = $4, lift_asked_at = $5, lift_asked_as = $7
                         WHERE tenant_id = $1 AND target_id = $2 AND id = $3)
                     INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                     VALUES ($1, $5, '', 'mark_lift_requested', 'target', $2, 0,
                             jsonb_build_object('mark', $3::uuid, 'kind', $6::text, 'by', $4::text))",
                )
                .bind(tenant.0)
                .bind(target.0)
                .bind(mark)
                .bind(by.words())
                .bind(self.now())
                .bind(&kind)
                .bind(by.behind())
                .execute(&mut *tx)
                .await?;
                tx.commit().await?;
                return Ok(Lifting::Asked);
            }
            Some(asked_by) if forbids && by.may_be(&asked_as.unwrap_or_else(|| Decider::new(&asked_by).behind())) => {
                return Ok(Lifting::SamePerson);
            }
            _ => {}
        }
        sqlx::query(
            "WITH lifted AS (
                 UPDATE marks SET lifted_by = $4, lifted_at = $5
                 WHERE tenant_id = $1 AND target_id = $2 AND id = $3 RETURNING kind, lift_asked_by)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT $1, $5, '', 'mark_lifted', 'target', $2, 0,
                    jsonb_strip_nulls(jsonb_build_object('mark', $3::uuid, 'kind', lifted.kind, 'by', $4::text,
                                                         'asked_by', lifted.lift_asked_by)) FROM lifted",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(mark)
        .bind(by.words())
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "WITH held AS MATERIALIZED (
                 SELECT resource_kind, resource_id FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND held_by = 'guard:protected' ORDER BY resource_id FOR UPDATE)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $3, updated_at = $3, dirty_since = COALESCE(d.dirty_since, $3),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM held WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = held.resource_kind
               AND d.resource_id = held.resource_id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(Lifting::Lifted)
    }

    /// The marks of a target in the order of their ids, after one of them.
    pub async fn marks(
        &self,
        tenant: TenantId,
        target: TargetId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Mark>, StoreError> {
        let marks = sqlx::query_as(
            "SELECT id, entity_kind, remote_id, resource_id, kind, reason, made_by, made_at, review_on, automatic,
                    lift_asked_by
             FROM marks
             WHERE tenant_id = $1 AND target_id = $2 AND lifted_at IS NULL AND ($3::uuid IS NULL OR id > $3)
             ORDER BY id LIMIT $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(after)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(marks)
    }
}
