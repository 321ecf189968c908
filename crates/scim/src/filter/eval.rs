//! Judging a rendered resource or one element.

use serde_json::Value;

use super::{CompareOp, Filter};
use crate::fold::fold;
use crate::path::AttributePath;
use crate::schema::{Attribute, Kind, ResourceType, sub};
use crate::value::instant;

/// What an element without a mark says.
static UNMARKED: Value = Value::Bool(false);

/// What is looked at: a whole resource, or one element inside brackets.
#[derive(Clone, Copy)]
enum Subject<'v> {
    Resource(&'v Value),
    Element(&'v Value),
}

pub(super) fn matches(filter: &Filter, rt: &ResourceType, resource: &Value) -> bool {
    judge(filter, rt, Subject::Resource(resource))
}

pub(super) fn matches_element(filter: &Filter, rt: &ResourceType, element: &Value) -> bool {
    judge(filter, rt, Subject::Element(element))
}

fn judge(filter: &Filter, rt: &ResourceType, subject: Subject<'_>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| judge(part, rt, subject)),
        Filter::Or(parts) => parts.iter().any(|part| judge(part, rt, subject)),
        Filter::Not(part) => !judge(part, rt, subject),
        Filter::Present(path) => subject.values(path).into_iter().any(has_value),
        Filter::Compare { path, op, value } => rt.attribute(path).is_some_and(|attribute| {
            let values = if is_mark(rt, path) { subject.marks(path) } else { subject.values(path) };
            let holds = |actual: &&Value| compare(attribute, *op, actual, value);
            (*op == CompareOp::Ne && values.is_empty()) || values.iter().any(holds)
        }),
        Filter::ValuePath { path, filter } => {
            subject.elements(path).into_iter().any(|element| judge(filter, rt, Subject::Element(element)))
        }
    }
}

impl<'v> Subject<'v> {
    /// All values at a path; those that are no value at all (RFC 7643 §2.5) are left out.
    fn values(self, path: &AttributePath) -> Vec<&'v Value> {
        let elements = self.elements(path);
        let Some(name) = &path.sub_attribute else {
            return elements;
        };
        elements.into_iter().filter_map(|element| element.get(name)).flat_map(each).collect()
    }

    /// Whether each element is marked as the preferred one.
    fn marks(self, path: &AttributePath) -> Vec<&'v Value> {
        let mark = |element: &'v Value| element.get(sub::PRIMARY).filter(|mark| has_value(mark)).unwrap_or(&UNMARKED);
        self.elements(path).into_iter().map(mark).collect()
    }

    /// The elements of the attribute a path starts with; a single value is its own element.
    fn elements(self, path: &AttributePath) -> Vec<&'v Value> {
        let resource = match self {
            Self::Element(element) => return each(element),
            Self::Resource(resource) => resource,
        };
        let home = match &path.schema {
            Some(urn) => resource.get(urn),
            None => Some(resource),
        };
        home.and_then(|home| home.get(&path.attribute)).map(each).unwrap_or_default()
    }
}

/// True for `primary` of a multi-valued attribute: an element without it is not the preferred one (RFC 7643 §2.4).
fn is_mark(rt: &ResourceType, path: &AttributePath) -> bool {
    path.sub_attribute.as_deref() == Some(sub::PRIMARY)
        && rt.parent(path).is_some_and(|attribute| attribute.multi_valued)
}

fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().filter(|item| has_value(item)).collect(),
        value if has_value(value) => vec![value],
        _ => Vec::new(),
    }
}

/// False for `null`, `[]`, and objects whose parts all have no value. Two levels are enough: complex attributes
/// hold no complex attributes.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(parts) => {
            parts.values().any(|part| !part.is_null() && part.as_array().is_none_or(|items| !items.is_empty()))
        }
        _ => true,
    }
}

fn compare(attribute: &Attribute, op: CompareOp, actual: &Value, literal: &Value) -> bool {
    match attribute.kind {
        Kind::Boolean => match op {
            CompareOp::Eq => actual == literal,
            CompareOp::Ne => actual != literal,
            _ => false,
        },
        Kind::Integer | Kind::Decimal => ordered(op, numbers(actual, literal)),
        Kind::DateTime => {
            let at = |value: &Value| value.as_str().and_then(instant);
            ordered(op, at(actual).zip(at(literal)).map(|(actual, literal)| actual.cmp(&literal)))
        }
        Kind::String | Kind::Reference | Kind::Binary | Kind::Complex => match (actual, literal) {
            (Value::String(actual), Value::String(literal)) if attribute.case_exact => texts(op, actual, literal),
            (Value::String(actual), Value::String(literal)) => texts(op, &fold(actual), &fold(literal)),
            _ => op == CompareOp::Ne,
        },
    }
}

fn texts(op: CompareOp, actual: &str, literal: &str) -> bool {
    match op {
        CompareOp::Co => actual.contains(literal),
        CompareOp::Sw => actual.starts_with(literal),
        CompareOp::Ew => actual.ends_with(literal),
        _ => ordered(op, Some(actual.cmp(literal))),
    }
}

fn numbers(actual: &Value, literal: &Value) -> Option<std::cmp::Ordering> {
    match (actual.as_i64(), literal.as_i64()) {
        (Some(actual), Some(literal)) => Some(actual.cmp(&literal)),
        // An integer beyond those that are kept is greater than each of them.
        (Some(_), None) if literal.is_u64() => Some(std::cmp::Ordering::Less),
        _ => actual.as_f64()?.partial_cmp(&literal.as_f64()?),
    }
}

/// What cannot be ordered differs.
fn ordered(op: CompareOp, order: Option<std::cmp::Ordering>) -> bool {
    let Some(order) = order else {
        return op == CompareOp::Ne;
    };
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}
