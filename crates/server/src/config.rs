//! Process configuration: flags, then the environment, then a TOML file, then defaults. The only place that reads
//! the environment. Secrets come from files or the environment, never from flags.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
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
}

impl Config {
    /// Reads the settings of a command.
    pub(crate) fn load(flags: &Flags, serve: &ServeFlags, purpose: Purpose) -> Result<Self> {
        let (folder, log) = match purpose {
            Purpose::Work => ("", "info"),
            // What the demo prints itself is to be seen.
            Purpose::Demo => ("demo", "warn"),
        };
        let defaults = Defaults {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: default_data_dir()?.join(folder),
            database_connections: 20,
            role: Role::All,
            log_format: LogFormat::Human,
            log,
            places: 16,
        };
        let mut figment = Figment::from(Serialized::defaults(defaults));
        if let Some(file) = &flags.config {
            if !file.is_file() {
                bail!("the configuration file {} does not exist", file.display());
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        figment = figment
            .merge(Env::raw().only(&["DATABASE_URL"]))
            .merge(Env::prefixed("ROLLCALL_"))
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
            bail!("public_url must begin with https:// (or http://), it is {url}");
        }
        Ok(self)
    }

    /// Where the master key is.
    pub(crate) fn master_key_path(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"))
    }
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
