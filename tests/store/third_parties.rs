//! Filters mean to us what they mean to others: the npm package `scim2-parse-filter`, which parses and judges, and the Python
//! package `scim2-filter-parser`, which parses. `tests/conformance/run` installs them and runs this.
//!
//! Where a tool is known to be wrong it is not asked, and the reason is named here. Each reason must be true of some
//! filter that comes up: otherwise it hides nothing and goes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::fold::fold;
use rollcall_scim::path::AttributePath;
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::{ResourceType, builtin};
use rollcall_store::listing::Matching;
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use serde_json::{Map, Value, json};

use crate::dice::{Dice, flat_filter, random_filter, words};
use crate::filters::{STEP, random_user, user_leaf};
use crate::fixture::Fixture;
use crate::shown::shown_user;

const FILTERS: usize = 500;
const USERS: usize = 40;

/// Reasons, each with what it is a reason for.
type Excuses<T> = &'static [(&'static str, fn(&T) -> bool)];

/// Why `scim2-parse-filter` does not read a filter as RFC 7644 has it.
const NPM_PARSING: Excuses<str> = &[
    // Its tokeniser doubles each backslash that is not before a quote, also the second one of a pair.
    ("backslashes in strings are taken literally", |text| text.replace("\\\"", "").contains('\\')),
];

/// Why `scim2-parse-filter` does not judge by a filter as RFC 7644 has it.
const NPM_JUDGING: Excuses<Filter> = &[
    // RFC 7644 §3.4.2.2: the expression in brackets applies to the same value; the tool lets each part of it find its
    // own.
    ("a value path may be satisfied by several elements together", |filter| {
        any(filter, &|part| {
            matches!(part, Filter::ValuePath { filter, .. } if any(filter, &|inner| {
                matches!(inner, Filter::And(_) | Filter::Not(_) | Filter::Compare { op: CompareOp::Ne, .. })
            }))
        })
    }),
];

/// Why `scim2-filter-parser` does not read a filter as RFC 7644 has it.
const PYPI_PARSING: Excuses<str> = &[
    // Its grammar gives both words one precedence.
    ("`and` does not bind stronger than `or`", |text| {
        !text.starts_with('(') && text.contains(" and ") && text.contains(" or ")
    }),
    // A string ends at the first quote for its lexer, and escapes are not decoded.
    ("strings have no escapes", |text| text.contains('\\')),
];

/// True if the condition holds for some part of the filter.
fn any(filter: &Filter, holds: &dyn Fn(&Filter) -> bool) -> bool {
    holds(filter)
        || match filter {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| any(part, holds)),
            Filter::Not(part) => any(part, holds),
            Filter::ValuePath { filter, .. } => any(filter, holds),
            Filter::Compare { .. } | Filter::Present(_) => false,
        }
}

/// Our tree as the tools' trees are compared with it: operators first, paths as they would be written.
fn tree(filter: &Filter, inside: bool) -> Value {
    let name = |path: &AttributePath| match &path.sub_attribute {
        Some(part) if inside => part.clone(),
        _ => path.to_string(),
    };
    let joined = |op: &str, parts: &[Filter]| {
        let mut all = vec![Value::from(op)];
        all.extend(parts.iter().map(|part| tree(part, inside)));
        normal(Value::Array(all))
    };
    match filter {
        Filter::And(parts) => joined("and", parts),
        Filter::Or(parts) => joined("or", parts),
        Filter::Not(part) => json!(["not", tree(part, inside)]),
        Filter::Compare { path, op, value } => json!([op.as_str(), name(path), value]),
        Filter::Present(path) => json!(["pr", name(path)]),
        Filter::ValuePath { path, filter } => json!(["[]", path.to_string(), tree(filter, true)]),
    }
}

/// Trees that differ only by how they are grouped, and by the part that a bare name stands for, become equal.
fn normal(tree: Value) -> Value {
    let Value::Array(parts) = tree else { return tree };
    let mut parts: Vec<Value> = parts.into_iter().map(normal).collect();
    let op = parts.first().and_then(Value::as_str).unwrap_or_default().to_owned();
    match op.as_str() {
        "and" | "or" => {
            let inner = parts.split_off(1).into_iter();
            parts.extend(inner.flat_map(|part| match part {
                Value::Array(mut same) if same.first() == Some(&json!(op)) => same.split_off(1),
                other => vec![other],
            }));
        }
        "[]" | "not" | "pr" => {}
        _ => {
            if let Some(path) = parts.get_mut(1).filter(|path| [json!("emails"), json!("groups")].contains(path)) {
                *path = format!("{}.value", path.as_str().unwrap_or_default()).into();
            }
        }
    }
    parts.into()
}

/// The same filter for a tool that knows no schema: what is compared without regard to case is folded, and `ne` says
/// aloud that it holds where there is no value.
fn plain(filter: &Filter, rt: &ResourceType) -> Filter {
    let all = |parts: &[Filter]| parts.iter().map(|part| plain(part, rt)).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(plain(part, rt))),
        Filter::Compare { path, op, value } => {
            let compare = Filter::Compare { path: path.clone(), op: *op, value: folded(rt, path, value) };
            if *op == CompareOp::Ne {
                let missing = Filter::Not(Box::new(Filter::Present(path.clone())));
                return Filter::Or(vec![missing, compare]);
            }
            compare
        }
        Filter::Present(path) => Filter::Present(path.clone()),
        Filter::ValuePath { path, filter } => {
            Filter::ValuePath { path: path.clone(), filter: Box::new(plain(filter, rt)) }
        }
    }
}

/// A value of an attribute with everything folded that is compared so.
fn folded(rt: &ResourceType, path: &AttributePath, value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let exact = rt.attribute(path).is_none_or(|attribute| attribute.case_exact);
            Value::String(if exact { text.clone() } else { fold(text) })
        }
        Value::Array(items) => items.iter().map(|item| folded(rt, path, item)).collect(),
        Value::Object(parts) if rt.extension(&path.attribute).is_some() => {
            let part = |name: &str| AttributePath::extension(&path.attribute, name);
            parts.iter().map(|(name, value)| (name.clone(), folded(rt, &part(name), value))).collect()
        }
        Value::Object(parts) => {
            parts.iter().map(|(name, value)| (name.clone(), folded(rt, &path.clone().sub(name), value))).collect()
        }
        other => other.clone(),
    }
}

/// The answers of a tool to all lines, one process for all.
fn ask(program: &Path, arguments: &[OsString], lines: &[Value]) -> anyhow::Result<Vec<Value>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut input = child.stdin.take().context("no standard input")?;
    let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{} ended with {}", program.display(), output.status);
    writer.join().map_err(|_| anyhow::anyhow!("writing panicked"))??;
    let answers: Vec<Value> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(answers.len() + 1 == lines.len(), "{} answers to {} lines", answers.len(), lines.len());
    Ok(answers)
}

/// Which reasons are known to be needed.
#[derive(Default)]
struct Deviations(BTreeMap<&'static str, bool>);

impl Deviations {
    /// True if the tool need not agree; notes whether it did.
    fn excuse<T: ?Sized + 'static>(&mut self, known: Excuses<T>, asked: &T, agrees: bool) -> bool {
        let mut excused = false;
        for (reason, _) in known.iter().filter(|(_, holds)| holds(asked)) {
            *self.0.entry(reason).or_default() |= !agrees;
            excused = true;
        }
        excused
    }
}

#[tokio::test]
#[ignore = "needs the packages that tests/conformance/run installs"]
async fn third_parties_read_filters_as_we_do() -> anyhow::Result<()> {
    let tools = PathBuf::from(std::env::var_os("ROLLCALL_CONFORMANCE_TOOLS").context("use tests/conformance/run")?);
    let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/filters");
    let f = Fixture::new().await?;
    let mut dice = Dice(7_644);
    let words: Vec<String> = words().into_iter().filter(|word| word.len() < 100).collect();
    let mut ids: Vec<String> = Vec::new();
    for number in 0..USERS {
        f.clock.advance(STEP);
        ids.push(f.user(random_user(&mut dice, &words, &ids, number)).await?.id.to_string());
    }
    let members: Vec<&str> = (0..9).map(|_| dice.word(&ids)).collect();
    ids.push(f.group("g", &members).await?.id.to_string());
    let rt = builtin::user_type();
    let view = UserView { groups: true, projection: false, source: None };
    let everybody = UserQuery { matching: None, start_index: 1, count: 1_000, view };
    let everybody = f.store.list_users(f.tenant, &everybody).await?.items;
    let shown: Vec<Value> = everybody.iter().map(|user| shown_user(&rt, user)).collect();

    let mut filters = Vec::new();
    for round in 0..FILTERS {
        let leaf = &mut |dice: &mut Dice| user_leaf(dice, &words, &ids);
        let text = if round % 2 == 0 { random_filter(&mut dice, leaf) } else { flat_filter(&mut dice, leaf) };
        let filter = Filter::parse(&text, &rt, &Profile::strict())?;
        filters.push((text, filter));
    }
    let fold_all = |user: &Value| -> Map<String, Value> {
        let parts = user.as_object().into_iter().flatten();
        parts.map(|(name, value)| (name.clone(), folded(&rt, &AttributePath::core(name), value))).collect()
    };
    let mut lines = vec![json!({ "resources": shown.iter().map(fold_all).collect::<Vec<_>>() })];
    lines.extend(filters.iter().map(|(text, filter)| {
        let plain = plain(filter, &rt).to_string();
        let plain = (!NPM_PARSING.iter().any(|(_, holds)| holds(&plain))).then_some(plain);
        json!({ "filter": text, "plain": plain })
    }));
    let npm =
        ask(&tools.join("venv/bin/node"), &[drivers.join("parse_filter.cjs").into(), tools.clone().into()], &lines)?;
    let pypi = ask(&tools.join("venv/bin/python"), &[drivers.join("filter_parser.py").into()], &lines)?;

    let (mut deviations, mut judged, mut found) = (Deviations::default(), 0, 0);
    for (((text, filter), npm), pypi) in filters.iter().zip(&npm).zip(&pypi) {
        let ours = tree(filter, false);
        for (tool, answer, known) in [("npm", npm, NPM_PARSING), ("PyPI", pypi, PYPI_PARSING)] {
            let theirs = normal(answer["tree"].clone());
            let excused = deviations.excuse(known, text.as_str(), theirs == ours);
            assert!(excused || theirs == ours, "{tool}: {text}\nours:   {ours}\ntheirs: {answer}");
        }

        let judge = |user: &StoredUser| filter.matches(&rt, &shown_user(&rt, user));
        let memory: Vec<bool> = everybody.iter().map(judge).collect();
        let matching = Some(Matching { filter, judge: &judge });
        let query = UserQuery { matching, start_index: 1, count: 1_000, view: UserView::default() };
        let listed: Vec<_> = f.store.list_users(f.tenant, &query).await?.items.iter().map(|user| user.id).collect();
        let sql: Vec<bool> = everybody.iter().map(|user| listed.contains(&user.id)).collect();
        assert_eq!(sql, memory, "{text}");
        let Some(theirs) = npm["matches"].as_array() else { continue };
        let agrees = *theirs == memory.iter().map(|holds| Value::from(*holds)).collect::<Vec<_>>();
        let excused = deviations.excuse(NPM_JUDGING, filter, agrees);
        assert!(excused || agrees, "{text}\nours:   {memory:?}\ntheirs: {theirs:?}");
        judged += usize::from(!excused);
        found += if excused { 0 } else { memory.iter().filter(|holds| **holds).count() };
    }
    assert!(judged > FILTERS / 3 && found > FILTERS, "filters that find nobody prove nothing: {judged}, {found}");
    let known = NPM_PARSING.iter().chain(PYPI_PARSING).map(|(reason, _)| *reason);
    for reason in known.chain(NPM_JUDGING.iter().map(|(reason, _)| *reason)) {
        assert_eq!(deviations.0.get(reason), Some(&true), "the tool is right, take the excuse out: {reason}");
    }
    println!("{FILTERS} filters read alike, {judged} of them judged alike");
    Ok(())
}
