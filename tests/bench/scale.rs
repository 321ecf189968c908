//! What it costs among many that cost so much among few: the same requests to two directories of different size, in
//! turn, so that whatever the machine does at the moment it does to both.

mod asked;
mod directory;
mod large_group;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::cluster::Cluster;
use crate::figures::{Table, median, ms, percentile};
use crate::load::Connection;
use crate::operation::request;
use crate::options::Scale;
use crate::scale::asked::Asked;
use crate::scale::directory::Directory;

/// How much more than among the fewest something may cost among the most.
const GOAL: f64 = 1.5;

/// Fills both directories, measures, and prints.
pub(crate) async fn measure(options: &Scale, binary: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    let mut directories = Vec::new();
    for people in &options.people {
        let start = Instant::now();
        let directory = Directory::fill(cluster, binary, *people).await?;
        println!("{directory}: filled in {:.0} s", start.elapsed().as_secs_f64());
        directories.push(directory);
    }
    for directory in &mut directories {
        directory.last_page = walk(directory).await?;
    }

    let mut header = vec!["median, ms".to_owned()];
    header.extend(options.people.iter().map(|people| format!("{people} people")));
    header.extend(["ratio".to_owned(), "goal".to_owned(), String::new()]);
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for asked in Asked::ALL {
        let mut medians = vec![Vec::new(); directories.len()];
        for round in 0..options.rounds {
            for (directory, taken) in directories.iter().zip(&mut medians) {
                taken.extend(run(directory, asked, round, options.requests).await?);
            }
        }
        let medians: Vec<u32> = medians.iter().map(|taken| percentile(taken, 0.5)).collect();
        let (few, many) = (medians.first().context("no directory")?, medians.last().context("no directory")?);
        let ratio = f64::from(*many) / f64::from(*few);
        let mut row = vec![asked.name().to_owned()];
        row.extend(medians.iter().map(|&median| ms(median)));
        row.extend([format!("{ratio:.2}"), format!("< {GOAL}")]);
        row.push(if ratio < GOAL { "reached" } else { "missed" }.to_owned());
        table.row(row);
    }
    println!("\n{table}");
    for directory in &directories {
        println!("{}", large_group::measure(directory).await?);
    }
    for directory in directories {
        directory.stop().await?;
    }
    Ok(())
}

/// Asks so often, one after the other, and returns what each took, in microseconds.
async fn run(directory: &Directory, asked: Asked, round: u32, requests: u32) -> anyhow::Result<Vec<u32>> {
    let mut connection = Connection::open(directory.api.address).await?;
    let mut taken = Vec::new();
    for part in asked.parts(round, requests) {
        for turn in part.turns.clone() {
            let request = asked.request(directory, &part, turn);
            let start = Instant::now();
            let answer = connection.ask(request.as_bytes()).await?;
            let micros = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
            ensure!(
                answer.status == 200,
                "{}: answered {}: {}",
                asked.name(),
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
            asked.check(answer.body).with_context(|| asked.name())?;
            if part.counts {
                taken.push(micros);
            }
        }
    }
    Ok(taken)
}

/// What of a page by cursor says how to go on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Onward {
    next_cursor: Option<String>,
}

/// Reads everybody, page by page, prints whether the pages at the end took longer than those at the beginning, and
/// returns the path of the last full page.
async fn walk(directory: &Directory) -> anyhow::Result<String> {
    let mut connection = Connection::open(directory.api.address).await?;
    let (mut path, mut before) = (asked::FIRST_PAGE.to_owned(), String::new());
    let mut taken = Vec::new();
    loop {
        let text = request("GET", &path, None, &directory.api.host, &directory.api.token);
        let start = Instant::now();
        let answer = connection.ask(text.as_bytes()).await?;
        taken.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status == 200, "a page was answered with {}", answer.status);
        let onward: Onward = serde_json::from_slice(answer.body)?;
        match onward.next_cursor {
            Some(cursor) => before = std::mem::replace(&mut path, asked::page(&cursor)),
            None => break,
        }
    }
    // The last page may hold fewer.
    let full = taken.get(..taken.len() - 1).unwrap_or_default();
    let tenth = (full.len() / 10).max(1);
    let (first, last) = (full.get(..tenth).unwrap_or_default(), full.get(full.len() - tenth..).unwrap_or_default());
    println!(
        "{directory}: {} pages by cursor; median of the first tenth {:.1} ms, of the last tenth {:.1} ms",
        taken.len(),
        median(first),
        median(last)
    );
    Ok(before)
}
