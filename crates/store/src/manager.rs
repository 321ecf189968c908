//! How managers are named, and whom a name means.
//!
//! A client names a manager by the id of a user, by an employeeNumber, or by an externalId. An externalId belongs to the
//! client that gave it (RFC 7643 §3.1), so a reference that is made of one means whoever the source calls so that wrote
//! the reference, and nobody else who is called so by another.

use crate::external_ids::ExternalIds;
use crate::filter_sql::clip;
use crate::write::Actor;
use rollcall_provisioning::ids::SourceId;
use rollcall_scim::fold::fold;
use rollcall_scim::path::AttributePath;
use rollcall_scim::profile::ManagerBy;
use rollcall_scim::resource::Resource;
use rollcall_scim::schema::{enterprise, sub};
use uuid::Uuid;

/// How a reference to a manager is read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ManagerReading {
    /// As the id of a user; also if there is none.
    #[default]
    Id,
    /// As what this source calls the manager.
    ExternalId(SourceId),
    /// As the manager's employeeNumber.
    EmployeeNumber,
}

impl ManagerReading {
    /// How what a source writes is read, if it names managers so.
    pub(crate) const fn of(by: ManagerBy, writer: SourceId) -> Self {
        match by {
            ManagerBy::Id => Self::Id,
            ManagerBy::ExternalId => Self::ExternalId(writer),
            ManagerBy::EmployeeNumber => Self::EmployeeNumber,
        }
    }

    /// How the manager of a resource is read that this actor writes, if anybody is named there.
    pub(crate) fn of_wish(actor: &Actor, resource: &Resource) -> Self {
        manager(resource).map_or(Self::Id, |_| Self::of(actor.manager_by, actor.source))
    }

    /// What the columns `manager_by` and `manager_source` of somebody whom `creator` has created say; `None` if the
    /// first holds another word.
    pub(crate) fn of_row(by: Option<&str>, source: Option<Uuid>, creator: Uuid) -> Option<Self> {
        by.map_or(Some(Self::Id), |word| Some(Self::of(ManagerBy::parse(word)?, SourceId(source.unwrap_or(creator)))))
    }

    /// How managers are named that are read so.
    pub const fn by(self) -> ManagerBy {
        match self {
            Self::Id => ManagerBy::Id,
            Self::ExternalId(_) => ManagerBy::ExternalId,
            Self::EmployeeNumber => ManagerBy::EmployeeNumber,
        }
    }

    const fn source(self) -> Option<SourceId> {
        match self {
            Self::ExternalId(source) => Some(source),
            Self::Id | Self::EmployeeNumber => None,
        }
    }
}

/// The columns that find a manager who is not named by an id.
pub(crate) struct ManagerKey {
    pub(crate) by: ManagerBy,
    pub(crate) key: String,
    pub(crate) source: Option<Uuid>,
}

impl ManagerKey {
    pub(crate) fn of(manager: &str, reading: ManagerReading) -> Option<Self> {
        let key = match reading {
            ManagerReading::Id => return None,
            ManagerReading::ExternalId(_) => clip(manager).to_owned(),
            ManagerReading::EmployeeNumber => clip(&fold(manager)).to_owned(),
        };
        Some(Self { by: reading.by(), key, source: reading.source().map(|source| source.0) })
    }
}

/// What the client wrote of the manager.
pub(crate) fn manager(resource: &Resource) -> Option<&str> {
    text(resource, &AttributePath::extension(enterprise::URN, "manager").sub(sub::VALUE))
}

/// True if somebody who is named as manager by the one is not found by the other.
pub(crate) fn is_named_otherwise(before: (&Resource, &ExternalIds), after: (&Resource, &ExternalIds)) -> bool {
    let number = AttributePath::extension(enterprise::URN, "employeeNumber");
    before.1 != after.1 || text(before.0, &number) != text(after.0, &number)
}

fn text<'a>(resource: &'a Resource, path: &AttributePath) -> Option<&'a str> {
    resource.get(path)?.as_str()
}

/// Selects `(by, key, source)`: everything but the id that a row of `users` can be named by as manager.
macro_rules! manager_names {
    ($row:literal, creator = $creator:literal) => {
        concat!(
            "SELECT 'externalId' AS by, ",
            $row,
            ".external_id AS key, ",
            $creator,
            " AS source UNION ALL SELECT 'externalId', other.value, other.key::uuid FROM jsonb_each_text(",
            $row,
            ".external_ids) other UNION ALL SELECT 'employeeNumber', ",
            $row,
            ".employee_number_key, NULL"
        )
    };
}
pub(crate) use manager_names;

/// True if the user `r` names somebody as manager who is called `named (by, key, source)`.
macro_rules! names_as_manager {
    () => {
        "r.manager_key = named.key AND r.manager_by = named.by \
         AND (named.source IS NULL OR COALESCE(r.manager_source, r.source_id) = named.source)"
    };
}
pub(crate) use names_as_manager;
