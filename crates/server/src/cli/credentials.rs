//! The words for credentials: tokens, OAuth clients, and what a source allows.

use super::TenantArg;
use clap::{Args, Subcommand};
use rollcall_api::names;
use std::path::PathBuf;
use uuid::Uuid;

/// What every new credential takes: what it is called, until when it is good, and whose it is.
#[derive(Args, Debug, Clone)]
pub(crate) struct NewArgs {
    /// What people call it
    #[arg(long, default_value = "made on the command line", value_parser = names::parse)]
    pub(crate) label: String,
    /// Days until it expires; left out: 365 for a secret, never for a trusted signature
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650), allow_negative_numbers = true)]
    pub(crate) days: Option<u32>,
    /// Whose.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// What a new credential may do.
#[derive(Args, Debug, Clone)]
pub(crate) struct ScopesArg {
    /// What it may do, with commas between: users:read, users:write, groups:read, groups:write; left out: everything
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    pub(crate) scopes: Option<Vec<String>>,
}

/// Whose signature is trusted.
#[derive(Args, Debug, Clone)]
pub(crate) struct TrustArgs {
    /// Id of the Entra tenant; fills in issuer, address of the keys, and the claims tid and ver
    #[arg(long, value_name = "UUID")]
    pub(crate) entra_tenant: Option<String>,
    /// Object id of the service principal that the token must be for
    #[arg(long, value_name = "ID")]
    pub(crate) object_id: Option<String>,
    /// What the token must name as its issuer
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Where the issuer publishes its keys
    #[arg(long, value_name = "URL")]
    pub(crate) jwks_uri: Option<String>,
    /// What the token must name as its audience
    #[arg(long, value_name = "TEXT")]
    pub(crate) audience: Option<String>,
    /// The one algorithm that is taken: RS256, PS256, ES256 or `EdDSA`
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
    /// A claim that must have exactly this value; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) claims: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn listed_id(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| "it must be an id, a UUID, as `list` shows it in its first column".to_owned())
}

/// What to do with tokens.
#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    /// Make a token; it is shown once
    Create {
        /// The source that it is for; without one it opens the REST API
        #[arg(long)]
        source: Option<String>,
        /// What it may do.
        #[command(flatten)]
        scopes: ScopesArg,
        /// The rest.
        #[command(flatten)]
        new: NewArgs,
    },
    /// Make a user name and a password for HTTP Basic, for old set-ups of Okta; the password is shown once
    Password {
        /// The source that it is for; it must allow HTTP Basic (`rollcall access set --basic true`)
        #[arg(long)]
        source: String,
        /// What it may do.
        #[command(flatten)]
        scopes: ScopesArg,
        /// The rest.
        #[command(flatten)]
        new: NewArgs,
    },
    /// Trust tokens of an issuer as they are, such as Entra's own for an application without a secret token
    Trust {
        /// The source that they speak for
        #[arg(long)]
        source: String,
        /// Whose tokens.
        #[command(flatten)]
        trust: TrustArgs,
        /// What they may do.
        #[command(flatten)]
        scopes: ScopesArg,
        /// The rest.
        #[command(flatten)]
        new: NewArgs,
    },
    /// List everything by which somebody may come in, without the secrets
    List(TenantArg),
    /// Refuse a token, a password, a secret or a trusted signature from now on
    Revoke {
        /// Its id, as listed
        #[arg(value_parser = listed_id)]
        id: Uuid,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}

/// What to do with OAuth clients.
#[derive(Subcommand, Debug)]
pub(crate) enum OauthClientCommand {
    /// Add an OAuth client; it needs a secret, keys or a federation before it can fetch tokens
    Create {
        /// The source that it speaks for
        #[arg(long)]
        source: String,
        /// What people call it
        #[arg(long, default_value = "made on the command line", value_parser = names::parse)]
        label: String,
        /// What it may do.
        #[command(flatten)]
        scopes: ScopesArg,
        /// Minutes that its access tokens live, 60 to 360
        #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(60..=360), allow_negative_numbers = true)]
        token_minutes: u32,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Make a secret of a client; it is shown once
    Secret {
        /// The client's id, as listed
        #[arg(value_parser = listed_id)]
        client: Uuid,
        /// The rest.
        #[command(flatten)]
        new: NewArgs,
    },
    /// Register the public keys with which a client signs assertions (`private_key_jwt`)
    Keys {
        /// The client's id, as listed
        #[arg(value_parser = listed_id)]
        client: Uuid,
        /// File with the public keys, as a JWK set
        #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri", required_unless_present = "jwks_uri")]
        jwks_file: Option<PathBuf>,
        /// Where the client publishes its keys
        #[arg(long, value_name = "URL")]
        jwks_uri: Option<String>,
        /// The one algorithm that is taken: RS256, PS256, ES256 or `EdDSA`
        #[arg(long, value_name = "NAME")]
        algorithm: Option<String>,
        /// What assertions must name as their audience; left out: the token endpoint below `public_url`
        #[arg(long, value_name = "TEXT")]
        audience: Option<String>,
        /// The rest.
        #[command(flatten)]
        new: NewArgs,
    },
    /// Trust assertions that somebody else signs for a client, such as Entra's workload identity federation
    Federate {
        /// The client's id, as listed
        #[arg(value_parser = listed_id)]
        client: Uuid,
        /// Whose assertions.
        #[command(flatten)]
        trust: TrustArgs,
        /// The rest.
        #[command(flatten)]
        new: NewArgs,
    },
    /// List the OAuth clients
    List(TenantArg),
    /// Refuse a client from now on, with its secrets, keys and access tokens
    Revoke {
        /// Its id, as listed
        #[arg(value_parser = listed_id)]
        id: Uuid,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}

/// What to do with what sources allow.
#[derive(Subcommand, Debug)]
pub(crate) enum AccessCommand {
    /// Show from where, how fast, and whether with HTTP Basic a source may call
    Show {
        /// The source
        source: String,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Change it; what is not named stays
    Set {
        /// The source
        source: String,
        /// Whether it may use HTTP Basic
        #[arg(long, value_name = "BOOL")]
        basic: Option<bool>,
        /// Networks and addresses that it may call from, with commas between; "any" for no limit
        #[arg(long, value_name = "NETWORKS")]
        networks: Option<String>,
        /// Requests per second that it may send all the time, and how many at once, as 100/500; "default" for the
        /// installation's
        #[arg(long, value_name = "RATE")]
        rate: Option<String>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}
