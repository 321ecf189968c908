//! The ceiling: the same statements, sent by pgbench.
//!
//! pgbench is the cheapest client that Postgres has. It sends what the server sends, prepared as the server prepares
//! it, over as many connections, and does nothing else. Where the server sends a person's id or number, pgbench puts
//! its own in, as an expression over a parameter.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::process::Command;

use crate::capture::{Role, Statement};
use crate::cluster::{Cluster, DATABASE};
use crate::figures::Run;
use crate::load::Choice;
use crate::operation::{ID_PREFIX, Operation};

/// What pgbench does before its figures count, in seconds: it connects, prepares, and Postgres settles on plans.
const WARM_UP: u32 = 1;

/// Most parameters that pgbench can send with one statement.
const MOST_PARAMETERS: usize = 250;

/// One operation, made ready for pgbench.
#[derive(Clone, Debug)]
pub(crate) struct Ceiling {
    pgbench: PathBuf,
    url: String,
    folder: PathBuf,
    /// The operation's statements, as pgbench reads them.
    pub(crate) script: String,
    /// Values that the statements name, by name.
    values: Vec<(String, String)>,
    /// How many statements a request sends.
    pub(crate) statements: usize,
}

/// How pgbench is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// For so many seconds, after a warm-up.
    Seconds(u32),
    /// So many transactions on each connection.
    Each(u32),
}

impl Ceiling {
    /// Writes the statements down for pgbench.
    pub(crate) async fn new(cluster: &Cluster, operation: Operation, statements: &[Statement]) -> anyhow::Result<Self> {
        let folder = cluster.folder().join("pgbench");
        fs::create_dir_all(&folder)?;
        let mut ceiling = Self {
            pgbench: cluster.pgbench()?,
            url: cluster.url(DATABASE),
            folder,
            script: String::new(),
            values: Vec::new(),
            statements: statements.len(),
        };
        let mut connection = cluster.connect(DATABASE).await?;
        for (index, statement) in statements.iter().enumerate() {
            let types = parameter_types(&mut connection, statement).await?;
            let text = ceiling.rewrite(index, statement, &types)?;
            let is_read_by_later = statements
                .iter()
                .skip(index + 1)
                .flat_map(|later| &later.parameters)
                .any(|it| matches!(it.role, Role::Version | Role::OnlyVersion));
            let end = if is_read_by_later { "\\gset" } else { ";" };
            writeln!(ceiling.script, "{text} {end}")?;
        }
        connection.close().await?;
        ensure!(!ceiling.script.contains('$'), "{}: not every parameter was replaced", operation.name());
        Ok(ceiling)
    }

    /// The statement with an expression for every `$1`. Each is cast to the type that Postgres has found for it, so
    /// that neither pgbench's parameters, which have no type, nor our expressions change what is planned.
    fn rewrite(&mut self, index: usize, statement: &Statement, types: &[String]) -> anyhow::Result<String> {
        let mut text = String::new();
        let mut rest = statement.text.as_str();
        let mut used = 0;
        while let Some((before, after)) = rest.split_once('$') {
            let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
            let (number, after) = after.split_at(digits);
            let place = number.parse::<usize>()?.checked_sub(1).context("a parameter $0")?;
            let parameter = statement.parameters.get(place).with_context(|| format!("no value for ${number}"))?;
            let kind = types.get(place).with_context(|| format!("no type for ${number}"))?;
            let name = format!("s{index}p{number}");
            let expression = match &parameter.role {
                Role::Id => format!("('{ID_PREFIX}' || :n)"),
                Role::OnlyId => format!("ARRAY['{ID_PREFIX}' || :n]"),
                Role::Number(number) => format!("replace(:{name}, '{number}', :n)"),
                Role::Version => "(:version)".to_owned(),
                Role::OnlyVersion => "ARRAY[:version]".to_owned(),
                Role::Constant(Some(_)) => format!("(:{name})"),
                Role::Constant(None) => "(NULL)".to_owned(),
            };
            write!(text, "{before}{expression}::{kind}")?;
            if let (Role::Number(_) | Role::Constant(_), Some(value)) = (&parameter.role, &parameter.value)
                && self.values.iter().all(|(known, _)| *known != name)
            {
                self.values.push((name, value.clone()));
            }
            used += 1;
            rest = after;
        }
        ensure!(used <= MOST_PARAMETERS, "a statement uses {used} parameters, more than pgbench can send");
        text.push_str(rest);
        Ok(text)
    }

    /// Runs pgbench. [`Run::all`] counts the warm-up too.
    pub(crate) async fn run(&self, clients: u16, choice: Choice, length: Length) -> anyhow::Result<Run> {
        let script = self.folder.join("script.sql");
        fs::write(&script, format!("{}{}", prologue(clients, choice), self.script))?;
        let log = self.folder.join("transactions");
        remove_logs(&self.folder)?;
        let mut command = Command::new(&self.pgbench);
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--log", "--log-prefix"])
            .arg(&log)
            .args(["--client", &clients.to_string(), "--jobs", "1", "--define", "turn=-1", "--file"])
            .arg(&script);
        for (name, value) in &self.values {
            command.arg("--define").arg(format!("{name}={value}"));
        }
        match length {
            Length::Seconds(seconds) => command.args(["--time", &(seconds + WARM_UP).to_string()]),
            Length::Each(transactions) => command.args(["--transactions", &transactions.to_string()]),
        };
        let output = command.arg(&self.url).current_dir(&self.folder).output().await.context("starting pgbench")?;
        let printed = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success() && !printed.contains("error:") && !printed.contains("aborted"),
            "pgbench failed: {printed}\nscript:\n{}",
            self.script
        );
        read_logs(&self.folder, length)
    }
}

/// The types that Postgres finds for a statement's parameters.
async fn parameter_types(connection: &mut PgConnection, statement: &Statement) -> anyhow::Result<Vec<String>> {
    if statement.parameters.is_empty() {
        return Ok(Vec::new());
    }
    let prepare = format!("PREPARE found AS {}", statement.text);
    sqlx::raw_sql(AssertSqlSafe(prepare.clone())).execute(&mut *connection).await.with_context(|| prepare)?;
    let types = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'found'";
    let types = sqlx::query_scalar(types).fetch_one(&mut *connection).await?;
    sqlx::raw_sql("DEALLOCATE found").execute(connection).await?;
    Ok(types)
}

/// Chooses the person that a transaction is about.
fn prologue(clients: u16, choice: Choice) -> String {
    match choice {
        Choice::Any { first, count } => format!("\\set n random({first}, {})\n", first + count - 1),
        Choice::Next(first) => format!("\\set turn :turn + 1\n\\set n {first} + :turn * {clients} + :client_id\n"),
    }
}

fn logs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    Ok(entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("transactions")))
        .collect())
}

fn remove_logs(folder: &Path) -> anyhow::Result<()> {
    Ok(logs(folder)?.into_iter().try_for_each(fs::remove_file)?)
}

/// Reads `client transaction latency script seconds microseconds` of every transaction; those of the warm-up do not
/// count.
fn read_logs(folder: &Path, length: Length) -> anyhow::Result<Run> {
    let mut ended = Vec::new();
    for log in logs(folder)? {
        for line in fs::read_to_string(&log)?.lines() {
            let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
            let [_, _, latency, _, seconds, micros, ..] = fields.as_slice() else { continue };
            ended.push((seconds * 1_000_000 + micros, *latency));
        }
    }
    let (first, last) = ended.iter().fold((u64::MAX, 0), |(first, last), (at, _)| (first.min(*at), last.max(*at)));
    ensure!(last > first, "pgbench has logged nothing");
    let start = match length {
        Length::Seconds(_) => first + u64::from(WARM_UP) * 1_000_000,
        Length::Each(_) => first,
    };
    let counted = ended.iter().filter(|(at, _)| *at >= start).map(|(_, latency)| u32::try_from(*latency));
    Ok(Run {
        micros: counted.collect::<Result<_, _>>()?,
        all: ended.len(),
        #[expect(clippy::cast_precision_loss, reason = "microseconds of one run")]
        seconds: last.saturating_sub(start) as f64 / 1_000_000.0,
    })
}
