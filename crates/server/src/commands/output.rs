//! Text for people or one JSON document for programs.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::io::{self, Write as _};

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result: `document` for programs, or what `text` makes of it for people.
    pub(crate) fn result(self, document: &Value, text: impl FnOnce() -> String) -> Result<()> {
        print(&if self.json { document.to_string() } else { visible(&text()) })
    }

    /// Prints a sentence for people; programs get nothing.
    pub(crate) fn line(self, sentence: &str) -> Result<()> {
        if self.json { Ok(()) } else { print(&visible(sentence)) }
    }

    /// Prints rows under a header, each column as wide as its widest cell.
    pub(crate) fn table(self, document: &Value, header: &[&str], rows: &[Vec<String>]) -> Result<()> {
        self.result(document, || table(header, rows))
    }
}

/// Prints a text and ends its line. All that a command says on standard output goes through here. Who reads it may have
/// seen enough, as `head` has after some lines; the command has done its work all the same.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("the command is done, but its result could not be printed")
        }
        _ => Ok(()),
    }
}

/// A text in which nothing works on the terminal that shows it: what controls it, or turns the direction of writing, is
/// spelt out. Lines stay lines.
pub(crate) fn visible(text: &str) -> String {
    spelt_out(text, &['\n', '\t'])
}

/// The same in one line: what somebody wrote cannot look like a line of ours.
pub(super) fn one_line(text: &str) -> String {
    spelt_out(text, &[])
}

fn spelt_out(text: &str, kept: &[char]) -> String {
    let works = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if works(letter) && !kept.contains(&letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// `1 delivery is`, `42 deliveries are`.
pub(super) fn count_of(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Rows under a header as text.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|name| name.len())).max().unwrap_or(0)
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut header.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["a".to_owned(), "long".to_owned()], vec!["bcd".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["id", "name"], &rows), "id   name\na    long\nbcd  x");
    }

    #[test]
    fn nothing_that_somebody_wrote_works_on_a_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\r\n\u{9b}c\u{202e}d 北京 é"), "a\\u{1b}[2Jb\\r\n\\u{9b}c\\u{202e}d 北京 é");
        assert_eq!(one_line("closed.\nIt was released by ann."), "closed.\\nIt was released by ann.");
        let rows = [vec!["a\nb".to_owned()]];
        assert_eq!(table(&["x"], &rows), "x\na\\nb");
    }
}
