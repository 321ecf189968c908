//! `rollcall mapping …`.

use super::TenantArg;
use super::plans::ByArg;
use clap::Subcommand;
use std::path::PathBuf;

/// What to do with the mapping. Files end in `.toml` or `.json`.
#[derive(Subcommand, Debug)]
pub(crate) enum MappingCommand {
    /// Print the document that counts, or an earlier version of it
    Show {
        /// The version; 0 is the one that all begin with
        version: Option<i32>,
        /// Nothing but the document, as TOML that can be saved again
        #[arg(long)]
        toml: bool,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Say what is wrong with a document; exit code 1 if something is
    Check {
        /// The document
        file: PathBuf,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Save a document, which counts from then on; nothing is sent before a plan permits it
    Save {
        /// The document
        file: PathBuf,
        /// Why, for those who read the list of versions
        #[arg(long, default_value = "")]
        note: String,
        /// The version that it is based on; refused if another one counts by now
        #[arg(long, value_name = "VERSION")]
        after: Option<i32>,
        /// Save it although examples in it fail
        #[arg(long)]
        allow_failing_examples: bool,
        /// Who saves it.
        #[command(flatten)]
        by: ByArg,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Say what a document would make of everybody; exit code 3 if somebody would be kept out
    Preview {
        /// The document; without it the one that counts
        file: Option<PathBuf>,
        /// Show this person whole, by userName; may be repeated
        #[arg(long = "user", value_name = "USERNAME")]
        users: Vec<String>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Run the examples of a document; exit code 1 if one fails
    Test {
        /// The document; without it the one that counts
        file: Option<PathBuf>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Compare two documents, each a version or a file; exit code 2 if they differ
    Diff {
        /// The new one; without it the one that counts
        new: Option<String>,
        /// The old one; without it the one that counts, or before the one that counts the one before it
        #[arg(long, value_name = "VERSION|FILE")]
        from: Option<String>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Save the document of an earlier version as a new one
    Revert {
        /// The version; 0 is the one that all begin with
        version: i32,
        /// Why, for those who read the list of versions
        #[arg(long, default_value = "")]
        note: String,
        /// The version that counts as far as is known; refused if another one does
        #[arg(long, value_name = "VERSION")]
        after: Option<i32>,
        /// Who saves it.
        #[command(flatten)]
        by: ByArg,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// List the saved versions, the newest first
    Versions {
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}
