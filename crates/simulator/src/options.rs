//! What a simulated organisation is like: its size limits, its apps, and the questions DingTalk's documents leave open.
//!
//! Everything that is not documented is a switch here, with the default we infer. A client that works with every
//! setting of the switches needs no luck with the real DingTalk.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How one simulator is set up. `Default` gives an ordinary organisation with one app that may do everything.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of every random choice: tokens, ids, jitter, fault probabilities. Two simulators with the same seed and
    /// the same calls give the same answers.
    pub seed: u64,
    /// Calls per second that one app may make to one API. Standard edition: 20 (page A1433).
    pub qps: usize,
    /// Calls that one IP address may make to all APIs within 20 seconds: 10,000 (page A0012).
    pub ip_budget: usize,
    /// How long an IP address stays banned once it has overrun `ip_budget`, in seconds: 300 (page A0012).
    pub ban_seconds: u64,
    /// Lifetime of an access token, in seconds: 7200 (page A0033).
    pub token_seconds: u64,
    /// How many of the newest calls `/_simulator/calls` remembers.
    pub call_log_capacity: usize,
    /// The corp id, needed by `/v1.0/oauth2/{corpId}/token`.
    pub corp_id: String,
    /// The organisation itself.
    pub organisation: Organisation,
    /// The internal apps that exist in the organisation.
    pub apps: Vec<App>,
    /// The questions that DingTalk's documents leave open.
    pub switches: Switches,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            qps: 20,
            ip_budget: 10_000,
            ban_seconds: 300,
            token_seconds: 7_200,
            call_log_capacity: 200_000,
            corp_id: "dingsimulatedcorp".to_owned(),
            organisation: Organisation::default(),
            apps: vec![App::with_everything("dingsimulatorapp", "simulator-secret")],
            switches: Switches::default(),
        }
    }
}

/// Facts about the organisation that DingTalk knows and an API caller cannot change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub struct Organisation {
    /// Name of the organisation, which is the name of department 1.
    pub name: String,
    /// Certification: 0 none, 1 advanced, 2 intermediate (page A0124).
    pub auth_level: u8,
    /// Registered outside mainland China: mainland numbers then need `+86-` (page A0055).
    pub registered_abroad: bool,
    /// The corp mailbox product is on; without it `org_email` has no effect (page A0055).
    pub corp_mailbox: bool,
    /// The organisation has bought enterprise accounts (page A0103).
    pub enterprise_accounts: bool,
    /// Enterprise accounts of other organisations whose owners let them join this one (page A0115).
    pub foreign_accounts: Vec<ForeignAccount>,
    /// Smart HR owns titles and departments: changing them through user/update gives 12150 (page A0161).
    pub hr_position_management: bool,
    /// The organisation has education pseudo-departments with negative ids (page A0161).
    pub school_departments: bool,
    /// Most people the organisation may have; beyond it a create gives 40020.
    pub head_count_limit: Option<usize>,
    /// Most people who may join within seven days; beyond it a create gives 40024.
    pub weekly_add_limit: Option<usize>,
    /// Most direct members of one department; beyond it 40023. Old limit: 1000.
    pub department_member_limit: Option<usize>,
    /// Deepest level of a department, where the root is level 1; beyond it 60002. Not documented, hence off.
    pub depth_limit: Option<usize>,
    /// Most departments; beyond it 60110. Not documented, hence off.
    pub department_limit: Option<usize>,
    /// External contacts are switched on; otherwise 60205 (page A0097).
    pub external_contacts: bool,
    /// An admin has made a custom field of external contacts mandatory, which no API can fill: 40001 (page A0161).
    pub external_contacts_have_mandatory_field: bool,
    /// Most external contacts; beyond it 60203.
    pub external_contact_limit: Option<usize>,
    /// Most group chats that apps may have made; beyond it `system.error`. Not documented, hence off.
    pub chat_limit: Option<usize>,
    /// Ids of the group templates that exist, for scene groups.
    pub group_templates: BTreeSet<String>,
    /// Calls a month to the APIs that are not free: group chats, enterprise accounts, contact search. Standard edition:
    /// 5,000 (page A1433). Off, so that a long rehearsal does not end in the middle.
    pub monthly_call_quota: Option<u64>,
    /// Custom fields an admin has created. `None`: every key of `extension` exists.
    pub custom_fields: Option<BTreeSet<String>>,
    /// Words that give 60022 in a name.
    pub sensitive_words: Vec<String>,
}

impl Default for Organisation {
    fn default() -> Self {
        Self {
            name: "Simulated Organisation".to_owned(),
            auth_level: 0,
            registered_abroad: false,
            corp_mailbox: false,
            enterprise_accounts: false,
            foreign_accounts: Vec::new(),
            hr_position_management: false,
            school_departments: false,
            head_count_limit: None,
            weekly_add_limit: None,
            department_member_limit: None,
            depth_limit: None,
            department_limit: None,
            external_contacts: true,
            external_contacts_have_mandatory_field: false,
            external_contact_limit: None,
            chat_limit: None,
            group_templates: BTreeSet::from(["simulated-template".to_owned()]),
            monthly_call_quota: None,
            custom_fields: None,
            sensitive_words: Vec::new(),
        }
    }
}

/// An enterprise account of another organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignAccount {
    /// Corp id of the owner.
    pub corp_id: String,
    /// Name of the owner.
    pub corp_name: String,
    /// The account's user id there.
    pub userid: String,
}

/// One internal app of the organisation: its credentials and what an admin has granted it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// App key (Client ID).
    pub key: String,
    /// App secret (Client Secret). Never written out.
    #[serde(skip_serializing)]
    pub secret: String,
    /// Granted scopes, for example `qyapi_get_member`. A token keeps the scopes of the moment it was issued.
    #[serde(default = "all_scopes")]
    pub scopes: BTreeSet<String>,
    /// Field permission for mobile numbers: without it `mobile` and `state_code` are silently absent (page A0056).
    #[serde(default = "granted")]
    pub reads_mobile: bool,
    /// Field permission for personal data: without it e-mails, work place, remark and extension are silently absent.
    #[serde(default = "granted")]
    pub reads_personal: bool,
    /// Contact range: department ids whose whole subtree the app may touch. `None`: all staff.
    #[serde(default)]
    pub range: Option<BTreeSet<i64>>,
    /// Egress IP whitelist. `None`: every address may call.
    #[serde(default)]
    pub ip_whitelist: Option<BTreeSet<String>>,
}

impl App {
    /// An app that may do everything: all scopes, all fields, all staff, from every address.
    pub fn with_everything(key: &str, secret: &str) -> Self {
        Self {
            key: key.to_owned(),
            secret: secret.to_owned(),
            scopes: all_scopes(),
            reads_mobile: true,
            reads_personal: true,
            range: None,
            ip_whitelist: None,
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("key", &self.key).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// The scopes that the simulated APIs ask for (the permission line of each page).
fn all_scopes() -> BTreeSet<String> {
    [
        "qyapi_base",
        "qyapi_manage_addresslist",
        "qyapi_get_member",
        "qyapi_get_department_member",
        "qyapi_get_department_list",
        "qyapi_get_member_by_mobile",
        "Contact.Common.Read",
        "Contact.Org.Read",
        "qyapi_addresslist_search",
        "qyapi_liveness_base",
        "qyapi_ext_read",
        "qyapi_ext_write",
        "qyapi_chat_manage",
        "qyapi_chat_read",
        "Contact.OrgAccountSecurity.ReadWrite",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect()
}

fn granted() -> bool {
    true
}

/// Answers to questions that DingTalk's documents leave open. Each default is our inference.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each switch is an independent yes-or-no question")]
pub struct Switches {
    /// User ids may only hold `[A-Za-z0-9_-]`; otherwise 33012. Off: any printable character.
    pub userid_strict_charset: bool,
    /// Two user ids that differ only by case are the same id.
    pub userid_ignores_case: bool,
    /// The id of a person who has left may not be given again (60102).
    pub departed_userid_is_taken: bool,
    /// An empty string in an update of a person, department or contact clears the text attribute. Off: it is ignored.
    pub empty_string_clears: bool,
    /// What user/delete answers for the main administrator.
    pub main_admin_delete_errcode: i64,
    /// The user id asked for in user/create is kept when the person accepts the invitation later.
    pub invitation_keeps_userid: bool,
    /// What user/create answers while an invitation of the same number is pending.
    pub reinvite_errcode: i64,
    /// An app may withdraw an invitation with contact/invites/recall, a call that only the official SDK knows. Off: there
    /// is no such API.
    pub invitations_can_be_recalled: bool,
    /// A person who joined and left on the same day must consent to a new invitation for 24 hours (page A0161).
    pub same_day_rejoin_needs_consent: bool,
    /// user/create beyond the head-count or the weekly limit answers a plain −1 instead of 40020 or 40024 (page A0161
    /// knows both).
    pub head_count_limit_is_busy: bool,
    /// department/delete removes empty sub-departments too. Off: 60006.
    pub cascade_empty_children: bool,
    /// One unknown person refuses a whole call that gives or takes roles. Off: the others are served, and the answer is
    /// 33012 all the same.
    pub role_batch_is_atomic: bool,
    /// What role/deleterole answers for a role that somebody holds.
    pub held_role_delete_errcode: i64,
    /// Two roles of the organisation may not have the same name. Off: only two of the same group.
    pub role_names_are_unique_in_organisation: bool,
    /// People who do not exist are left out of a chat without a word. Off: they are refused.
    pub unknown_chat_members_are_skipped: bool,
    /// The `uuid` of a disbanded chat still gives that chat. Off: it makes a new one.
    pub chat_uuid_outlives_chat: bool,
    /// Lists whose order no page tells come the other way round, so that nobody relies on it.
    pub reverses_undocumented_order: bool,
    /// Reads show the organisation as it was so many milliseconds ago. 0: as it is.
    pub stale_reads_ms: u64,
    /// The last page of a list carries `next_cursor` too.
    pub next_cursor_on_last_page: bool,
    /// 90018 and 90002 come wrapped as 88 with a `sub_code`. Off: bare.
    pub wraps_throttling: bool,
    /// Business errors of `/topapi/` come wrapped as 88 with a `sub_code`. Off: bare.
    pub wraps_business_errors: bool,
    /// A token of one host is valid on the other.
    pub tokens_are_interchangeable: bool,
    /// A request body with `\uXXXX` escapes of printable characters is refused with 40033.
    pub refuses_unicode_escapes: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            userid_strict_charset: true,
            userid_ignores_case: true,
            departed_userid_is_taken: false,
            empty_string_clears: true,
            main_admin_delete_errcode: 400_002,
            invitation_keeps_userid: true,
            reinvite_errcode: 40_103,
            invitations_can_be_recalled: false,
            same_day_rejoin_needs_consent: true,
            head_count_limit_is_busy: false,
            cascade_empty_children: false,
            role_batch_is_atomic: true,
            held_role_delete_errcode: 1_002,
            role_names_are_unique_in_organisation: false,
            unknown_chat_members_are_skipped: false,
            chat_uuid_outlives_chat: true,
            reverses_undocumented_order: false,
            stale_reads_ms: 0,
            next_cursor_on_last_page: false,
            wraps_throttling: true,
            wraps_business_errors: false,
            tokens_are_interchangeable: true,
            refuses_unicode_escapes: true,
        }
    }
}
