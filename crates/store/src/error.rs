//! What can go wrong, as cases that a caller treats differently.

use sqlx::error::DatabaseError;
use uuid::Uuid;

/// What must be unique and is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uniqueness {
    /// `userName` of a user, per tenant, whatever its case (RFC 7643 §4.1.1).
    UserName,
    /// `displayName` of a group, per tenant, whatever its case. Entra needs it, Okta links by it.
    GroupDisplayName,
    /// Name of a tenant, in the installation.
    TenantName,
    /// Name of a source, per tenant.
    SourceName,
    /// Name of an operator, in the installation: it is all that a person types.
    OperatorName,
    /// Name of a target, per tenant.
    TargetName,
    /// Issuer and audience of tokens that name no tenant of ours, in the installation.
    Issuer,
}

impl Uniqueness {
    /// The one place where a constraint of the migrations becomes a case.
    fn of_constraint(name: &str) -> Option<Self> {
        Some(match name {
            "users_user_name_key" => Self::UserName,
            "groups_display_name_key" => Self::GroupDisplayName,
            "tenants_name_key" => Self::TenantName,
            "sources_name_key" => Self::SourceName,
            "operators_name_key" => Self::OperatorName,
            "targets_name_key" => Self::TargetName,
            "credentials_issuer_key" => Self::Issuer,
            _ => return None,
        })
    }

    /// The attribute that is taken, in words for a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserName => "userName of a user",
            Self::GroupDisplayName => "displayName of a group",
            Self::TenantName => "name of a tenant",
            Self::SourceName => "name of a source",
            Self::OperatorName => "name of an operator",
            Self::TargetName => "name of a target",
            Self::Issuer => "issuer with this audience",
        }
    }
}

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something that must be unique is taken.
    #[error("the {} is taken", .0.as_str())]
    Conflict(Uniqueness),
    /// The source calls an inactive user by the same `externalId`, and the caller wanted to know before anybody is created.
    #[error("an inactive user has this externalId")]
    Namesake,
    /// A tenant, a source or an OAuth client already has as many live ones as it may have; one must be revoked first.
    #[error("there are {limit} live {what} already")]
    TooManyLive {
        /// Of what, in the plural.
        what: &'static str,
        /// How many there may be.
        limit: i64,
    },
    /// There are as many as there may ever be.
    #[error("there are {limit} {what} already, and more are not possible")]
    Full {
        /// Of what, in the plural.
        what: &'static str,
        /// How many there may be.
        limit: i64,
    },
    /// A filter would need more rows looked at than the store is willing to read; `limit` is that number.
    #[error("the filter would need more than {limit} rows looked at")]
    TooMany {
        /// The most rows that one request may have looked at.
        limit: i64,
    },
    /// What refers to something that is not there: an unknown tenant, source or target.
    #[error("the {what} does not exist")]
    Unknown {
        /// The kind of thing.
        what: &'static str,
    },
    /// A value that the database cannot hold, such as a text with a null character.
    #[error("the {what} cannot be stored")]
    InvalidInput {
        /// Which input.
        what: &'static str,
        /// What the database said, if it was asked.
        source: Option<Source>,
    },
    /// A row does not fit what this program writes. Nothing is guessed: a person must look.
    #[error("row {id} of table {table} holds an unexpected value in {column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The key of the row within its tenant.
        id: Uuid,
    },
    /// The database has migrations missing, or some that this program does not know.
    #[error("the database schema is at version {found:?}, this program needs {needed:?}")]
    Schema {
        /// The newest migration in the database, if there is any.
        found: Option<i64>,
        /// The newest migration that this program knows.
        needed: Option<i64>,
    },
    /// A migration failed.
    #[error("the database schema could not be migrated")]
    Migrate(#[source] Box<sqlx::migrate::MigrateError>),
    /// The database cannot be reached, or has no free connection. Trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else that the database or its driver said: a bug, or a fault of the database.
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    pub(crate) const fn corrupt(table: &'static str, column: &'static str, id: Uuid) -> Self {
        Self::Corrupt { table, column, id }
    }

    /// True when the database has judged a statement and done nothing of it.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Conflict(_)
                | Self::InvalidInput { .. }
                | Self::Unknown { .. }
                | Self::Database(sqlx::Error::Database(_))
        )
    }

    /// True when the database broke off a statement only because others were at the same rows (a deadlock, a
    /// serialisation failure): doing it again helps.
    pub(crate) fn is_contention(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match Refusal::of(database.as_ref()) {
                Refusal::Conflict(uniqueness) => Self::Conflict(uniqueness),
                Refusal::Value => Self::InvalidInput { what: "value", source: Some(Box::new(error)) },
                Refusal::Unknown(what) => Self::Unknown { what },
                Refusal::Unavailable => Self::Unavailable(error),
                Refusal::Other => Self::Database(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

/// What an error of the database itself means to us.
enum Refusal {
    Conflict(Uniqueness),
    Value,
    Unknown(&'static str),
    Unavailable,
    Other,
}

impl Refusal {
    fn of(error: &dyn DatabaseError) -> Self {
        if let Some(uniqueness) = error.constraint().and_then(Uniqueness::of_constraint) {
            return Self::Conflict(uniqueness);
        }
        // Codes of PostgreSQL, appendix A of its manual.
        match error.code().as_deref() {
            // A null character in a text or in jsonb; an index entry that is too long.
            Some("22021" | "22P05" | "54000") => Self::Value,
            Some("23503") => Self::Unknown(match error.constraint() {
                Some("credentials_source_fkey" | "oauth_clients_source_fkey") => "source",
                Some("credentials_client_fkey") => "OAuth client",
                _ => "tenant",
            }),
            // The connection broke; the server is shutting down or starting; it has no connections left.
            Some("08000" | "08001" | "08003" | "08004" | "08006" | "57P01" | "57P02" | "57P03" | "53300") => {
                Self::Unavailable
            }
            _ => Self::Other,
        }
    }
}
