//! Process configuration: flags, then the environment, then a TOML file, then defaults. The only place that reads
//! the environment. Secrets come from files or the environment, never from flags.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use rollcall_api::auth::address::Networks;
use rollcall_api::auth::rate::{FEWEST, Rate};
use rollcall_api::limits::SOURCE_RATE;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Which parts of the server a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Everything.
    #[default]
    All,
    /// SCIM, REST and console only.
    Api,
    /// The reconciler only; still answers health checks and metrics.
    Worker,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub(crate) struct Flags {
    /// Folder for the embedded Postgres, the master key and run-time files
    #[arg(long, global = true, value_name = "FOLDER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,
    /// TOML file with settings
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_format: Option<LogFormat>,
}

/// Options of the commands that listen.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub(crate) struct ServeFlags {
    /// Address of SCIM, REST API and console
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    /// Which parts this process runs
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Role>,
}

/// The settings of a process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Address of SCIM, REST API and console. Default `127.0.0.1:8080`.
    pub(crate) listen: SocketAddr,
    /// The base URL under which identity providers reach the server; made from the `Host` header when not set.
    pub(crate) public_url: Option<String>,
    /// Folder for the embedded Postgres, the master key and run-time files.
    pub(crate) data_dir: PathBuf,
    /// A Postgres to use instead of the embedded one.
    #[serde(default)]
    pub(crate) database_url: Option<SecretString>,
    /// The most connections to Postgres. Default 20.
    pub(crate) database_connections: u32,
    /// Folder with `initdb` and `postgres`; searched for when not set.
    #[serde(default)]
    pub(crate) pg_bin: Option<PathBuf>,
    /// File with the 32 bytes that seal secrets. Default `master.key` in the data folder.
    #[serde(default)]
    pub(crate) master_key_file: Option<PathBuf>,
    /// Which parts this process runs.
    pub(crate) role: Role,
    /// How log lines look.
    pub(crate) log_format: LogFormat,
    /// What is logged: a filter such as `info` or `rollcall_reconciler=debug`. Default `info`.
    pub(crate) log: String,
    /// Deliveries that a worker has under way at once. Default 16.
    pub(crate) places: usize,
    /// Networks of the proxies whose `X-Forwarded-For` is believed, with spaces or commas between them. Default none.
    #[serde(default)]
    pub(crate) trusted_proxies: Option<String>,
    /// Requests that a source without a rate of its own may send in a second, all the time. 0: as many as it can.
    pub(crate) source_requests_per_second: u32,
    /// Requests that such a source may send at once.
    pub(crate) source_request_burst: u32,
    /// Whether keys of issuers may be fetched over plain HTTP and from addresses of this machine and its networks. For tests
    /// and demonstrations: whoever may set up a source could otherwise reach into the network. Default no.
    #[serde(default)]
    pub(crate) allow_local_key_urls: bool,
    /// Whether the REST API may set up targets at other hosts than DingTalk's. For tests and stand-ins of DingTalk: whoever may
    /// set up a target could otherwise make this server send its secret anywhere. Default no.
    #[serde(default)]
    pub(crate) allow_other_target_urls: bool,
}

/// What a process is for; some defaults depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// The demo, with a data folder of its own.
    Demo,
    /// Anything else.
    Work,
}

/// What the figures are when nobody says otherwise.
#[derive(Serialize)]
struct Defaults {
    listen: SocketAddr,
    data_dir: PathBuf,
    database_connections: u32,
    role: Role,
    log_format: LogFormat,
    log: &'static str,
    places: usize,
    source_requests_per_second: u32,
    source_request_burst: u32,
}

impl Config {
    /// Reads the settings of a command.
    pub(crate) fn load(flags: &Flags, serve: &ServeFlags, purpose: Purpose) -> Result<Self> {
        let (folder, log, requests_per_second) = match purpose {
            Purpose::Work => ("", "info", SOURCE_RATE.per_second),
            // What the demo prints itself is to be seen, and its sample organisation is pushed as fast as it can be.
            Purpose::Demo => ("demo", "warn", 0),
        };
        let defaults = Defaults {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: default_data_dir()?.join(folder),
            database_connections: 20,
            role: Role::All,
            log_format: LogFormat::Human,
            log,
            places: 16,
            source_requests_per_second: requests_per_second,
            source_request_burst: SOURCE_RATE.burst,
        };
        let mut figment = Figment::from(Serialized::defaults(defaults));
        if let Some(file) = &flags.config {
            readable(file)?;
            figment = figment.merge(Toml::file_exact(file));
        }
        figment = figment
            .merge(filled(Env::raw().only(&["DATABASE_URL"])))
            .merge(filled(Env::prefixed("ROLLCALL_")))
            .merge(Serialized::defaults(flags))
            .merge(Serialized::defaults(serve));
        let config: Self = figment.extract().context("the configuration is not usable")?;
        config.check()
    }

    fn check(self) -> Result<Self> {
        if self.database_connections < 4 {
            bail!("database_connections must be at least 4, it is {}", self.database_connections);
        }
        if self.places == 0 || self.places > 1000 {
            bail!("places must be between 1 and 1000, it is {}", self.places);
        }
        if let Some(url) = &self.public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            bail!("public_url must begin with https:// (or http://), it is {url:?}");
        }
        self.trusted_proxies()?;
        let Rate { per_second, burst } = FEWEST;
        if self.source_requests_per_second != 0
            && (self.source_requests_per_second < per_second || self.source_request_burst < burst)
        {
            bail!(
                "source_requests_per_second must be 0 (no limit) or at least {per_second}, and source_request_burst at \
                 least {burst}: identity providers send that much"
            );
        }
        let empty = |path: &Path| path.as_os_str().is_empty();
        for (name, path) in [
            ("data_dir", Some(&self.data_dir)),
            ("pg_bin", self.pg_bin.as_ref()),
            ("master_key_file", self.master_key_file.as_ref()),
        ] {
            if path.is_some_and(|path| empty(path)) {
                bail!("{name} is empty: name a path, or leave it out for the default");
            }
        }
        if let Some(url) = &self.database_url {
            check_database_url(url.expose_secret())?;
        }
        Ok(self)
    }

    /// The proxies whose `X-Forwarded-For` is believed.
    pub(crate) fn trusted_proxies(&self) -> Result<Networks> {
        let texts = self.trusted_proxies.as_deref().unwrap_or_default();
        let texts = texts.split([' ', ',']).filter(|text| !text.is_empty());
        Networks::parse(texts).map_err(|text| anyhow::anyhow!("trusted_proxies names {text:?}, which is no network"))
    }

    /// How fast a source may call that has no rate of its own.
    pub(crate) fn source_rate(&self) -> Option<Rate> {
        let (per_second, burst) = (self.source_requests_per_second, self.source_request_burst);
        (per_second > 0).then_some(Rate { per_second, burst })
    }

    /// Where the master key is.
    pub(crate) fn master_key_path(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"))
    }
}

/// The variables that have a value: an empty one, as a compose file makes of what nobody has set, is not set.
fn filled(variables: Env) -> Env {
    let empty: Vec<String> =
        variables.iter().filter(|(_, value)| value.trim().is_empty()).map(|(name, _)| name.to_string()).collect();
    variables.ignore(&empty.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether a configuration file can be read, with a sentence that says why not.
fn readable(file: &Path) -> Result<()> {
    let name = file.display();
    match std::fs::File::open(file).and_then(|opened| opened.metadata()) {
        Ok(metadata) if metadata.is_dir() => bail!("the configuration file {name} is a folder"),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("the configuration file {name} does not exist")
        }
        Err(error) => Err(error).with_context(|| format!("the configuration file {name} cannot be read")),
    }
}

/// Whether it is the address of a Postgres. What the address holds is not repeated, since that may be a password.
fn check_database_url(url: &str) -> Result<()> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("postgres" | "postgresql") => {}
        Some(other) => bail!("DATABASE_URL (database_url) must begin with postgres://, it begins with {other}://"),
        None => bail!("DATABASE_URL (database_url) must be an address that begins with postgres://"),
    }
    url.parse::<PgConnectOptions>().map(drop).context("DATABASE_URL (database_url) cannot be read")
}

/// Where data is kept when nobody says otherwise: for root a folder of the system, since the embedded Postgres runs
/// as another account that cannot look into root's home; else the user's data folder.
fn default_data_dir() -> Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/rollcall"));
    }
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    let variable = |name: &str| std::env::var(name).ok().filter(|value| Path::new(value).is_absolute());
    let base = variable("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".local/share")))
        .context("there is no home folder: say --data-dir")?;
    Ok(base.join("rollcall"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<()> {
        let figures = "listen = '127.0.0.1:1'\ndatabase_connections = 20\nrole = 'all'\nlog_format = 'human'\n\
                       log = 'info'\nplaces = 16\ndata_dir = '/d'\nsource_requests_per_second = 100\n\
                       source_request_burst = 200";
        let figment = Figment::from(Toml::string(figures)).merge(Toml::string(line));
        figment.extract::<Config>().expect("a configuration").check().map(drop)
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (line, expected) in [
            ("data_dir = ''", "data_dir is empty"),
            ("pg_bin = ''", "pg_bin is empty"),
            ("master_key_file = ''", "master_key_file is empty"),
            ("public_url = ''", "public_url must begin with https://"),
            ("public_url = 'rollcall.example'", "public_url must begin with https://"),
            ("database_url = ''", "must be an address"),
            ("database_url = 'mysql://ada:swordfish@db/rollcall'", "it begins with mysql://"),
            ("database_url = 'postgres://ada:swordfish@db:port/rollcall'", "(database_url) cannot be read"),
            ("trusted_proxies = '10.0.0.0/8 proxy'", "trusted_proxies names \"proxy\""),
            ("source_requests_per_second = 24", "must be 0 (no limit) or at least 25"),
            ("source_request_burst = 49", "source_request_burst at least 50"),
            ("places = 0", "places must be between 1 and 1000"),
            ("database_connections = 3", "database_connections must be at least 4"),
        ] {
            let error = format!("{:#}", check(line).expect_err(line));
            assert!(error.contains(expected) && !error.contains("swordfish"), "{line}: {error}");
        }
        for line in [
            "",
            "database_url = 'postgres://ada@db/rollcall'",
            "database_url = 'postgresql:///r?host=/run'",
            "trusted_proxies = '10.0.0.0/8, ::1'",
            "source_requests_per_second = 0",
        ] {
            check(line).expect(line);
        }
    }

    #[test]
    fn a_configuration_file_is_a_file() {
        for (file, expected) in [("/", "is a folder"), ("/no/such.toml", "does not exist")] {
            let error = readable(Path::new(file)).expect_err(file).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
