//! The binary: configuration, wiring, command line, telemetry, embedded Postgres, shutdown.
