//! Whether an expression speaks of things that exist. It walks the expression with the shapes of the schemas, into loops
//! too, and notes what is read on the way.

use super::error::{Flaw, Position};
use super::expression::Scope;
use super::functions::{FUNCTIONS, STANDARD};
use super::metered::children;
use super::near;
use super::shape::{Parts, Shape, Shapes};
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use rollcall_scim::schema::enterprise;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) flaws: Vec<Flaw>,
    /// SCIM paths in the order in which they are written, each once.
    pub(super) reads: Vec<String>,
}

/// Checks an expression.
pub(super) fn check(
    tree: &IdedExpr,
    scope: Scope,
    shapes: &Shapes,
    place: &dyn Fn(u64) -> Option<Position>,
) -> Checked {
    let mut walk = Walk { scope, shapes, place, loops: Vec::new(), found: Checked::default() };
    walk.visit(tree);
    walk.found
}

/// The SCIM path that a part of an expression reads, if it reads exactly one.
pub(super) fn only_read(tree: &IdedExpr, scope: Scope, shapes: &Shapes) -> Option<String> {
    let mut reads = check(tree, scope, shapes, &|_| None).reads;
    if reads.len() == 1 { reads.pop() } else { None }
}

/// What is known of a value before anything is evaluated.
#[derive(Clone, Debug)]
enum Known<'s> {
    Nothing,
    Of(&'s Shape),
    /// A list that a loop makes.
    ListOf(Box<Known<'s>>),
}

impl<'s> Known<'s> {
    fn element(&self) -> Self {
        match self {
            Self::Of(Shape::Many(shape)) => Self::Of(shape),
            Self::ListOf(element) => (**element).clone(),
            _ => Self::Nothing,
        }
    }

    const fn parts(&self) -> Option<&'s Parts> {
        match self {
            Self::Of(Shape::Parts(parts)) => Some(parts),
            _ => None,
        }
    }
}

struct Walk<'a, 's> {
    scope: Scope,
    shapes: &'s Shapes,
    place: &'a dyn Fn(u64) -> Option<Position>,
    /// The variables of the loops around, the innermost last.
    loops: Vec<(&'a str, Known<'s>)>,
    found: Checked,
}

const TYPES: [&str; 8] = ["int", "uint", "double", "string", "bool", "list", "map", "null_type"];

impl<'a, 's> Walk<'a, 's> {
    /// Visits something whose value is used; a path that ends here is read.
    fn visit(&mut self, tree: &'a IdedExpr) -> Known<'s> {
        if let Some(path) = path(&tree.expr) {
            self.read(path);
        }
        self.look(tree)
    }

    /// Looks at something without noting that it is read.
    fn look(&mut self, tree: &'a IdedExpr) -> Known<'s> {
        match &tree.expr {
            Expr::Ident(name) => self.variable(tree.id, name),
            Expr::Select(select) => {
                let operand = self.inner(&select.operand);
                self.part(tree.id, &operand, &select.field, &select.operand)
            }
            Expr::Call(call) if call.func_name == operators::INDEX => self.index(tree.id, call),
            Expr::Call(call) => self.call(tree.id, call),
            Expr::Comprehension(loops) => self.repeated(loops),
            Expr::Struct(structure) => {
                let message = format!("\"{}\" is not the name of a type.", structure.type_name);
                self.flaw(tree.id, Flaw::new(message, "Write tables as {\"key\": value}."));
                Known::Nothing
            }
            Expr::List(_) | Expr::Map(_) => {
                for child in children(tree) {
                    self.visit(child);
                }
                Known::Nothing
            }
            Expr::Literal(_) | Expr::Unspecified => Known::Nothing,
        }
    }

    /// What stands before a dot or a bracket: part of a path, unless it is something else.
    fn inner(&mut self, tree: &'a IdedExpr) -> Known<'s> {
        if path(&tree.expr).is_some() { self.look(tree) } else { self.visit(tree) }
    }

    fn flaw(&mut self, id: u64, flaw: Flaw) {
        let position = (self.place)(id);
        self.found.flaws.push(flaw.at(position));
    }

    fn variable(&mut self, id: u64, name: &str) -> Known<'s> {
        if let Some((_, known)) = self.loops.iter().rev().find(|(variable, _)| *variable == name) {
            return known.clone();
        }
        if name.starts_with('@') || TYPES.contains(&name) {
            return Known::Nothing;
        }
        let known = self.scope.variables();
        if known.contains(&name) {
            let shape = match name {
                "user" => &self.shapes.user,
                "enterprise" => &self.shapes.enterprise,
                "extensions" => &self.shapes.extensions,
                "groups" => &self.shapes.groups,
                "source" => &self.shapes.source,
                "group" => &self.shapes.group,
                _ => &self.shapes.path,
            };
            return Known::Of(shape);
        }
        let candidates = known.iter().copied().chain(self.loops.iter().map(|(variable, _)| *variable));
        let otherwise = format!("Here there are {}. Texts are written in quotes.", known.join(", "));
        let advice = near::advice(name, candidates, &otherwise);
        self.flaw(id, Flaw::new(format!("\"{name}\" is not known here."), advice).about(name));
        Known::Nothing
    }

    fn part(&mut self, id: u64, operand: &Known<'s>, name: &str, written: &IdedExpr) -> Known<'s> {
        let before = path(&written.expr).map(|path| path.written).unwrap_or_default();
        match operand {
            Known::Nothing => Known::Nothing,
            Known::Of(Shape::Parts(parts)) => {
                if let Some(shape) = parts.0.get(name) {
                    return Known::Of(shape);
                }
                let message = format!("No schema knows {before}.{name}.");
                let otherwise = match before.as_str() {
                    "extensions" => "Write the URN of a registered schema: extensions[\"urn:…\"].".to_owned(),
                    _ if parts.0.len() <= 12 => {
                        format!("There are {}.", parts.names().collect::<Vec<_>>().join(", "))
                    }
                    _ => "The attributes are listed by the SCIM endpoint /Schemas.".to_owned(),
                };
                let advice = if (before.as_str(), name) == ("user", "groups") {
                    "Use the variable groups.".to_owned()
                } else {
                    near::advice(name, parts.names(), &otherwise)
                };
                self.flaw(id, Flaw::new(message, advice).about(name));
                Known::Nothing
            }
            Known::Of(Shape::Many(_)) | Known::ListOf(_) => {
                let message = format!("{before} holds several values, so it has no part \"{name}\".");
                let advice = format!(
                    "Choose one with typed({before}, \"work\") or anyTyped({before}, \"work\"), or use all with \
                     {before}.map(x, x.{name})."
                );
                self.flaw(id, Flaw::new(message, advice).about(name));
                Known::Nothing
            }
            Known::Of(Shape::Single(_)) => {
                let message = format!("{before} is a single value without parts, so it has no \"{name}\".");
                self.flaw(id, Flaw::new(message, "Remove what comes after the dot.").about(name));
                Known::Nothing
            }
        }
    }

    fn index(&mut self, id: u64, call: &'a CallExpr) -> Known<'s> {
        let (Some(operand), Some(index)) = (call.args.first(), call.args.get(1)) else { return Known::Nothing };
        let known = self.inner(operand);
        self.visit(index);
        match (&known, text(index)) {
            (Known::Of(Shape::Parts(_)), Some(name)) => self.part(id, &known, name, operand),
            _ => known.element(),
        }
    }

    fn call(&mut self, id: u64, call: &'a CallExpr) -> Known<'s> {
        let name = call.func_name.as_str();
        let written: Vec<&'a IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        if matches!(name, operators::EQUALS | operators::NOT_EQUALS) {
            self.no_tables(&written);
        } else if !name.starts_with(['_', '!', '-', '@']) {
            self.function(id, name, &written);
        }
        if matches!(name, "typed" | "anyTyped")
            && let (Some(list), Some(kind)) = (written.first(), written.get(1))
            && let (Some(mut path), Some(kind)) = (path(&list.expr), text(kind))
        {
            path.scim = format!("{}[type eq \"{kind}\"].value", path.scim);
            self.read(path);
            self.look(list);
            return Known::Nothing;
        }
        let mut known = Known::Nothing;
        for argument in written {
            let of = self.visit(argument);
            if name == operators::CONDITIONAL {
                known = of;
            }
        }
        known
    }

    /// Nothing is equal to something that consists of parts.
    fn no_tables(&mut self, operands: &[&'a IdedExpr]) {
        for operand in operands {
            let Some(path) = path(&operand.expr) else { continue };
            let mut quiet = Walk { loops: self.loops.clone(), found: Checked::default(), ..*self };
            let Some(parts) = quiet.look(operand).parts() else { continue };
            let part = parts.names().find(|name| *name == "value").or_else(|| parts.names().next()).unwrap_or("value");
            let message = format!("{} consists of parts and is never equal to anything.", path.written);
            let advice = format!("Compare one of its parts, such as {}.{part}.", path.written);
            self.flaw(operand.id, Flaw::new(message, advice));
        }
    }

    fn function(&mut self, id: u64, name: &str, arguments: &[&'a IdedExpr]) {
        let ours = FUNCTIONS.iter().map(|function| (function.name, function.least, function.most));
        let mut all = ours.chain(STANDARD.iter().copied());
        let Some((_, least, most)) = all.find(|(known, ..)| *known == name) else {
            let names = FUNCTIONS.iter().map(|function| function.name).chain(STANDARD.iter().map(|known| known.0));
            let loops = ["all", "exists", "exists_one", "map", "filter"];
            let advice = if loops.contains(&name) {
                format!("Write it as list.{name}(x, …), with a name for the element before the comma.")
            } else if name == "has" {
                "Write it as has(user.title), with a path in the brackets.".to_owned()
            } else {
                near::advice(name, names.chain(loops), "The functions are listed in the guide to mappings.")
            };
            self.flaw(id, Flaw::new(format!("There is no function {name}(…) of this form."), advice));
            return;
        };
        if !(least..=most).contains(&arguments.len()) {
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let message = format!("{name}(…) takes {wanted} values and got {}.", arguments.len());
            self.flaw(id, Flaw::new(message, "What stands before the dot counts as the first one."));
        }
        if matches!(name, "matches" | "extract")
            && let Some(pattern) = arguments.get(1)
            && text(pattern).is_none()
        {
            let message = format!("The regular expression of {name}(…) is not written out.");
            self.flaw(pattern.id, Flaw::new(message, "Write it as a text in quotes."));
        }
    }

    fn repeated(&mut self, loops: &'a ComprehensionExpr) -> Known<'s> {
        let range = self.visit(&loops.iter_range);
        if let Known::Of(Shape::Single(_) | Shape::Parts(_)) = range {
            let message = "This is not a list, so there is nothing to go through.";
            self.flaw(loops.iter_range.id, Flaw::new(message, "Go through a list such as user.emails or groups."));
        }
        self.loops.push((&loops.iter_var, range.element()));
        self.visit(&loops.accu_init);
        self.visit(&loops.loop_cond);
        let made = self.collected(loops);
        self.visit(&loops.loop_step);
        self.visit(&loops.result);
        self.loops.pop();
        made
    }

    /// What the elements of a list are that `map` or `filter` makes.
    fn collected(&mut self, loops: &'a ComprehensionExpr) -> Known<'s> {
        let mut step = &loops.loop_step.expr;
        if let Expr::Call(call) = step
            && call.func_name == operators::CONDITIONAL
            && let Some(taken) = call.args.get(1)
        {
            step = &taken.expr;
        }
        let Expr::Call(call) = step else { return Known::Nothing };
        let Some(Expr::List(list)) = call.args.get(1).map(|argument| &argument.expr) else { return Known::Nothing };
        let Some(element) = list.elements.first().filter(|_| call.func_name == operators::ADD) else {
            return Known::Nothing;
        };
        let mut quiet = Walk { loops: self.loops.clone(), found: Checked::default(), ..*self };
        Known::ListOf(Box::new(quiet.look(element)))
    }

    /// Notes a path, unless it begins with the variable of a loop: then its list was noted.
    fn read(&mut self, path: Path) {
        let known = self.scope.variables().contains(&path.root.as_str());
        let looped = self.loops.iter().any(|(variable, _)| *variable == path.root);
        if known && !looped && path.root != "path" && !self.found.reads.contains(&path.scim) {
            self.found.reads.push(path.scim);
        }
    }
}

/// A variable and what is chosen from it.
struct Path {
    root: String,
    /// As it is written in the expression.
    written: String,
    /// As SCIM writes it.
    scim: String,
}

fn path(tree: &Expr) -> Option<Path> {
    match tree {
        Expr::Ident(name) => {
            let scim = match name.as_str() {
                "user" | "group" | "extensions" => String::new(),
                "enterprise" => enterprise::URN.to_owned(),
                other => other.to_owned(),
            };
            Some(Path { root: name.clone(), written: name.clone(), scim })
        }
        Expr::Select(select) => {
            let path = path(&select.operand.expr)?;
            let written = format!("{}.{}", path.written, select.field);
            Some(Path { scim: longer(&path, &select.field), written, root: path.root })
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let path = path(&call.args.first()?.expr)?;
            let index = call.args.get(1)?;
            match (text(index), &index.expr) {
                (Some(name), _) => {
                    let written = format!("{}[\"{name}\"]", path.written);
                    Some(Path { scim: longer(&path, name), written, root: path.root })
                }
                (None, Expr::Literal(LiteralValue::Int(place))) => {
                    let written = format!("{}[{}]", path.written, place.inner());
                    Some(Path { written, ..path })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn longer(path: &Path, name: &str) -> String {
    let separator = match () {
        () if path.scim.is_empty() => "",
        // An attribute follows its schema after a colon.
        () if path.written == "enterprise" || (path.root == "extensions" && !path.written.contains("].")) => ":",
        () => ".",
    };
    format!("{}{separator}{name}", path.scim)
}

fn text(tree: &IdedExpr) -> Option<&str> {
    match &tree.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
