//! The two sides in turn, round after round.

use std::time::Duration;

use anyhow::ensure;

use crate::ceiling::{Ceiling, Length};
use crate::cluster::{Cluster, DATABASE};
use crate::figures::{Run, Table, median, ms, percentile};
use crate::load::{Choice, Load, Template, Until};
use crate::operation::{FIRST, Operation, RANGE};
use crate::options::Options;
use crate::product::{Api, Running};
use crate::usage::{family, processor};

/// How long the server is warmed up before the first round of an operation.
const WARM_UP: Duration = Duration::from_secs(1);

/// Of what pgbench does, so much must be seen in the tables: two clients may hit one person at once.
const WRITTEN: f64 = 0.9;

/// What is compared, and where.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) options: &'a Options,
    pub(crate) cluster: &'a Cluster,
    pub(crate) api: Api,
    pub(crate) server: &'a Running,
    /// People who were there before.
    pub(crate) people: u64,
    /// Ranges of numbers that were given to new people.
    pub(crate) used: u64,
}

/// What one operation came to.
#[derive(Debug)]
pub(crate) struct Compared {
    operation: Operation,
    statements: usize,
    ours: Side,
    pgbench: Side,
    ratios: Vec<f64>,
}

/// One side, over all rounds.
#[derive(Default, Debug)]
struct Side {
    rates: Vec<f64>,
    micros: Vec<u32>,
    /// Processor time of the client, in microseconds.
    client: u64,
    /// Processor time of the server, in microseconds.
    server: u64,
    /// Processor time of Postgres, in microseconds.
    postgres: u64,
    seconds: f64,
    /// Everything that was done, also what does not count.
    all: usize,
}

/// Processor time that was used up to now, in microseconds.
struct Used {
    client: u64,
    server: u64,
    postgres: u64,
}

impl Bench<'_> {
    /// Measures one operation on both sides in turn.
    pub(crate) async fn compare(
        &mut self,
        operation: Operation,
        ceiling: &Ceiling,
        connections: u16,
    ) -> anyhow::Result<Compared> {
        let seconds = (self.options.seconds / self.options.rounds).max(1);
        let mut compared = Compared {
            operation,
            statements: ceiling.statements,
            ours: Side::default(),
            pgbench: Side::default(),
            ratios: Vec::new(),
        };
        self.load(operation, connections, WARM_UP).run().await?;
        for _ in 0..self.options.rounds {
            let load = self.load(operation, connections, Duration::from_secs(u64::from(seconds)));
            let before = self.processor()?;
            let ours = load.run().await?;
            compared.ours.add(&ours, &before, &self.processor()?);

            let choice = self.choice(operation);
            let (rows, before) = (self.written().await?, self.processor()?);
            let pgbench = ceiling.run(connections, choice, Length::Seconds(seconds)).await?;
            let after = self.processor()?;
            compared.pgbench.add(&pgbench, &before, &after);
            check(operation, pgbench.all, self.written().await? - rows)?;
            compared.ratios.push(ours.rate() / pgbench.rate());
        }
        Ok(compared)
    }

    fn load(&mut self, operation: Operation, connections: u16, time: Duration) -> Load {
        Load {
            address: self.api.address,
            template: Template::new(&operation.request(&self.api.host, &self.api.token)),
            success: operation.success(),
            connections,
            choice: self.choice(operation),
            until: Until::Time(time),
        }
    }

    /// New people have numbers that nobody had before.
    fn choice(&mut self, operation: Operation) -> Choice {
        if operation == Operation::Create {
            self.used += 1;
            return Choice::Next(FIRST + (9 + self.used) * RANGE);
        }
        Choice::Any { first: FIRST, count: self.people }
    }

    fn processor(&self) -> anyhow::Result<Used> {
        Ok(Used {
            client: processor(std::process::id())?,
            server: processor(self.server.pid()?)?,
            postgres: family(self.cluster.pid())?,
        })
    }

    /// A number that grows by one with every write to a person.
    async fn written(&self) -> anyhow::Result<i64> {
        let mut connection = self.cluster.connect(DATABASE).await?;
        Ok(sqlx::query_scalar("SELECT sum(version)::bigint FROM users").fetch_one(&mut connection).await?)
    }
}

/// A ceiling that does not do the work would be no ceiling.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn check(operation: Operation, transactions: usize, written: i64) -> anyhow::Result<()> {
    let enough = if operation.writes() { transactions as f64 * WRITTEN } else { 0.0 };
    ensure!(
        written as f64 >= enough,
        "{}: pgbench says that it has written {transactions} times, the tables say {written}",
        operation.name()
    );
    Ok(())
}

impl Side {
    fn add(&mut self, run: &Run, before: &Used, after: &Used) {
        self.rates.push(run.rate());
        self.micros.extend(&run.micros);
        self.seconds += run.seconds;
        self.all += run.all;
        self.client += after.client - before.client;
        self.server += after.server - before.server;
        self.postgres += after.postgres.saturating_sub(before.postgres);
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds of a few minutes")]
    fn each(&self, micros: u64) -> String {
        format!("{:.0}", micros as f64 / (self.all.max(1) as f64))
    }

    fn rate_cells(&self) -> [String; 3] {
        let at = |share| ms(percentile(&self.micros, share));
        [format!("{:.0}", median(&self.rates)), at(0.5), at(0.99)]
    }
}

/// The table of [`Compared::rate_row`].
pub(crate) fn rate_table() -> Table {
    Table::new(&[
        "",
        "SCIM/s",
        "p50 ms",
        "p99 ms",
        "pgbench/s",
        "p50 ms",
        "p99 ms",
        "ratio",
        "lowest",
        "highest",
        "goal",
        "",
    ])
}

/// The table of [`Compared::cost_row`].
pub(crate) fn cost_table() -> Table {
    Table::new(&[
        "",
        "server",
        "Postgres",
        "this client",
        "its share of one",
        "pgbench: Postgres",
        "pgbench",
        "statements",
    ])
}

impl Compared {
    /// Rates and latencies of both sides, and the ratio.
    pub(crate) fn rate_row(&self) -> Vec<String> {
        let ratio = median(&self.ratios);
        let goal = self.operation.goal();
        let verdict = if ratio >= goal { "reached" } else { "missed" };
        let ratios = [ratio, percentile(&self.ratios, 0.0), percentile(&self.ratios, 1.0), goal];
        let mut row = vec![self.operation.name().to_owned()];
        row.extend(self.ours.rate_cells());
        row.extend(self.pgbench.rate_cells());
        row.extend(ratios.map(|ratio| format!("{ratio:.2}")));
        row.push(verdict.to_owned());
        row
    }

    /// Where the processor time of a request goes.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a few minutes")]
    pub(crate) fn cost_row(&self) -> Vec<String> {
        let (ours, pgbench) = (&self.ours, &self.pgbench);
        vec![
            self.operation.name().to_owned(),
            ours.each(ours.server),
            ours.each(ours.postgres),
            ours.each(ours.client),
            format!("{:.0} %", ours.client as f64 / 10_000.0 / ours.seconds),
            pgbench.each(pgbench.postgres),
            pgbench.each(pgbench.client),
            self.statements.to_string(),
        ]
    }
}
