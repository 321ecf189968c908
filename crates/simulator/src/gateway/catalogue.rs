//! The APIs that exist: path, verb, scope and who answers them.

use axum::http::Method;

use crate::api::{
    NewApi, OldApi, chats, departments_read as dept_read, departments_write as dept_write, enterprise, external,
    liveness, new_host, roles, scene_groups, scopes, search, users_list as user_list, users_read as user_read,
    users_write as user_write,
};
use crate::tokens::Host;

/// Scope of every write to contacts.
const WRITE: &str = "qyapi_manage_addresslist";
/// Scope of department reads.
const DEPARTMENTS: &str = "qyapi_get_department_list";
/// Scope of reads of single members and of ids.
const MEMBERS: &str = "qyapi_get_member";
/// Scope of member lists with details.
const DEPARTMENT_MEMBERS: &str = "qyapi_get_department_member";
/// Scope of the look-up by number.
const BY_MOBILE: &str = "qyapi_get_member_by_mobile";
/// Scope of enabling and disabling enterprise accounts.
const ACCOUNTS: &str = "Contact.OrgAccountSecurity.ReadWrite";
/// Scope of searching by name.
const SEARCH: &str = "qyapi_addresslist_search";
/// Scopes of external contacts.
const CONTACTS_WRITE: &str = "qyapi_ext_write";
const CONTACTS_READ: &str = "qyapi_ext_read";
/// Scope of making and changing group chats.
const CHATS: &str = "qyapi_chat_manage";
/// Scope of looking at group chats.
const CHATS_READ: &str = "qyapi_chat_read";

/// How an API is answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// An API of the old host that needs a token.
    Old(OldApi),
    /// An API of the new host that needs a token.
    New(NewApi),
    /// An API that gives a token.
    Token(TokenApi),
}

/// The APIs that give tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenApi {
    /// `/gettoken`.
    OldHost,
    /// `/v1.0/oauth2/accessToken`.
    NewHost,
    /// `/v1.0/oauth2/{corpId}/token`.
    Corp,
}

/// The verbs in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// Either: only the query counts.
    Any,
}

impl Verb {
    /// Whether a request uses this verb.
    pub(super) fn allows(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET,
            Self::Post => method == Method::POST,
            Self::Put => method == Method::PUT,
            Self::Any => true,
        }
    }
}

/// One API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Path, or a pattern with segments such as `{corpId}`.
    pub(super) path: &'static str,
    /// The verb it takes.
    pub(super) verb: Verb,
    /// The scope it asks for: the permission line of its page. Token APIs need none.
    pub(super) scope: Option<&'static str>,
    /// Who answers.
    pub(super) kind: Kind,
    /// The call counts against the organisation's monthly quota: its page is not on the free list (page A1432).
    pub(super) counted: bool,
    /// The call changes nothing, so it may lag behind the writes.
    pub(super) reads: bool,
}

impl Entry {
    /// Which host the API belongs to.
    pub(super) fn host(&self) -> Host {
        match self.kind {
            Kind::Old(_) | Kind::Token(TokenApi::OldHost) => Host::Old,
            Kind::New(_) | Kind::Token(TokenApi::NewHost | TokenApi::Corp) => Host::New,
        }
    }

    /// This API, with every call counted against the monthly quota.
    const fn counted(self) -> Self {
        Self { counted: true, ..self }
    }

    /// This API, which reads although it is called with POST.
    const fn reading(self) -> Self {
        Self { reads: true, ..self }
    }

    /// Whether a path is this API's, and what it says in the places of the pattern.
    pub(super) fn read_path(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let (mut expected, mut given) = (self.path.split('/'), path.split('/'));
        let mut values = Vec::new();
        loop {
            match (expected.next(), given.next()) {
                (None, None) => return Some(values),
                (Some(expected), Some(given)) => {
                    let name = expected.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                    match name {
                        Some(name) if !given.is_empty() => values.push((name, given.to_owned())),
                        None if expected == given => {}
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    /// Paths from before the TOP gateway, which answer token errors bare.
    pub(super) fn is_legacy(&self) -> bool {
        self.host() == Host::Old && !self.path.starts_with("/topapi/")
    }
}

const fn old(path: &'static str, scope: &'static str, api: OldApi) -> Entry {
    entry(path, Verb::Post, Some(scope), Kind::Old(api))
}

const fn old_read(path: &'static str, scope: &'static str, api: OldApi) -> Entry {
    old(path, scope, api).reading()
}

const fn old_get(path: &'static str, scope: &'static str, api: OldApi) -> Entry {
    entry(path, Verb::Get, Some(scope), Kind::Old(api))
}

const fn new_post(path: &'static str, scope: &'static str, api: NewApi) -> Entry {
    entry(path, Verb::Post, Some(scope), Kind::New(api))
}

const fn new_put(path: &'static str, scope: &'static str, api: NewApi) -> Entry {
    entry(path, Verb::Put, Some(scope), Kind::New(api))
}

const fn new_get(path: &'static str, scope: &'static str, api: NewApi) -> Entry {
    entry(path, Verb::Get, Some(scope), Kind::New(api))
}

const fn token(path: &'static str, verb: Verb, api: TokenApi) -> Entry {
    entry(path, verb, None, Kind::Token(api))
}

const fn entry(path: &'static str, verb: Verb, scope: Option<&'static str>, kind: Kind) -> Entry {
    Entry { path, verb, scope, kind, counted: false, reads: matches!(verb, Verb::Get) }
}

static ENTRIES: &[Entry] = &[
    token("/gettoken", Verb::Any, TokenApi::OldHost),
    token("/v1.0/oauth2/accessToken", Verb::Post, TokenApi::NewHost),
    token("/v1.0/oauth2/{corpId}/token", Verb::Post, TokenApi::Corp),
    old_get("/auth/scopes", "qyapi_base", scopes::auth_scopes),
    old("/topapi/v2/user/create", WRITE, user_write::create),
    old("/topapi/v2/user/update", WRITE, user_write::update),
    old("/topapi/v2/user/delete", WRITE, user_write::delete),
    old_read("/topapi/v2/user/get", MEMBERS, user_read::get),
    old_read("/topapi/v2/user/getbymobile", BY_MOBILE, user_read::get_by_mobile),
    old_read("/topapi/user/getbyunionid", MEMBERS, user_read::get_by_unionid),
    old_read("/topapi/user/count", MEMBERS, user_read::count),
    old_read("/topapi/user/listadmin", MEMBERS, user_read::list_admins),
    old_read("/topapi/user/get_admin_scope", MEMBERS, user_read::admin_scope),
    old_read("/topapi/inactive/user/v2/get", "qyapi_liveness_base", liveness::inactive),
    old_read("/topapi/v2/user/list", DEPARTMENT_MEMBERS, user_list::list),
    old_read("/topapi/user/listsimple", DEPARTMENT_MEMBERS, user_list::list_simple),
    old_read("/topapi/user/listid", MEMBERS, user_list::list_ids),
    old("/topapi/v2/department/create", WRITE, dept_write::create),
    old("/topapi/v2/department/update", WRITE, dept_write::update),
    old("/topapi/v2/department/delete", WRITE, dept_write::delete),
    old_read("/topapi/v2/department/get", DEPARTMENTS, dept_read::get),
    old_read("/topapi/v2/department/listsub", DEPARTMENTS, dept_read::list_sub),
    old_read("/topapi/v2/department/listsubid", DEPARTMENTS, dept_read::list_sub_ids),
    old_read("/topapi/v2/department/listparentbydept", DEPARTMENTS, dept_read::list_parents_of_department),
    old_read("/topapi/v2/department/listparentbyuser", DEPARTMENTS, dept_read::list_parents_of_user),
    old("/role/add_role_group", WRITE, roles::add_group),
    old("/role/add_role", WRITE, roles::add),
    old("/role/update_role", WRITE, roles::update),
    old("/topapi/role/deleterole", WRITE, roles::delete),
    old("/topapi/role/addrolesforemps", WRITE, roles::add_holders),
    old("/topapi/role/removerolesforemps", WRITE, roles::remove_holders),
    old("/topapi/role/scope/update", WRITE, roles::set_scope),
    old_read("/topapi/role/list", DEPARTMENTS, roles::list),
    old_read("/topapi/role/getrole", DEPARTMENT_MEMBERS, roles::get),
    old_read("/topapi/role/getrolegroup", DEPARTMENTS, roles::get_group),
    old_read("/topapi/role/simplelist", DEPARTMENT_MEMBERS, roles::list_holders),
    old("/topapi/extcontact/create", CONTACTS_WRITE, external::create),
    old("/topapi/extcontact/update", CONTACTS_WRITE, external::update),
    old("/topapi/extcontact/delete", CONTACTS_WRITE, external::delete),
    old_read("/topapi/extcontact/get", CONTACTS_READ, external::get),
    old_read("/topapi/extcontact/list", CONTACTS_READ, external::list),
    old_read("/topapi/extcontact/listlabelgroups", CONTACTS_READ, external::list_label_groups),
    old_get("/department/list", DEPARTMENTS, dept_read::list_all),
    new_post("/v1.0/contact/orgAccounts/enable", ACCOUNTS, enterprise::enable).counted(),
    new_post("/v1.0/contact/orgAccounts/disable", ACCOUNTS, enterprise::disable).counted(),
    new_post("/v1.0/contact/orgAccounts/signOut", ACCOUNTS, enterprise::sign_out).counted(),
    new_get("/v1.0/contact/orgAccounts/status", ACCOUNTS, enterprise::status).counted(),
    new_post("/v1.0/contact/orgAccounts/dingTalkIds/change", WRITE, enterprise::change_dingtalk_id).counted(),
    new_get("/v1.0/contact/orgAccounts/ownedOrganizations", ACCOUNTS, enterprise::owned_organizations).counted(),
    new_post("/v1.0/contact/users/search", SEARCH, search::users).counted().reading(),
    new_post("/v1.0/contact/departments/search", SEARCH, search::departments).counted().reading(),
    new_post("/v1.0/im/sceneGroup/create", CHATS, scene_groups::create).counted(),
    new_post("/v1.0/im/sceneGroup/update", CHATS, scene_groups::update).counted(),
    new_post("/v1.0/im/sceneGroup/member/add", CHATS, scene_groups::add_members).counted(),
    new_post("/v1.0/im/sceneGroup/member/delete", CHATS, scene_groups::remove_members).counted(),
    new_post("/v1.0/im/sceneGroups/members/batchQuery", CHATS, scene_groups::list_members).counted().reading(),
    new_post("/v1.0/im/sceneGroups/query", CHATS, scene_groups::query).counted().reading(),
    new_put("/v1.0/im/sceneGroups/subAdmins", CHATS, scene_groups::set_sub_admins).counted(),
    new_post("/v1.0/im/chat/scenegroup/disband", CHATS, scene_groups::disband).counted(),
    new_post("/v1.0/im/group/create", CHATS, chats::create).counted(),
    new_post("/v1.0/im/group/update", CHATS, chats::update).counted(),
    new_post("/v1.0/im/subAdministrators", CHATS, chats::set_sub_admins).counted(),
    new_post("/v1.0/im/chat/{chatId}/convertToOpenConversationId", CHATS_READ, chats::convert_id).counted().reading(),
    old_get("/chat/get", CHATS_READ, chats::get).counted(),
    new_post("/v1.0/contact/orgAccounts/multiOrgPermissions/auth", ACCOUNTS, enterprise::let_join).counted(),
    new_get("/v1.0/contact/invites/infos", "Contact.Org.Read", new_host::invite_infos),
    new_get("/v1.0/contact/organizations/authInfos", "Contact.Org.Read", new_host::auth_infos),
    new_post("/v1.0/contact/invites/recall", WRITE, new_host::recall_invitation),
    new_get("/v1.0/contact/empLeaveRecords", "Contact.Common.Read", new_host::leave_records),
];

/// The API of a path.
pub(super) fn find(path: &str) -> Option<&'static Entry> {
    let patterns = || ENTRIES.iter().filter(|entry| entry.path.contains('{'));
    let exact = ENTRIES.iter().find(|entry| entry.path == path);
    exact.or_else(|| patterns().find(|entry| entry.read_path(path).is_some()))
}
