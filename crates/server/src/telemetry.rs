//! Logs and metrics. Log lines go to standard error and carry ids, never names, phones or mails.

use crate::config::{Config, LogFormat};
use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Bounds of the latency histograms, in seconds.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

/// Starts logging.
pub(crate) fn start_logs(config: &Config) -> Result<()> {
    let filter =
        EnvFilter::try_new(&config.log).with_context(|| format!("the log filter {:?} is wrong", config.log))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}

/// Starts collecting metrics; the handle renders them for Prometheus.
pub(crate) fn start_metrics() -> Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .context("the histogram bounds are wrong")?
        .install_recorder()
        .context("metrics could not be started")?;
    metrics::gauge!("rollcall_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}
