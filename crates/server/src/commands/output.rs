//! Text for people or one JSON document for programs.

use serde_json::Value;

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
    pub(crate) fn result(self, document: &Value, text: impl FnOnce() -> String) {
        if self.json {
            println!("{document}");
        } else {
            println!("{}", text());
        }
    }

    /// Prints a sentence for people; programs get nothing.
    pub(crate) fn line(self, sentence: &str) {
        if !self.json {
            println!("{sentence}");
        }
    }

    /// Prints rows under a header, each column as wide as its widest cell.
    pub(crate) fn table(self, document: &Value, header: &[&str], rows: &[Vec<String>]) {
        self.result(document, || table(header, rows));
    }
}

/// Rows under a header as text.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
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
}
