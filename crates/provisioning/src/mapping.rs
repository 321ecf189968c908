//! From people and groups of the directory to what a target should have.
//!
//! A tenant's mapping is one document of rules; [`Mapping::default_document`] counts while there is none. The document is
//! compiled once ([`Mapping::compile`]) against the tenant's schemas and what the target allows, so that a rule that
//! speaks of an attribute nobody knows is refused when it is written, with its place. A compiled mapping never changes
//! and is shared by all who use it.
//!
//! | section | decides |
//! |---|---|
//! | `scope` | who is projected: the first rule that matches; without one a person is in |
//! | `kinds` | as what: `normal`, `sso`, `dingtalk` or `contact`; the first rule that matches; without one `normal` |
//! | `account`, `contact` | the attributes of accounts and of external contacts: value, owner, what blank means |
//! | `userid` | the remote id of a new account |
//! | `departments` | the places of a person, how deep they may lie, and which are hidden or restricted |
//! | `groups`, `groups_by_hand` | what a group becomes: `role`, `department`, `chat` or `nothing` |
//! | `leavers` | the days between leaving and removal |
//! | `examples` | people with what is expected of them, see [`Mapping::test`] |
//! | `registered_abroad` | whether the organisation is registered outside the mainland, for telephone numbers |
//!
//! Of `account`, `userid` and `departments`, a section that the document does not have is that of the default one.
//!
//! Expressions are CEL. They see `user` (the resource, completed: what the schema knows is always there, `null` or an
//! empty list if it has no value), `enterprise`, `extensions["urn:…"]`, `groups` and `source`; rules for departments see
//! the `path` too; rules for groups see `group` and `source`. The functions are listed in [`functions`].
//!
//! What a target does not allow becomes a [`Finding`](crate::finding::Finding) that names the SCIM path and the attribute;
//! an optional attribute with a finding is left alone and the person is projected without it, so that a title that is too
//! long does not cost a joiner their account.

mod accept;
mod attributes;
mod check;
mod compare;
mod completed;
mod document;
mod error;
mod examples;
mod expression;
mod facts;
mod failure;
pub mod functions;
mod group_rules;
mod groups;
mod inputs;
mod metered;
mod model;
mod near;
mod origin;
mod person;
mod place;
mod preview;
mod reader;
mod shape;
mod trace;

pub use compare::{RuleChange, compare};
pub use document::{MOST_BYTES, MOST_EXAMPLES, MOST_RULES};
pub use error::{MappingError, Position};
pub use examples::{Difference, ExampleResult};
pub use expression::{MOST_CHARS, MOST_DEPTH, MOST_SIGNS};
pub use facts::{GroupFacts, Person, SourceFacts};
pub use groups::{Becomes, MappedGroup};
pub use model::{Blank, Deeper, Extra, Owner, PersonKind, Stages};
pub use origin::source_path;
pub use person::{Decision, Mapped, Reference, Verdict};
pub use place::Department;
pub use preview::{Failing, Preview, Report, Sample, SampleReason};
pub use reader::MOST_NAME_CHARS;
pub use shape::Schemas;
pub use trace::{Input, Trace};

use crate::connector::TargetSchema;
use crate::entity;
use crate::finding::Finding;
use crate::org_unit::OrgName;
use accept::About;
use expression::Expression;
use inputs::Inputs;
use model::{AttributeRule, Departments, GroupRule, LeaverRule, Rule};
use rollcall_scim::schema::ResourceType;
use rollcall_scim::schema::builtin::{group_type, user_type};
use serde_json::Value;
use shape::Shapes;
use std::collections::BTreeMap;

/// A compiled mapping.
#[derive(Debug)]
pub struct Mapping {
    user_type: ResourceType,
    shapes: Shapes,
    scope: Vec<Rule<bool>>,
    kinds: Vec<Rule<PersonKind>>,
    account: Vec<AttributeRule>,
    contact: Vec<AttributeRule>,
    userid: Expression,
    departments: Departments,
    groups: Vec<Rule<GroupRule>>,
    by_hand: BTreeMap<String, Rule<GroupRule>>,
    leavers: Vec<Rule<LeaverRule>>,
    examples: Vec<examples::Example>,
}

/// The days of a leaver, and the rule that says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaving {
    /// The rule that decided; `None` if none did.
    pub rule: Option<String>,
    /// The days.
    pub stages: Stages,
    /// Who takes over from them, as the source names people. [`Reference::LeftAlone`]: the rules do not say.
    pub successor: Reference,
    /// Why no rule could be found.
    pub finding: Option<Finding>,
}

/// Whom a rule names as successor; a finding when what it gives cannot name anybody.
fn successor(rule: Option<&Expression>, inputs: &Inputs<'_>) -> (Reference, Option<Finding>) {
    let Some(expression) = rule else { return (Reference::LeftAlone, None) };
    let about = About { attribute: "successor", expression };
    match expression.value(inputs) {
        Ok(Value::Null) => (Reference::Nobody, None),
        Ok(Value::String(text)) if text.trim().is_empty() => (Reference::Nobody, None),
        Ok(Value::String(text)) => (Reference::To(text.trim().to_owned()), None),
        Ok(other) => (Reference::Nobody, Some(about.mistyped(&other, "a text that names a person"))),
        Err(failure) => (Reference::Nobody, Some(about.failed(&failure))),
    }
}

/// Who sees a department.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Visibility {
    /// Only its own people see it.
    pub hidden: bool,
    /// Its people see nothing else.
    pub restricted: bool,
}

impl Mapping {
    /// Compiles a document.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn compile(
        document: &Value,
        schemas: Schemas<'_>,
        target: &dyn TargetSchema,
    ) -> Result<Self, Vec<MappingError>> {
        document::compile(document, schemas, target)
    }

    /// The document that counts while a tenant has none of its own.
    pub fn default_document() -> Value {
        document::default_document()
    }

    /// Compiles the default document with the built-in schemas.
    ///
    /// # Errors
    /// If the target does not have an attribute that the document speaks of.
    pub fn standard(target: &dyn TargetSchema) -> Result<Self, Vec<MappingError>> {
        let schemas = Schemas { user: &user_type(), group: &group_type() };
        Self::compile(&Self::default_document(), schemas, target)
    }

    /// The stages of a person's leaving. If a rule fails, nothing is removed until a person has looked.
    pub fn leaver(&self, person: &Person<'_>) -> Leaving {
        match person::first(&self.leavers, &self.inputs(person)) {
            Ok(None) => {
                Leaving { rule: None, stages: Stages::default(), successor: Reference::LeftAlone, finding: None }
            }
            Ok(Some(rule)) => {
                let (successor, finding) = successor(rule.then.successor.as_ref(), &self.inputs(person));
                Leaving { rule: Some(rule.name.clone()), stages: rule.then.stages, successor, finding }
            }
            Err(finding) => Leaving {
                rule: None,
                stages: Stages { removed_after_days: None, erased_after_days: None, ..Stages::default() },
                successor: Reference::LeftAlone,
                finding: Some(*finding),
            },
        }
    }

    /// Whether a rule says who takes over from leavers.
    pub fn names_successors(&self) -> bool {
        self.leavers.iter().any(|rule| rule.then.successor.is_some())
    }

    /// Who sees the department at a path: what is said of it and of those above it.
    pub fn visibility(&self, path: &[OrgName]) -> Visibility {
        let mut seen = Visibility::default();
        for special in &self.departments.special {
            let above = special.path.iter().map(|unit| &unit.key);
            if path.len() >= special.path.len() && above.eq(path.iter().take(special.path.len()).map(|unit| &unit.key))
            {
                seen.hidden |= special.hidden;
                seen.restricted |= special.restricted;
            }
        }
        seen
    }

    /// Whether it says who heads departments. If not, the heads that they have are left alone.
    pub fn names_heads(&self) -> bool {
        self.departments.head.is_some()
    }

    /// Whether it says who sees departments. If not, that is left alone.
    pub fn names_visibility(&self) -> bool {
        !self.departments.special.is_empty()
    }

    /// The SCIM path that an attribute of accounts comes from, for people who read a finding.
    pub fn source_path(&self, attribute: &str) -> Option<&str> {
        if attribute == entity::ORG_UNITS {
            return self.departments.paths.source();
        }
        self.account.iter().find(|rule| rule.name == attribute)?.value.as_ref()?.source()
    }
}
