//! CSV as people's tools write and read it (RFC 4180).

/// A record that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CsvError {
    /// The line on which the record begins; the first is 1.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// A record and the line on which it begins.
pub type Record = (usize, Vec<String>);

/// Reads records. Empty lines are none, and a byte order mark before the first is no part of it.
///
/// # Errors
/// The first record whose quotes do not end as they should.
pub fn read(text: &str) -> Result<Vec<Record>, CsvError> {
    let mut letters = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let (mut records, mut line) = (Vec::new(), 1);
    while letters.peek().is_some() {
        let began = line;
        let mut cells = Vec::new();
        loop {
            let mut cell = String::new();
            if letters.next_if_eq(&'"').is_some() {
                loop {
                    match letters.next() {
                        None => return Err(CsvError { line: began, problem: "a quoted cell does not end" }),
                        Some('"') if letters.next_if_eq(&'"').is_some() => cell.push('"'),
                        Some('"') => break,
                        Some(letter) => {
                            line += usize::from(letter == '\n');
                            cell.push(letter);
                        }
                    }
                }
                if !matches!(letters.peek(), None | Some(',' | '\r' | '\n')) {
                    return Err(CsvError { line: began, problem: "something follows the end of a quoted cell" });
                }
            } else {
                while let Some(letter) = letters.next_if(|letter| !matches!(letter, ',' | '\r' | '\n')) {
                    cell.push(letter);
                }
            }
            cells.push(cell);
            if letters.next_if_eq(&',').is_none() {
                break;
            }
        }
        let _ = letters.next_if_eq(&'\r');
        line += usize::from(letters.next_if_eq(&'\n').is_some());
        if cells.iter().any(|cell| !cell.is_empty()) {
            records.push((began, cells));
        }
    }
    Ok(records)
}

/// Writes a record, with the end of its line.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it, which the spreadsheet does not show.
pub fn write<'c>(into: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (position, cell) in cells.into_iter().enumerate() {
        if position > 0 {
            into.push(',');
        }
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if formula || cell.contains([',', '"', '\r', '\n']) {
            into.push('"');
            if formula {
                into.push('\'');
            }
            into.push_str(&cell.replace('"', "\"\""));
            into.push('"');
        } else {
            into.push_str(cell);
        }
    }
    into.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables() {
        for (text, expected) in [
            ("a,b\r\nc,d\r\n", "1:a|b 2:c|d"),
            ("\u{feff}a,\"b,c\"\n", "1:a|b,c"),
            ("\"x\ny\",1\n\nz,2", "1:x\ny|1 4:z|2"),
            ("\"say \"\"hi\"\"\",", "1:say \"hi\"|"),
            ("", ""),
        ] {
            let records = read(text).expect("good text");
            let shown: Vec<String> =
                records.iter().map(|(line, cells)| format!("{line}:{}", cells.join("|"))).collect();
            assert_eq!(shown.join(" "), expected, "{text:?}");
        }
        assert_eq!(read("a\n\"b").map_err(|error| error.line), Err(2));
        assert_eq!(read("\"a\"b").map_err(|error| error.line), Err(1));
    }

    #[test]
    fn no_cell_is_a_formula() {
        let mut text = String::new();
        write(&mut text, ["=1+1", "+86-138", "plain"]);
        assert_eq!(text, "\"'=1+1\",\"'+86-138\",plain\r\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(cells in proptest::collection::vec("[a-z\", \n\r]{0,6}", 1..5)) {
            prop_assume!(cells.iter().any(|cell| !cell.is_empty()));
            prop_assume!(cells.iter().all(|cell| !cell.starts_with('\r')));
            let mut text = String::new();
            write(&mut text, cells.iter().map(String::as_str));
            prop_assert_eq!(read(&text).map(|mut records| records.pop().map(|(_, cells)| cells)), Ok(Some(cells)));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            let _ = read(&text);
        }
    }
}
