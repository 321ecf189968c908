//! What an expression may cost.
//!
//! An evaluation has a budget of [`BUDGET`] steps. Before a loop (`all`, `exists`, `exists_one`, `map`, `filter`) begins,
//! its elements times the size of its body are taken from it; lists, tables and sums take as much as they are large. So
//! no expression, however its loops are nested, runs for long or fills the memory. It is done by putting calls into the
//! tree of the expression, which the interpreter evaluates like any other.

use super::functions::{FUNCTIONS, MANY, MOST_CHARS, PHONE_ABROAD};
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, ListExpr, operators};
use cel::common::traits::Adder;
use cel::common::types::{CelInt, CelList, CelMap, CelString, DYN_TYPE, INT_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{Env, ExecutionError};
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

/// The steps of one evaluation: a step is about what it takes to look at one node.
const BUDGET: u64 = 200_000;

/// The variable that holds what is left of the budget. No expression can name it.
pub(super) const BUDGET_NAME: &str = "@budget";

/// Before the number of a pattern in the name of the variable that holds it.
pub(super) const PATTERN_PREFIX: &str = "@pattern:";

const EACH: &str = "@each";
const MADE: &str = "@made";
const SUM: &str = "@sum";

/// How much more than another node a call costs.
const CALL: u64 = 8;

static METER: Type = Type::new_unspecified_type("budget");

/// What is left of a budget.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(BUDGET))
    }

    fn take(&self, steps: u64) -> Result<(), ExecutionError> {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(steps), Ordering::Relaxed);
        if steps > left {
            return Err(ExecutionError::function_error(BUDGET_NAME, "the expression costs too much"));
        }
        Ok(())
    }
}

impl Val for Budget {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &METER
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Self(AtomicU64::new(self.0.load(Ordering::Relaxed))))
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Budget {}

/// Adds the calls that [`meter`] puts in.
pub(super) fn declare(env: &mut Env) -> Result<(), cel::DeclarationError> {
    env.add_overload(EACH, EACH, vec![DYN_TYPE, DYN_TYPE, INT_TYPE], each)?;
    env.add_overload(MADE, MADE, vec![DYN_TYPE, DYN_TYPE], made)?;
    env.add_overload(SUM, SUM, vec![DYN_TYPE, DYN_TYPE, DYN_TYPE], sum)
}

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;

fn defect() -> ExecutionError {
    ExecutionError::InternalError("the budget is missing".to_owned())
}

fn budget<'a>(arguments: &'a Arguments<'_, '_>) -> Result<&'a Budget, ExecutionError> {
    arguments.first().and_then(|argument| argument.downcast_ref::<Budget>()).ok_or_else(defect)
}

/// The range of a loop, paid for.
fn each<'b, 'v>(mut arguments: Arguments<'b, 'v>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let body = arguments.pop().and_then(|body| body.downcast_ref::<CelInt>().map(|body| *body.inner()));
    let body = body.and_then(|body| u64::try_from(body).ok()).ok_or_else(defect)?;
    let range = arguments.last().ok_or_else(defect)?;
    let elements = range.as_sizer().map_or(0, |sizer| u64::try_from(*sizer.size().inner()).unwrap_or(0));
    budget(&arguments)?.take(elements.saturating_mul(body).saturating_add(weight(&**range)))?;
    arguments.pop().ok_or_else(defect)
}

/// Something new, paid for.
fn made<'b, 'v>(mut arguments: Arguments<'b, 'v>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = arguments.last().ok_or_else(defect)?;
    budget(&arguments)?.take(weight(&**value))?;
    arguments.pop().ok_or_else(defect)
}

/// CEL's `+`.
#[expect(clippy::needless_pass_by_value, reason = "the interpreter hands arguments over by value")]
fn sum<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (Some(left), Some(right)) = (arguments.get(1), arguments.get(2)) else { return Err(defect()) };
    budget(&arguments)?.take(weight(&**left).saturating_add(weight(&**right)))?;
    let length = |value: &dyn Val| value.downcast_ref::<CelString>().map_or(0, |text| text.inner().len());
    if length(&**left) + length(&**right) > MOST_CHARS * 4 {
        let problem = format!("the text becomes longer than {MOST_CHARS} characters");
        return Err(ExecutionError::function_error("+", problem));
    }
    let types = || vec![left.get_type().name().to_owned(), right.get_type().name().to_owned()];
    let adder: &(dyn Adder + 'v) =
        left.as_adder().ok_or_else(|| ExecutionError::no_such_overload(operators::ADD, types()))?;
    let sum = adder.add(&**right).map_err(|error| match error {
        ExecutionError::UnsupportedBinaryOperator(..) => ExecutionError::no_such_overload(operators::ADD, types()),
        other => other,
    })?;
    Ok(CowVal::Owned(sum.into_owned()))
}

/// How large a value is.
fn weight(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return 1 + u64::try_from(text.inner().len() / 64).unwrap_or(u64::MAX);
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list.inner().iter().map(|element| weight(&**element)).sum::<u64>() + 1;
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        return map.inner().values().map(|element| weight(&**element) + 1).sum::<u64>() + 1;
    }
    1
}

/// What [`meter`] has to know beside the tree.
pub(super) struct Options {
    /// Whether the organisation is registered outside the mainland.
    pub(super) registered_abroad: bool,
}

/// Puts into the tree what costs are taken by, gives functions of any number of arguments a list of them, and puts a
/// variable in the place of each pattern, which is returned by its number.
pub(super) fn meter(tree: &mut IdedExpr, options: &Options) -> Vec<String> {
    let mut patterns = Vec::new();
    walk(tree, options, &mut patterns);
    patterns
}

fn walk(tree: &mut IdedExpr, options: &Options, patterns: &mut Vec<String>) {
    match &mut tree.expr {
        Expr::Call(call) => {
            let ours = call_arguments(call, options, patterns);
            let sum = call.func_name == operators::ADD && call.args.len() == 2;
            if sum && !ours {
                SUM.clone_into(&mut call.func_name);
                call.args.insert(0, variable(BUDGET_NAME));
            }
        }
        Expr::Comprehension(loops) => {
            walk(&mut loops.iter_range, options, patterns);
            let body = [&loops.loop_cond, &loops.loop_step].into_iter().map(nodes).sum::<u64>();
            for part in [&mut loops.accu_init, &mut loops.loop_cond, &mut loops.result] {
                // What a macro makes of itself costs nothing worth counting.
                if !matches!(part.expr, Expr::List(_)) {
                    walk(part, options, patterns);
                }
            }
            walk(&mut loops.loop_step, options, patterns);
            let range = std::mem::take(&mut loops.iter_range);
            let body = i64::try_from(body).unwrap_or(i64::MAX);
            let count =
                IdedExpr { id: 0, expr: Expr::Literal(cel::common::ast::LiteralValue::Int(CelInt::from(body))) };
            loops.iter_range = call(EACH, range.id, vec![variable(BUDGET_NAME), range, count]);
        }
        Expr::List(list) => {
            for element in &mut list.elements {
                walk(element, options, patterns);
            }
            paid(tree);
        }
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    walk(&mut entry.key, options, patterns);
                    walk(&mut entry.value, options, patterns);
                }
            }
            paid(tree);
        }
        Expr::Select(select) => walk(&mut select.operand, options, patterns),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

/// Walks into a call. Returns whether it is the step of a loop that collects, `@result + [element]`, which the
/// interpreter knows by its form and does without copying.
fn call_arguments(called: &mut CallExpr, options: &Options, patterns: &mut Vec<String>) -> bool {
    if let Some(target) = &mut called.target {
        walk(target, options, patterns);
    }
    let collects = called.func_name == operators::ADD
        && matches!(called.args.first().map(|first| &first.expr), Some(Expr::Ident(name)) if name.starts_with('@'));
    for argument in &mut called.args {
        match &mut argument.expr {
            Expr::List(list) if collects => {
                for element in &mut list.elements {
                    walk(element, options, patterns);
                }
            }
            _ => walk(argument, options, patterns),
        }
    }
    if called.func_name == "dingTalkPhone" && options.registered_abroad {
        PHONE_ABROAD.clone_into(&mut called.func_name);
    }
    if matches!(called.func_name.as_str(), "matches" | "extract")
        && let Some(argument) = called.args.last_mut()
        && let Expr::Literal(cel::common::ast::LiteralValue::String(pattern)) = &argument.expr
    {
        let name = format!("{PATTERN_PREFIX}{}", patterns.len());
        patterns.push(pattern.inner().to_owned());
        argument.expr = Expr::Ident(name);
    }
    if FUNCTIONS.iter().any(|function| function.most == MANY && function.name == called.func_name) {
        let elements: Vec<IdedExpr> =
            called.target.take().map(|target| *target).into_iter().chain(std::mem::take(&mut called.args)).collect();
        called.args.push(IdedExpr { id: 0, expr: Expr::List(ListExpr::new(elements)) });
    }
    collects
}

fn variable(name: &str) -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Ident(name.to_owned()) }
}

fn call(name: &str, id: u64, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr { id, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) }
}

fn paid(tree: &mut IdedExpr) {
    let inner = std::mem::take(tree);
    *tree = call(MADE, inner.id, vec![variable(BUDGET_NAME), inner]);
}

/// How many nodes there are, calls counted for several.
fn nodes(tree: &IdedExpr) -> u64 {
    let below: u64 = children(tree).into_iter().map(nodes).sum();
    below + if matches!(tree.expr, Expr::Call(_)) { CALL } else { 1 }
}

/// The nodes directly under one.
pub(super) fn children(tree: &IdedExpr) -> Vec<&IdedExpr> {
    match &tree.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(loops) => {
            vec![&loops.iter_range, &loops.accu_init, &loops.loop_cond, &loops.loop_step, &loops.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })
            .collect(),
        Expr::Struct(structure) => structure
            .entries
            .iter()
            .flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}
