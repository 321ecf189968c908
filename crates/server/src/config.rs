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
pub enum Role {
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
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct Flags {
    /// Folder for the embedded Postgres, the master key and run-time files
    #[arg(long, global = true, value_name = "FOLDER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// TOML file with settings
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
}

/// Options of the commands that listen.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct ServeFlags {
    /// Address of SCIM, REST API and console
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Which parts this process runs
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// The settings of a process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of SCIM, REST API and console. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The base URL under which identity providers reach the server; made from the `Host` header when not set.
    pub public_url: Option<String>,
    /// Folder for the embedded Postgres, the master key and run-time files.
    pub data_dir: PathBuf,
    /// A Postgres to use instead of the embedded one.
    #[serde(default)]
    pub database_url: Option<SecretString>,
    /// The most connections to Postgres. Default 20.
    pub database_connections: u32,
    /// Folder with `initdb` and `postgres`; searched for when not set.
    #[serde(default)]
    pub pg_bin: Option<PathBuf>,
    /// File with the 32 bytes that seal secrets. Default `master.key` in the data folder.
    #[serde(default)]
    pub master_key_file: Option<PathBuf>,
    /// Which parts this process runs.
    pub role: Role,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged: a filter such as `info` or `rollcall_reconciler=debug`. Default `info`.
    pub log: String,
    /// Deliveries that a worker has under way at once. Default 16.
    pub places: usize,
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
    /// Reads the settings. `folder` is added to the default data folder, so that the demo has its own.
    pub fn load(flags: &Flags, serve: &ServeFlags, folder: &str) -> Result<Self> {
        let defaults = Defaults {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: default_data_dir()?.join(folder),
            database_connections: 20,
            role: Role::All,
            log_format: LogFormat::Human,
            log: "info",
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
    pub fn master_key_path(&self) -> PathBuf {
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
