//! One expression: compiled once, evaluated for many people.
//!
//! The language is CEL (the Common Expression Language) as the crate `cel` implements it, with the functions of
//! [`super::functions`]. Limits: [`MOST_CHARS`] characters, [`MOST_SIGNS`] operators and brackets, [`MOST_DEPTH`] levels of
//! nesting; what an evaluation costs is bounded by [`super::metered`].

use super::check;
use super::error::{Flaw, Position};
use super::failure::{self, Failure};
use super::functions::{self, Pattern};
use super::inputs::{Bound, Inputs};
use super::metered::{self, Budget, Options, children};
use super::shape::Shapes;
use cel::common::ast::{Expr, IdedExpr, SourceInfo, operators};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, CelUInt};
use cel::common::value::Val;
use cel::parser::ParseErrors;
use cel::{Context, Env};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// The most characters of an expression.
pub const MOST_CHARS: usize = 10_000;

/// The most operators, brackets and dots of an expression.
pub const MOST_SIGNS: usize = 1_000;

/// The most levels of operators and calls within each other.
pub const MOST_DEPTH: usize = 24;

/// The parser needs much room for deep expressions, more than a thread of a server has.
const PARSER_STACK: usize = 256 << 20;

/// The interpreter with its functions; `None` if they contradict each other, which a test rules out.
static ENV: LazyLock<Option<Arc<Env>>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    functions::declare(&mut env).ok()?;
    metered::declare(&mut env).ok()?;
    Some(Arc::new(env))
});

/// The variables that an expression can use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// `user`, `enterprise`, `extensions`, `groups` and `source`.
    Person,
    /// Those, and the `path` of a department.
    Place,
    /// `group` and `source`.
    Group,
}

impl Scope {
    pub(super) const fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Person => &["user", "enterprise", "extensions", "groups", "source"],
            Self::Place => &["user", "enterprise", "extensions", "groups", "source", "path"],
            Self::Group => &["group", "source"],
        }
    }
}

/// An expression that fits the schemas.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) text: String,
    /// What it reads, as SCIM paths.
    pub(super) reads: Vec<String>,
    /// If it is a list that is written out: what each of its elements reads, if that is one thing.
    pub(super) sources: Vec<Option<String>>,
    tree: IdedExpr,
    places: SourceInfo,
    patterns: Vec<Pattern>,
}

impl Expression {
    /// Compiles a text. All that is wrong is returned, not only the first.
    pub(super) fn compile(text: &str, scope: Scope, shapes: &Shapes, options: &Options) -> Result<Self, Vec<Flaw>> {
        limits(text).map_err(|flaw| vec![flaw])?;
        let (mut tree, places) = parse(text)?;
        let place = |id: u64| places.offset_for(id).map(|(start, _)| Position::of(text, start as usize));
        let checked = check::check(&tree, scope, shapes, &place);
        let sources = match &tree.expr {
            Expr::List(list) => list.elements.iter().map(|element| check::only_read(element, scope, shapes)).collect(),
            _ => Vec::new(),
        };
        let mut flaws = checked.flaws;
        let mut patterns = Vec::new();
        for pattern in metered::meter(&mut tree, options) {
            match Pattern::new(&pattern) {
                Ok(pattern) => patterns.push(pattern),
                Err(problem) => flaws.push(Flaw::new(
                    format!("The regular expression \"{}\" cannot be used: {problem}.", short(&pattern)),
                    "Correct it; look-around and back-references are not supported.",
                )),
            }
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        Ok(Self { text: text.to_owned(), reads: checked.reads, sources, tree, places, patterns })
    }

    /// Evaluates it.
    pub(super) fn value(&self, inputs: &Inputs<'_>) -> Result<Value, Failure> {
        let bound = Bound { inputs, patterns: &self.patterns, budget: Budget::new() };
        let Some(env) = ENV.as_ref() else { return Err(Failure::defect()) };
        let mut context = Context::with_env(Arc::clone(env));
        context.set_variable_resolver(&bound);
        let result = cel::Value::resolve_val(&self.tree, &context);
        match result {
            Ok(value) => plain(&*value).map_err(|problem| self.failure(failure::result(problem), None)),
            Err(error) => {
                let place = failing(&self.tree, &context).and_then(|id| self.places.offset_for(id));
                Err(self.failure(failure::explain(&error), place.map(|(start, _)| start as usize)))
            }
        }
    }

    /// Evaluates a condition. Absence is no.
    pub(super) fn truth(&self, inputs: &Inputs<'_>) -> Result<bool, Failure> {
        match self.value(inputs)? {
            Value::Bool(truth) => Ok(truth),
            Value::Null => Ok(false),
            other => Err(self
                .failure(failure::result(format!("a condition must give true or false, not {}", kind(&other))), None)),
        }
    }

    fn failure(&self, failure: Failure, offset: Option<usize>) -> Failure {
        Failure { position: offset.map(|offset| Position::of(&self.text, offset)), ..failure }
    }

    /// The one thing that it reads, if it is one: what a person has to look at when the value is wrong.
    pub(super) fn source(&self) -> Option<&str> {
        self.reads.first().map(String::as_str)
    }
}

/// What a value is, for people.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn limits(text: &str) -> Result<(), Flaw> {
    let length = text.chars().count();
    if length > MOST_CHARS {
        return Err(Flaw::new(
            format!("The expression has {length} characters; {MOST_CHARS} is the most."),
            "Use several rules instead of one, or a table with switch(…).",
        ));
    }
    if text.trim().is_empty() {
        return Err(Flaw::new("The expression is empty.", "Write an expression, or leave the rule out."));
    }
    let (mut signs, mut quote, mut escaped) = (0_usize, None, false);
    for letter in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            None => signs += usize::from("+-*/%<>=!([{.?".contains(letter)),
        }
    }
    if signs > MOST_SIGNS {
        return Err(Flaw::new(
            format!("The expression has {signs} operators, brackets and dots; {MOST_SIGNS} is the most."),
            "Use several rules instead of one, or a table with switch(…).",
        ));
    }
    Ok(())
}

/// Parses on a thread with room enough. That the parser of somebody else meets a text that it does not survive costs
/// that thread, not the server.
fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), Vec<Flaw>> {
    let defect = || {
        vec![Flaw::new(
            "The expression cannot be read.",
            "Write it in another way, and tell the developers of Rollcall.",
        )]
    };
    let parser = || {
        let env = ENV.as_ref().ok_or_else(defect)?;
        let (tree, places) = env.parser().parse_with_source_info(text).map_err(|errors| syntax(text, &errors))?;
        if depth(&tree) > MOST_DEPTH {
            let flaw = Flaw::new(
                format!("Operators and calls stand within each other more than {MOST_DEPTH} levels deep."),
                "Use join([…], \"\") instead of many +, and switch(…) or several rules instead of many ? :.",
            );
            return Err(vec![flaw]);
        }
        Ok((tree, places))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, parser);
        thread.map_err(|_| defect())?.join().map_err(|_| defect())?
    })
}

fn depth(tree: &IdedExpr) -> usize {
    children(tree).into_iter().map(depth).max().unwrap_or(0) + 1
}

fn syntax(text: &str, errors: &ParseErrors) -> Vec<Flaw> {
    let flaw = |error: &cel::ParseError| {
        let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
        let message = if message.contains("Recursion limit") || message.contains("OtherError") {
            "it is nested too deeply".to_owned()
        } else {
            short(&message.replace('\'', "\""))
        };
        let (line, column) = (usize::try_from(error.pos.0).unwrap_or(0), usize::try_from(error.pos.1).unwrap_or(0));
        let position = (line > 0).then(|| Position { line, column: column + 1 });
        Flaw::new(format!("The expression cannot be read: {message}."), "Correct it at this place.").at(position)
    };
    let mut flaws: Vec<Flaw> = errors.errors.iter().take(3).map(flaw).collect();
    flaws.dedup();
    if flaws.is_empty() {
        flaws.push(Flaw::new(format!("The expression \"{}\" cannot be read.", short(text)), "Correct it."));
    }
    flaws
}

/// The innermost node that fails by itself. Only looked for after a failure.
fn failing(tree: &IdedExpr, context: &Context<'_, '_>) -> Option<u64> {
    let decides = |name: &str| [operators::CONDITIONAL, operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&name);
    let below = match &tree.expr {
        Expr::Comprehension(loops) => vec![&loops.iter_range],
        // What is not evaluated cannot be to blame.
        Expr::Call(call) if decides(&call.func_name) => {
            let fails = |part: &&IdedExpr| cel::Value::resolve_val(part, context).is_err();
            call.args.iter().find(fails).into_iter().collect()
        }
        _ => children(tree),
    };
    if cel::Value::resolve_val(tree, context).is_ok() {
        return None;
    }
    let own = (tree.id != 0).then_some(tree.id);
    below.into_iter().find_map(|part| failing(part, context)).or(own)
}

/// A value as JSON. The error says what it is instead.
fn plain(value: &dyn Val) -> Result<Value, String> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return Ok(Value::String(text.inner().to_owned()));
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    if let Some(flag) = value.downcast_ref::<CelBool>() {
        return Ok(Value::Bool(*flag.inner()));
    }
    if let Some(number) = value.downcast_ref::<CelInt>() {
        return Ok(Value::from(*number.inner()));
    }
    if let Some(number) = value.downcast_ref::<CelUInt>() {
        return Ok(Value::from(*number.inner()));
    }
    if let Some(number) = value.downcast_ref::<CelDouble>() {
        return Ok(Value::from(*number.inner()));
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list.inner().iter().map(|element| plain(&**element)).collect::<Result<Vec<_>, _>>().map(Value::Array);
    }
    Err(format!("it gives a value of type {}, which no attribute can hold", value.get_type().name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_do_not_contradict_each_other() {
        assert!(ENV.is_some());
    }
}
