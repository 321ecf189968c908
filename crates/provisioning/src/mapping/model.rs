//! The rules of a mapping, and the words that a document uses for them.

use super::expression::Expression;
use crate::connector::AttributeSpec;
use crate::org_unit::OrgName;

/// Who decides a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Owner {
    /// The source: the value is kept as the rule says.
    #[default]
    Source,
    /// The target: it is never written.
    Target,
    /// The source once, when the account is created, and the target from then on.
    Once,
}

/// What a value means that is absent, `null` or blank.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Blank {
    /// Nothing: what the target has is left as it is.
    #[default]
    Leave,
    /// That the target should have none either.
    Clear,
    /// That a person has to look: what the target has is left as it is.
    Hold,
}

/// What an included person becomes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum PersonKind {
    /// An account of the person's own.
    #[default]
    Normal,
    /// An account of the organisation, with which one signs in at the organisation's identity provider.
    Sso,
    /// An account of the organisation with a password at DingTalk.
    DingTalk,
    /// An external contact.
    Contact,
}

/// What becomes of members that the target has and the group has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Extra {
    /// They stay.
    #[default]
    Tolerate,
    /// They go.
    Remove,
}

/// What is done with departments that lie deeper than the target should have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deeper {
    /// The lowest department moves up to the deepest level; those between are left out.
    #[default]
    Flatten,
    /// The deepest level and all below it become one department whose name joins theirs.
    Join,
    /// Departments below the deepest level are left out: their people belong to the one there.
    Cut,
}

/// A word of the document.
pub(super) trait Word: Sized + Copy + 'static {
    /// All words and what they mean.
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for Owner {
    const WORDS: &'static [(&'static str, Self)] =
        &[("source", Self::Source), ("target", Self::Target), ("once", Self::Once)];
}

impl Word for Blank {
    const WORDS: &'static [(&'static str, Self)] =
        &[("leave", Self::Leave), ("clear", Self::Clear), ("hold", Self::Hold)];
}

impl Word for PersonKind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("normal", Self::Normal), ("sso", Self::Sso), ("dingtalk", Self::DingTalk), ("contact", Self::Contact)];
}

impl Word for Extra {
    const WORDS: &'static [(&'static str, Self)] = &[("tolerate", Self::Tolerate), ("remove", Self::Remove)];
}

impl Word for Deeper {
    const WORDS: &'static [(&'static str, Self)] =
        &[("flatten", Self::Flatten), ("join", Self::Join), ("cut", Self::Cut)];
}

fn word<T: Word + PartialEq>(value: T) -> &'static str {
    T::WORDS.iter().find(|(_, meaning)| *meaning == value).map_or("", |(word, _)| word)
}

impl Owner {
    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        word(self)
    }
}

impl Blank {
    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        word(self)
    }
}

impl PersonKind {
    /// The word of the document, of tables and of JSON.
    pub fn as_str(self) -> &'static str {
        word(self)
    }
}

/// A rule that is looked at in turn.
#[derive(Debug)]
pub(super) struct Rule<T> {
    pub(super) name: String,
    pub(super) pointer: String,
    /// `None` is always.
    pub(super) when: Option<Expression>,
    pub(super) then: T,
}

/// The rule of one attribute.
#[derive(Debug)]
pub(super) struct AttributeRule {
    pub(super) name: String,
    pub(super) pointer: String,
    pub(super) spec: AttributeSpec,
    /// `None` if the target owns it.
    pub(super) value: Option<Expression>,
    pub(super) owner: Owner,
    pub(super) blank: Blank,
}

/// How departments come about.
#[derive(Debug)]
pub(super) struct Departments {
    pub(super) paths: Expression,
    pub(super) title: Option<Expression>,
    pub(super) order: Option<Expression>,
    pub(super) head: Option<Expression>,
    pub(super) levels: Levels,
    pub(super) special: Vec<Special>,
}

/// How deep departments may lie.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    pub(super) most: Option<usize>,
    pub(super) deeper: Deeper,
    pub(super) separator: String,
}

/// A department that is seen by fewer people, and those below it.
#[derive(Debug)]
pub(super) struct Special {
    pub(super) path: Vec<OrgName>,
    pub(super) hidden: bool,
    pub(super) restricted: bool,
}

/// What a group becomes.
#[derive(Debug)]
pub(super) struct GroupRule {
    pub(super) becomes: GroupForm,
    pub(super) nested: bool,
}

/// The form that a group takes.
#[derive(Debug)]
pub(super) enum GroupForm {
    Nothing,
    Role { called: Expression, role_group: String, extra: Extra },
    Department { path: Expression },
    Chat { called: Expression, owner: Option<Expression>, extra: Extra },
}

/// The way out of the target, in days after the person left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stages {
    /// When access ends.
    pub access_ended_after_days: u32,
    /// When the account is removed; `None` keeps it.
    pub removed_after_days: Option<u32>,
    /// When what we remember of it is erased; `None` keeps it.
    pub erased_after_days: Option<u32>,
}

impl Default for Stages {
    /// Access and account go at once, and what we remember stays until a rule says for how long.
    fn default() -> Self {
        Self { access_ended_after_days: 0, removed_after_days: Some(0), erased_after_days: None }
    }
}

/// What a rule says of leavers.
#[derive(Debug)]
pub(super) struct LeaverRule {
    pub(super) stages: Stages,
    /// Who takes over from them, as the source names people.
    pub(super) successor: Option<Expression>,
}
