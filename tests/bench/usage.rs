//! What processes use, from `/proc` (Linux).

use std::fs;

use anyhow::Context;

/// Length of a tick of the counters in `/proc/<pid>/stat`. Linux shows a hundred a second on every machine.
const TICK_MICROS: u64 = 10_000;

/// Processor time that one process has used, with its children that have ended, in microseconds.
pub(crate) fn processor(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The name in parentheses may hold anything; the state is the first field behind it.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let own_and_children = fields.get(11..15).unwrap_or_default();
    Ok(own_and_children.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * TICK_MICROS)
}

/// Processor time of a process and all its children, also of those that still run.
pub(crate) fn family(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // A child that ends in between is counted with its parent.
    let running =
        children.split_whitespace().filter_map(|child| child.parse().ok()).filter_map(|pid| processor(pid).ok());
    Ok(running.sum::<u64>() + processor(pid)?)
}

/// Memory of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// In use now, in MiB.
    pub(crate) resident: f64,
    /// The most that was ever in use, in MiB.
    pub(crate) peak: f64,
}

/// The memory of a process.
pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let mib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib / 1024.0)
    };
    Ok(Memory {
        resident: mib("VmRSS").with_context(|| format!("no VmRSS in {path}"))?,
        peak: mib("VmHWM").with_context(|| format!("no VmHWM in {path}"))?,
    })
}
