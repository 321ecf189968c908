//! What the server really sends to Postgres for one request, taken from Postgres's own log, so that pgbench can never
//! be given anything else.
//!
//! Each operation is asked for several times with different people. What is the person's id, number or version in
//! every one of those requests is so by intention, and pgbench gets its own id, number or version there; what stays
//! the same, or changes for reasons of its own (times, request ids), pgbench sends as it was logged.

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::cluster::StatementLog;
use crate::load::{Connection, Template, header};
use crate::operation::{FIRST, ID_PREFIX, NUMBER, Operation, RANGE};
use crate::product::Api;

/// How often each operation is asked for.
const TIMES: u64 = 3;

/// What a parameter of a statement stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The person's id.
    Id,
    /// The person's id as the only one of an array.
    OnlyId,
    /// A text that holds this person's number.
    Number(String),
    /// The version that an earlier statement of the same request has read.
    Version,
    /// The same as the only one of an array.
    OnlyVersion,
    /// Anything else; `None` is null.
    Constant(Option<String>),
}

/// One parameter, with a value that the server sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parameter {
    /// What it stands for.
    pub(crate) role: Role,
    /// The value; `None` is null.
    pub(crate) value: Option<String>,
}

/// One statement of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Statement {
    /// The text, with `$1` and so on.
    pub(crate) text: String,
    /// The parameters, `$1` first.
    pub(crate) parameters: Vec<Parameter>,
}

/// What one request was about.
#[derive(Clone, Debug)]
struct Subject {
    number: String,
    id: String,
    /// The version that the request found.
    version: Option<i64>,
}

/// One statement as logged.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Logged {
    text: String,
    values: Vec<Option<String>>,
}

/// The statements of every operation, in the order in which a request sends them.
pub(crate) async fn capture(api: &Api, log: &mut StatementLog) -> anyhow::Result<Vec<(Operation, Vec<Statement>)>> {
    let mut connection = Connection::open(api.address).await?;
    let first = FIRST + 9 * RANGE;
    // The server asks once who has the token, and remembers it.
    let mut template = Template::new(&Operation::Filter.request(&api.host, &api.token));
    connection.ask(template.fill(first, 0)).await?;

    let mut ids: Vec<String> = Vec::new();
    let mut all = Vec::new();
    // Creation comes first here: the others need somebody to be about.
    for operation in [Operation::Create, Operation::Get, Operation::Filter, Operation::Patch] {
        let mut requests = Vec::new();
        for turn in 0..TIMES {
            // Changes hit one person again and again, so that the version moves.
            let person = if operation == Operation::Patch { 0 } else { turn };
            let number = first + person;
            let known = usize::try_from(person).ok().and_then(|index| ids.get(index)).cloned();
            let request = operation.request(&api.host, &api.token);
            let request = match &known {
                Some(id) => request.replace(&format!("{ID_PREFIX}{NUMBER}"), id),
                None => request,
            };
            log.lines().await?;
            let mut template = Template::new(&request);
            let answer = connection.ask(template.fill(number, turn)).await?;
            ensure!(
                answer.status == operation.success(),
                "{} was answered with {}: {}",
                operation.name(),
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
            let version = (operation == Operation::Patch).then(|| version_before(answer.head)).transpose()?;
            let body: Value = serde_json::from_slice(answer.body)?;
            let id =
                known.or_else(|| body.get("id")?.as_str().map(str::to_owned)).context("an answer without an id")?;
            if operation == Operation::Create {
                ids.push(id.clone());
            }
            let subject = Subject { number: number.to_string(), id, version };
            requests.push((subject, of_request(&log.lines().await?, &api.tenant)?));
        }
        all.push((operation, combine(operation, &requests)?));
    }
    Ok(all)
}

/// The version before a change, from the `ETag` after it (`W/"2"`).
fn version_before(head: &str) -> anyhow::Result<i64> {
    let etag = header(head, "etag").context("an answer without an ETag")?;
    let digits: String = etag.chars().filter(char::is_ascii_digit).collect();
    Ok(digits.parse::<i64>().with_context(|| format!("the ETag {etag}"))? - 1)
}

/// The statements of the request alone. Every statement of a request names its tenant first; what the server does
/// beside it (waking workers, noting the use of tokens) does not. What opens and ends a transaction names nothing and
/// counts when it stands on the same connection.
fn of_request(lines: &[Value], tenant: &str) -> anyhow::Result<Vec<Logged>> {
    let mut logged = Vec::new();
    for line in lines {
        if let Some(statement) = read_line(line)? {
            logged.push((line.get("pid").and_then(Value::as_i64), statement));
        }
    }
    let about_tenant =
        |statement: &Logged| statement.values.first().is_some_and(|value| value.as_deref() == Some(tenant));
    let connections: Vec<_> =
        logged.iter().filter(|(_, statement)| about_tenant(statement)).map(|(pid, _)| *pid).collect();
    let belongs =
        |pid, statement: &Logged| about_tenant(statement) || statement.values.is_empty() && connections.contains(&pid);
    Ok(logged.into_iter().filter(|(pid, statement)| belongs(*pid, statement)).map(|(_, statement)| statement).collect())
}

/// The statement in one entry of the log, if it holds one.
fn read_line(line: &Value) -> anyhow::Result<Option<Logged>> {
    let text = |key: &str| line.get(key).and_then(Value::as_str);
    let Some(message) = text("message") else { return Ok(None) };
    let Some((kind, statement)) = message.split_once(": ") else { return Ok(None) };
    if kind != "statement" && !kind.starts_with("execute ") {
        return Ok(None);
    }
    let values = match text("detail").and_then(|detail| detail.split_once("arameters: ")) {
        Some((_, values)) => read_values(values).with_context(|| format!("the parameters {values}"))?,
        None => Vec::new(),
    };
    Ok(Some(Logged { text: statement.to_owned(), values }))
}

/// Reads `$1 = 'it''s', $2 = NULL`.
fn read_values(mut rest: &str) -> anyhow::Result<Vec<Option<String>>> {
    let mut values = Vec::new();
    loop {
        let (_, value) = rest.split_once(" = ").context("a parameter without a value")?;
        rest = if let Some(quoted) = value.strip_prefix('\'') {
            let end = closing_quote(quoted).context("a value without an end")?;
            let (value, rest) = quoted.split_at(end);
            values.push(Some(value.replace("''", "'")));
            rest.strip_prefix('\'').unwrap_or(rest)
        } else {
            values.push(None);
            value.strip_prefix("NULL").context("neither a text nor NULL")?
        };
        match rest.strip_prefix(", ") {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(values),
            None => bail!("{rest} follows a value"),
        }
    }
}

/// The first quote that is not doubled.
fn closing_quote(text: &str) -> Option<usize> {
    let mut quotes = text.match_indices('\'').map(|(at, _)| at).peekable();
    while let Some(at) = quotes.next() {
        if quotes.next_if_eq(&(at + 1)).is_none() {
            return Some(at);
        }
    }
    None
}

/// What the parameters stand for, from several requests of one operation.
fn combine(operation: Operation, requests: &[(Subject, Vec<Logged>)]) -> anyhow::Result<Vec<Statement>> {
    let (_, last) = requests.last().context("no request")?;
    ensure!(!last.is_empty(), "{} sends nothing to the database", operation.name());
    let texts = |logged: &[Logged]| logged.iter().map(|statement| statement.text.clone()).collect::<Vec<_>>();
    for (_, logged) in requests {
        ensure!(
            texts(logged) == texts(last),
            "{} sends other statements each time: {:#?} and {:#?}",
            operation.name(),
            texts(logged),
            texts(last)
        );
    }
    let parameter = |at: usize, index: usize| -> anyhow::Result<Parameter> {
        let seen: Vec<(&Subject, Option<&str>)> = requests
            .iter()
            .map(|(subject, logged)| (subject, logged.get(at).and_then(|one| one.values.get(index)?.as_deref())))
            .collect();
        let every = |is: &dyn Fn(&Subject, &str) -> bool| {
            seen.iter().all(|(subject, value)| value.is_some_and(|value| is(subject, value)))
        };
        let (subject, value) = seen.last().copied().context("no request")?;
        let role = if every(&|subject, value| value == subject.id) {
            Role::Id
        } else if every(&|subject, value| value == format!("{{{}}}", subject.id)) {
            Role::OnlyId
        } else if every(&|subject, value| value.contains(&subject.number)) {
            Role::Number(subject.number.clone())
        } else if every(&|subject, value| subject.version.is_some_and(|version| value == version.to_string())) {
            Role::Version
        } else if every(&|subject, value| subject.version.is_some_and(|version| value == format!("{{{version}}}"))) {
            Role::OnlyVersion
        } else {
            Role::Constant(value.map(str::to_owned))
        };
        Ok(Parameter { role, value: value.map(str::to_owned) })
    };
    let statement = |(at, logged): (usize, &Logged)| {
        let parameters = (0..logged.values.len()).map(|index| parameter(at, index)).collect::<Result<_, _>>()?;
        Ok(Statement { text: logged.text.clone(), parameters })
    };
    last.iter().enumerate().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_read_as_postgres_writes_them() {
        let values = read_values("$1 = 'it''s', $2 = NULL, $3 = '', $4 = 'a, $5 = ''b'''").unwrap();
        let expected = [Some("it's"), None, Some(""), Some("a, $5 = 'b'")];
        assert_eq!(values, expected.map(|value| value.map(str::to_owned)));
        assert!(read_values("$1 = 'no end").is_err());
    }

    #[test]
    fn what_runs_beside_a_request_is_left_out() {
        let entry =
            |pid: i64, message: &str, detail: Option<&str>| json!({ "pid": pid, "message": message, "detail": detail });
        let lines = [
            entry(1, "statement: BEGIN", None),
            entry(2, "statement: BEGIN", None),
            entry(1, "execute sqlx_s_1: SELECT $1, $2", Some("parameters: $1 = 'ours', $2 = 'x'")),
            entry(3, "execute sqlx_s_4: SELECT pg_notify($1, '')", Some("Parameters: $1 = 'channel'")),
            entry(2, "execute sqlx_s_1: SELECT $1", Some("parameters: $1 = 'theirs'")),
            entry(1, "checkpoint starting: time", None),
        ];
        let texts: Vec<_> = of_request(&lines, "ours").unwrap().into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["BEGIN", "SELECT $1, $2"]);
    }

    #[test]
    fn parameters_are_known_by_what_they_follow() {
        let request = |number: u64, version: i64| {
            let (number, id) = (number.to_string(), format!("id-{number}"));
            let value = |text: &str| Some(text.to_owned());
            let (only, name) = (format!("{{{id}}}"), format!("p.{number}@x"));
            let values =
                vec![value("tenant"), value(&id), value(&only), value(&name), value(&version.to_string()), None];
            let statement = Logged { text: "SELECT".to_owned(), values };
            (Subject { number, id, version: Some(version) }, vec![statement])
        };
        let statements = combine(Operation::Patch, &[request(1001, 1), request(1002, 2)]).unwrap();
        let roles: Vec<_> = statements[0].parameters.iter().map(|parameter| parameter.role.clone()).collect();
        let constant = |text: &str| Role::Constant(Some(text.to_owned()));
        let number = Role::Number("1002".to_owned());
        let expected = [constant("tenant"), Role::Id, Role::OnlyId, number, Role::Version, Role::Constant(None)];
        assert_eq!(roles, expected);
    }
}
