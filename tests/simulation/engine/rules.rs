//! A version of the tenant's mapping: as a document for the product, and in plain code for the oracle.

use rollcall_provisioning::mapping::Mapping;
use serde_json::{Value, json};

use super::directory::Person;
use super::random::Random;
use super::script::{PLACES, Type};

/// Into which departments people belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Division, then department.
    #[default]
    Deep,
    /// Division, then department; and the project besides.
    Projects,
    /// The department alone.
    Flat,
}

/// What becomes of leavers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leavers {
    #[default]
    GoAtOnce,
    GoAfter(u32),
    Stay,
}

/// What groups become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Groups {
    #[default]
    Nothing,
    Roles,
    /// A chat stays when its group goes.
    Chats,
    /// A chat goes with its group.
    ChatsThatGo,
}

impl Groups {
    /// Whether they become chats.
    pub(crate) const fn are_chats(self) -> bool {
        matches!(self, Self::Chats | Self::ChatsThatGo)
    }

    /// Some of them, but not nothing.
    pub(crate) fn some(random: &mut Random) -> Self {
        match random.below(5) {
            0 | 1 => Self::Roles,
            2 => Self::Chats,
            _ => Self::ChatsThatGo,
        }
    }
}

/// What partners are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Partners {
    #[default]
    Members,
    /// External contacts.
    Contacts,
}

/// Whose the accounts of staff are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Logins {
    /// Their own.
    #[default]
    Normal,
    /// The organisation's; they sign in at its identity provider.
    Sso,
    /// The organisation's; they sign in at DingTalk.
    DingTalk,
}

impl Logins {
    /// The word for it.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Sso => "sso",
            Self::DingTalk => "dingtalk",
        }
    }
}

/// What the mapping says. The default is what all tenants begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Titles in capitals.
    pub(crate) capitals: bool,
    pub(crate) tree: Tree,
    /// Whoever has this title is left out.
    pub(crate) without: Option<usize>,
    pub(crate) leavers: Leavers,
    /// Whoever has the first job number heads their departments.
    pub(crate) heads: bool,
    /// The project is kept in a field that the organisation made itself.
    pub(crate) field: bool,
    pub(crate) groups: Groups,
    pub(crate) partners: Partners,
    pub(crate) logins: Logins,
}

impl Rules {
    /// Some rules.
    pub(crate) fn some(random: &mut Random) -> Self {
        let tree = match random.below(10) {
            0..=2 => Tree::Projects,
            3..=4 => Tree::Flat,
            _ => Tree::Deep,
        };
        let leavers = match random.below(5) {
            0 => Leavers::GoAfter(1),
            1 => Leavers::GoAfter(3),
            2 => Leavers::Stay,
            _ => Leavers::GoAtOnce,
        };
        Self {
            capitals: random.chance(30),
            tree,
            without: random.chance(30).then(|| random.below(3)),
            leavers,
            heads: random.chance(40),
            field: random.chance(40),
            groups: if random.chance(70) { Groups::some(random) } else { Groups::Nothing },
            partners: if random.chance(70) { Partners::Contacts } else { Partners::Members },
            logins: match random.below(10) {
                0..=3 => Logins::Normal,
                4..=7 => Logins::Sso,
                _ => Logins::DingTalk,
            },
        }
    }

    /// The document.
    pub(crate) fn document(&self) -> Value {
        let mut document = Mapping::default_document();
        let Some(sections) = document.as_object_mut() else { return document };
        if let Some(account) = sections.get_mut("account").and_then(Value::as_object_mut) {
            if self.capitals {
                account.insert("title".to_owned(), json!({ "value": "upper(user.title)", "blank": "clear" }));
            }
            if self.logins == Logins::DingTalk {
                account.insert("login_id".to_owned(), json!({ "value": "\"login-\" + user.id", "blank": "hold" }));
            }
            if self.field {
                let rule = json!({ "value": "enterprise.costCenter", "blank": "clear" });
                account.insert("extension.project".to_owned(), rule);
            }
        }
        let mut kinds =
            vec![json!({ "name": "staff", "when": "user.userType == \"Staff\"", "kind": self.logins.kind() })];
        if self.partners == Partners::Contacts {
            kinds.push(json!({ "name": "partners", "when": "user.userType == \"Partner\"", "kind": "contact" }));
            let title = if self.capitals { "upper(user.title)" } else { "user.title" };
            let contact = json!({
                "name": { "value": "user.displayName" },
                "mobile": { "value": "dingTalkPhone(typed(user.phoneNumbers, \"mobile\"))" },
                "title": { "value": title, "blank": "clear" },
            });
            sections.insert("contact".to_owned(), contact);
        }
        sections.insert("kinds".to_owned(), Value::Array(kinds));
        let paths = match self.tree {
            Tree::Deep => "[enterprise.division, enterprise.department]",
            Tree::Flat => "[enterprise.department]",
            Tree::Projects => {
                "isNullOrEmpty(enterprise.costCenter) ? [[enterprise.division, enterprise.department]] : \
                 [[enterprise.division, enterprise.department], [\"Projects\", enterprise.costCenter]]"
            }
        };
        let mut departments = json!({ "paths": paths });
        if self.heads
            && let Some(departments) = departments.as_object_mut()
        {
            departments.insert("head".to_owned(), json!("enterprise.employeeNumber == \"J0\""));
        }
        sections.insert("departments".to_owned(), departments);
        if let Some(title) = self.without {
            let when = format!("user.title == \"Title {title}\"");
            sections.insert("scope".to_owned(), json!([{ "name": "not these", "when": when, "include": false }]));
        }
        let groups = match self.groups {
            Groups::Nothing => None,
            Groups::Roles => Some(json!({ "name": "all", "when": "true", "becomes": "role" })),
            Groups::Chats => Some(json!({ "name": "all", "when": "true", "becomes": "chat" })),
            Groups::ChatsThatGo => Some(json!({ "name": "all", "when": "true", "becomes": "chat", "gone": "remove" })),
        };
        if let Some(groups) = groups {
            sections.insert("groups".to_owned(), json!([groups]));
        }
        let stages = match self.leavers {
            Leavers::GoAtOnce => None,
            Leavers::GoAfter(days) => Some(json!({ "name": "all", "removed_after_days": days })),
            Leavers::Stay => Some(json!({ "name": "all", "removed_after_days": "never" })),
        };
        if let Some(stages) = stages {
            sections.insert("leavers".to_owned(), json!([stages]));
        }
        document
    }

    /// Whether somebody is to be at DingTalk, as whatever.
    pub(crate) fn includes(&self, person: &Person) -> bool {
        let title = self.without.map(|number| format!("Title {number}"));
        person.is_present() && (title.is_none() || title != person.title)
    }

    /// Whether somebody is to be an external contact, if anything.
    pub(crate) const fn is_contact(&self, person: &Person) -> bool {
        matches!((self.partners, person.user_type), (Partners::Contacts, Type::Partner))
    }

    /// Whose somebody's account is to be, if they have one.
    pub(crate) const fn login(&self, person: &Person) -> Logins {
        if matches!(person.user_type, Type::Staff) { self.logins } else { Logins::Normal }
    }

    /// The title that somebody's account is to have.
    pub(crate) fn title(&self, person: &Person) -> Option<String> {
        let title = person.title.clone()?;
        Some(if self.capitals { title.to_uppercase() } else { title })
    }

    /// The names from the top to each department in which somebody belongs; none is the root.
    pub(crate) fn paths(&self, person: &Person) -> Vec<Vec<String>> {
        let (division, department) = PLACES.get(person.place).copied().unwrap_or_default();
        let division = division.filter(|_| self.tree != Tree::Flat);
        let mut paths = vec![division.into_iter().chain(department).map(str::to_owned).collect()];
        if let (Tree::Projects, Some(project)) = (self.tree, &person.project) {
            paths.push(vec!["Projects".to_owned(), project.clone()]);
            // The root is for those who belong nowhere else.
            paths.retain(|path: &Vec<String>| !path.is_empty());
        }
        paths
    }

    /// Whether somebody heads their departments.
    pub(crate) fn is_head(&self, person: &Person) -> bool {
        self.heads && person.job_number.as_deref() == Some("J0")
    }
}
