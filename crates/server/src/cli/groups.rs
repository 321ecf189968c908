//! The words for what groups become.

use super::ByArg;
use clap::{Args, Subcommand, ValueEnum};

/// Groups at a target.
#[derive(Args, Debug, Clone)]
pub(crate) struct GroupArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: GroupCommand,
    /// The target; may be left out when there is only one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// The tenant; may be left out when there is only one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

/// What to do with groups.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum GroupCommand {
    /// Every group: what it becomes, by which rule, who is in it, where it stands
    List,
    /// One group, and why it is what it is
    Explain {
        /// The group's displayName
        name: String,
    },
    /// Decide by hand what a group becomes, whatever the rules say
    Set(NewDecision),
    /// Leave a group to the rules again
    Unset {
        /// The group's displayName
        name: String,
        /// Who does it.
        #[command(flatten)]
        by: ByArg,
    },
}

/// What a group can become.
#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum BecomesArg {
    /// A role with its members
    Role,
    /// A group chat with its members
    Chat,
    /// A department of its members
    Department,
    /// Nothing
    Nothing,
}

/// A decision about one group.
#[derive(Args, Debug, Clone)]
pub(crate) struct NewDecision {
    /// The group's displayName
    pub(crate) name: String,
    /// What it becomes
    pub(crate) becomes: BecomesArg,
    /// How the role or chat is called; left out: as the group
    #[arg(long, value_name = "NAME")]
    pub(crate) called: Option<String>,
    /// The role group of a role
    #[arg(long, value_name = "NAME")]
    pub(crate) role_group: Option<String>,
    /// The owner of a chat, by userName; left out: a member
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// The department, such as "Clubs / Chess"
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Remove people whom the target has in it and the group has not
    #[arg(long)]
    pub(crate) remove_extra: bool,
    /// Count the members of groups within it
    #[arg(long)]
    pub(crate) nested: bool,
    /// `remove` or `keep` the role or chat when the group goes
    #[arg(long, value_name = "WORD")]
    pub(crate) gone: Option<String>,
    /// Who does it.
    #[command(flatten)]
    pub(crate) by: ByArg,
}
