//! A resource as expressions see it: completed by its schema, so that every attribute the schema knows is there. It is
//! completed where an expression looks and nowhere else, and nothing is copied.

use super::shape::{Parts, Shape};
use cel::ExecutionError;
use cel::common::traits::{Container, Indexer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, Type};
use cel::common::value::{CowVal, Val};
use serde_json::{Map, Value};

static PARTS: Type = Type::new_unspecified_type("parts");

/// Something with named parts, of which `given` holds those that have a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completed<'v> {
    pub(super) given: Option<&'v Map<String, Value>>,
    pub(super) parts: &'v Parts,
    /// Read-only values that are not among the given ones.
    pub(super) id: Option<&'v str>,
}

impl<'v> Completed<'v> {
    fn part(&self, name: &str) -> Option<Box<dyn Val + 'v>> {
        let shape = self.parts.0.get(name)?;
        match self.id.filter(|_| name == "id") {
            Some(id) => Some(Box::new(CelString::from(id))),
            None => Some(complete(self.given.and_then(|given| given.get(name)), shape)),
        }
    }
}

/// A value, completed by its shape. What has another form than its schema says counts as absent.
pub(super) fn complete<'v>(value: Option<&'v Value>, shape: &'v Shape) -> Box<dyn Val + 'v> {
    match shape {
        Shape::Single(_) => single(value),
        Shape::Parts(parts) => Box::new(Completed { given: value.and_then(Value::as_object), parts, id: None }),
        Shape::Many(shape) => {
            let elements = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            Box::new(CelList::from(elements.iter().map(|value| complete(Some(value), shape)).collect::<Vec<_>>()))
        }
    }
}

fn single<'v>(value: Option<&'v Value>) -> Box<dyn Val + 'v> {
    match value {
        Some(Value::String(text)) => Box::new(CelString::from(text.as_str())),
        Some(Value::Bool(flag)) => Box::new(CelBool::from(*flag)),
        Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Box::new(CelInt::from(whole)),
            (None, Some(other)) => Box::new(CelDouble::from(other)),
            (None, None) => Box::new(CelNull),
        },
        _ => Box::new(CelNull),
    }
}

fn name(key: &dyn Val) -> Result<&str, ExecutionError> {
    let unexpected =
        || ExecutionError::UnexpectedType { got: key.get_type().name().to_owned(), want: "string".to_owned() };
    key.downcast_ref::<CelString>().map(CelString::inner).ok_or_else(unexpected)
}

impl Val for Completed<'_> {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &PARTS
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(*self)
    }
}

impl Container for Completed<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.parts.0.contains_key(name(key)?))
    }
}

impl Indexer for Completed<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = name(key)?;
        self.part(name).map(CowVal::Owned).ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = name(key)?;
        self.part(name).map(|part| part as Box<dyn Val + 'w>).ok_or_else(|| ExecutionError::no_such_key(name))
    }
}
