//! A filter as text that parses back to the same tree.

use std::fmt;

use super::Filter;
use crate::path::AttributePath;
use crate::schema::sub;

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, f, false)
    }
}

/// `inside` tells that the filter stands in brackets, where paths are written without what is before them.
fn write(filter: &Filter, f: &mut fmt::Formatter<'_>, inside: bool) -> fmt::Result {
    match filter {
        Filter::Or(parts) => join(parts, " or ", |part| matches!(part, Filter::Or(_)), f, inside),
        Filter::And(parts) => join(parts, " and ", |part| matches!(part, Filter::And(_) | Filter::Or(_)), f, inside),
        Filter::Not(part) => {
            f.write_str("not (")?;
            write(part, f, inside)?;
            f.write_str(")")
        }
        Filter::Compare { path, op, value } => {
            write_path(path, f, inside)?;
            write!(f, " {} {value}", op.as_str())
        }
        Filter::Present(path) => {
            write_path(path, f, inside)?;
            f.write_str(" pr")
        }
        Filter::ValuePath { path, filter } => {
            write!(f, "{path}[")?;
            write(filter, f, true)?;
            f.write_str("]")
        }
    }
}

/// Writes the parts. Those for which `grouped` holds get parentheses: where precedence needs them, and where a
/// tree would otherwise become flatter. No more than were parsed, so that the text stays within the depth limit.
fn join(
    parts: &[Filter],
    word: &str,
    grouped: impl Fn(&Filter) -> bool,
    f: &mut fmt::Formatter<'_>,
    inside: bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        if grouped(part) {
            f.write_str("(")?;
            write(part, f, inside)?;
            f.write_str(")")?;
        } else {
            write(part, f, inside)?;
        }
    }
    Ok(())
}

fn write_path(path: &AttributePath, f: &mut fmt::Formatter<'_>, inside: bool) -> fmt::Result {
    if inside {
        return f.write_str(path.sub_attribute.as_deref().unwrap_or(sub::VALUE));
    }
    write!(f, "{path}")
}
