//! Which attribute is kept in which column. To make another attribute filterable in SQL, add a row here, the column
//! and its index to a migration, and fill the column where the resource is written.

use rollcall_provisioning::ids::{ResourceKind, SourceId};
use rollcall_scim::path::AttributePath;
use rollcall_scim::schema::enterprise;

/// The attribute that each source has for itself.
pub(super) const EXTERNAL_ID: &str = "externalId";

/// The table a condition is about. Its alias is `u` or `g`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Table {
    /// `users u`.
    Users,
    /// `groups g`.
    Groups,
}

impl Table {
    /// The type of its resources.
    pub(crate) const fn kind(self) -> ResourceKind {
        match self {
            Self::Users => ResourceKind::User,
            Self::Groups => ResourceKind::Group,
        }
    }
}

/// Whose view of which table a condition is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scope {
    /// The table.
    pub(crate) table: Table,
    /// Whose `externalId` counts; that of the source that created the resource, if nobody in particular looks.
    pub(crate) viewer: Option<SourceId>,
}

/// How an attribute is found in SQL.
pub(super) enum Column {
    /// A single text.
    Text(Text),
    /// What a source calls the resource.
    ExternalId {
        /// The table.
        table: Table,
        /// The source.
        viewer: SourceId,
    },
    /// The resource's id.
    Id(&'static str),
    /// Whether a user is active.
    Active,
    /// A moment that every resource has.
    Moment(&'static str),
    /// One of many values.
    Any(AnyValue),
    /// The same text for all resources of the table.
    Constant(&'static str),
}

impl Column {
    /// True if a resource has at most one value of it: then `ne` is the opposite of `eq`, with or without a value.
    pub(super) const fn is_single(&self) -> bool {
        matches!(self, Self::Text(_) | Self::ExternalId { .. } | Self::Id(_) | Self::Active | Self::Constant(_))
    }
}

/// A column of one text.
pub(super) struct Text {
    /// Its name with its table's alias.
    pub(super) name: &'static str,
    /// True if it holds the folded form, because case does not matter.
    pub(super) fold: bool,
    /// True if long values are cut off.
    pub(super) cut: bool,
    /// True if no two resources of a tenant have the same.
    pub(super) unique: bool,
}

/// A multi-valued attribute whose values can be looked up.
#[derive(Clone, Copy)]
pub(super) enum AnyValue {
    /// `emails.value`.
    Email,
    /// `groups.value`.
    GroupOfUser,
    /// `members.value`.
    MemberOfGroup,
}

/// The column of an attribute; `None` when it is only in the resource itself.
pub(super) fn column(scope: Scope, path: &AttributePath) -> Option<Column> {
    if let (Some(viewer), true) = (scope.viewer, *path == AttributePath::core(EXTERNAL_ID)) {
        return Some(Column::ExternalId { table: scope.table, viewer });
    }
    let path = (path.schema.as_deref(), path.attribute.as_str(), path.sub_attribute.as_deref());
    match scope.table {
        Table::Users => user_column(path),
        Table::Groups => group_column(path),
    }
}

type Path<'a> = (Option<&'a str>, &'a str, Option<&'a str>);

fn user_column(path: Path<'_>) -> Option<Column> {
    Some(match path {
        (None, "id", None) => Column::Id("u.id"),
        (None, "userName", None) => unique("u.user_name_key"),
        (None, "displayName", None) => folded("u.display_name_key"),
        (None, "externalId", None) => case_exact("u.external_id"),
        (None, "active", None) => Column::Active,
        (None, "emails", Some("value")) => Column::Any(AnyValue::Email),
        (None, "groups", Some("value")) => Column::Any(AnyValue::GroupOfUser),
        (None, "meta", Some("resourceType")) => Column::Constant("User"),
        (None, "meta", Some("created")) => Column::Moment("u.created_at"),
        (None, "meta", Some("lastModified")) => Column::Moment("u.modified_at"),
        (Some(enterprise::URN), "employeeNumber", None) => folded("u.employee_number_key"),
        (Some(enterprise::URN), "manager", Some("value")) => case_exact("u.manager_id"),
        _ => return None,
    })
}

fn group_column(path: Path<'_>) -> Option<Column> {
    Some(match path {
        (None, "id", None) => Column::Id("g.id"),
        (None, "displayName", None) => unique("g.display_name_key"),
        (None, "externalId", None) => case_exact("g.external_id"),
        (None, "members", Some("value")) => Column::Any(AnyValue::MemberOfGroup),
        (None, "meta", Some("resourceType")) => Column::Constant("Group"),
        (None, "meta", Some("created")) => Column::Moment("g.created_at"),
        (None, "meta", Some("lastModified")) => Column::Moment("g.modified_at"),
        _ => return None,
    })
}

/// Unique keys are bounded when they are read from the client (`rollcall_scim::limits`), hence whole.
const fn unique(name: &'static str) -> Column {
    Column::Text(Text { name, fold: true, cut: false, unique: true })
}

const fn folded(name: &'static str) -> Column {
    Column::Text(Text { name, fold: true, cut: true, unique: false })
}

const fn case_exact(name: &'static str) -> Column {
    Column::Text(Text { name, fold: false, cut: true, unique: false })
}
