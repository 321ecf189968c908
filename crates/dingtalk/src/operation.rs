//! The calls that the connector makes, as data: where each goes, what it is called in metrics, what it is about and
//! whether it writes. Paths are those of the pages named at each line.

/// One of DingTalk's two hosts; each has its own dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Host {
    /// `oapi`: token in the query, failures are HTTP 200 with an `errcode`.
    Old,
    /// `api`: token in a header, failures are HTTP 4xx with a `code`.
    New,
}

/// Which calls a row of the error table speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Calls {
    /// All of them.
    Any,
    /// Those about people.
    Users,
    /// Those about the use of enterprise accounts.
    Enterprise,
    /// Those about departments, also what is in them.
    Departments,
    /// Those about roles.
    Roles,
    /// Those about group chats.
    Chats,
    /// Those about external contacts.
    Contacts,
    ContactCreate,
    UserCreate,
    UserUpdate,
    DepartmentCreate,
    DepartmentChildren,
}

/// What there is to know about a call.
struct Facts {
    name: &'static str,
    host: Host,
    path: &'static str,
    about: Calls,
    writes: bool,
}

macro_rules! operations {
    ($($operation:ident $name:literal $host:ident $path:literal $about:ident $does:ident;)*) => {
        /// One call of the API.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum Operation {
            $($operation),*
        }

        impl Operation {
            const fn facts(self) -> Facts {
                match self {
                    $(Self::$operation => Facts {
                        name: $name,
                        host: Host::$host,
                        path: $path,
                        about: Calls::$about,
                        writes: matches!(Does::$does, Does::Write),
                    }),*
                }
            }
        }
    };
}

enum Does {
    Read,
    Write,
}

operations! {
    // obtain-the-access-token-of-an-internal-app
    Token "token" New "/v1.0/oauth2/accessToken" Any Read;
    // obtain-corpsecret-authorization-scope
    Scopes "scopes" Old "/auth/scopes" Any Read;
    // obtain-enterprise-authentication-information
    AuthLevel "auth_level" New "/v1.0/contact/organizations/authInfos" Any Read;

    // user-information-creation, create-an-sso-account, create-dingtalk-user-created-dedicated-account
    UserCreate "user_create" Old "/topapi/v2/user/create" Users Write;
    // user-information-update, update-dedicated-accounts-information
    UserUpdate "user_update" Old "/topapi/v2/user/update" Users Write;
    // delete-a-user
    UserDelete "user_delete" Old "/topapi/v2/user/delete" Users Write;
    // query-user-details
    UserGet "user_get" Old "/topapi/v2/user/get" Users Read;
    // query-users-by-phone-number
    UserByMobile "user_by_mobile" Old "/topapi/v2/user/getbymobile" Users Read;
    // queries-the-complete-information-of-a-department-user
    UserList "user_list" Old "/topapi/v2/user/list" Departments Read;
    // user-management-acquires-number-employees
    UserCount "user_count" Old "/topapi/user/count" Users Read;
    // query-the-administrator-list
    UserAdmins "user_admins" Old "/topapi/user/listadmin" Users Read;

    // disable-an-exclusive-account
    AccountDisable "account_disable" New "/v1.0/contact/orgAccounts/disable" Enterprise Write;
    // enable-a-dedicated-account
    AccountEnable "account_enable" New "/v1.0/contact/orgAccounts/enable" Enterprise Write;
    // force-logout-from-dedicated-account
    AccountSignOut "account_sign_out" New "/v1.0/contact/orgAccounts/signOut" Enterprise Write;
    // query-dedicated-account-status-1
    AccountStatus "account_status" New "/v1.0/contact/orgAccounts/status" Enterprise Read;

    // address-book-creation-department-established-department
    DepartmentCreate "department_create" Old "/topapi/v2/department/create" Departments Write;
    // address-book-update-department
    DepartmentUpdate "department_update" Old "/topapi/v2/department/update" Departments Write;
    // address-book-deletion-department
    DepartmentDelete "department_delete" Old "/topapi/v2/department/delete" Departments Write;
    // query-department-details0-v2
    DepartmentGet "department_get" Old "/topapi/v2/department/get" Departments Read;
    // user-management-acquires-the-list-departments
    DepartmentChildren "department_children" Old "/topapi/v2/department/listsub" Departments Read;

    // add-a-role-group
    RoleGroupCreate "role_group_create" Old "/role/add_role_group" Roles Write;
    // obtains-the-role-group-information
    RoleGroupGet "role_group_get" Old "/topapi/role/getrolegroup" Roles Read;
    // address-book-add-role
    RoleCreate "role_create" Old "/role/add_role" Roles Write;
    // update-the-character-name
    RoleUpdate "role_update" Old "/role/update_role" Roles Write;
    // delete-role-information
    RoleDelete "role_delete" Old "/topapi/role/deleterole" Roles Write;
    // queries-role-details
    RoleGet "role_get" Old "/topapi/role/getrole" Roles Read;
    // obtains-a-list-of-enterprise-roles
    RoleList "role_list" Old "/topapi/role/list" Roles Read;
    // obtain-the-list-of-employees-of-a-role
    RoleMembers "role_members" Old "/topapi/role/simplelist" Roles Read;
    // add-role-information-to-employees-in-batches
    RoleAddMembers "role_add_members" Old "/topapi/role/addrolesforemps" Roles Write;
    // delete-the-color-information-of-employee-corners-in-batches
    RoleRemoveMembers "role_remove_members" Old "/topapi/role/removerolesforemps" Roles Write;

    // create-common-group-new-version-v2
    ChatCreate "chat_create" New "/v1.0/im/group/create" Chats Write;
    // api-updategroup
    ChatUpdate "chat_update" New "/v1.0/im/group/update" Chats Write;
    // obtain-a-group-session
    ChatGet "chat_get" Old "/chat/get" Chats Read;
    // create-a-scene-group
    SceneCreate "scene_create" New "/v1.0/im/sceneGroup/create" Chats Write;
    // api-updatescenegroup
    SceneUpdate "scene_update" New "/v1.0/im/sceneGroup/update" Chats Write;
    // api-addscenegroupmember
    SceneAddMembers "scene_add_members" New "/v1.0/im/sceneGroup/member/add" Chats Write;
    // api-removescenegroupmember
    SceneRemoveMembers "scene_remove_members" New "/v1.0/im/sceneGroup/member/delete" Chats Write;
    // query-a-scene-group: /chat/get speaks of normal groups alone
    SceneGet "scene_get" New "/v1.0/im/sceneGroups/query" Chats Read;
    // query-group-members
    SceneMembers "scene_members" New "/v1.0/im/sceneGroups/members/batchQuery" Chats Read;
    // api-dsbandopenscenegroup
    SceneDisband "scene_disband" New "/v1.0/im/chat/scenegroup/disband" Chats Write;

    // add-enterprise-external-contacts
    ContactCreate "contact_create" Old "/topapi/extcontact/create" Contacts Write;
    // update-enterprise-external-contacts
    ContactUpdate "contact_update" Old "/topapi/extcontact/update" Contacts Write;
    // delete-external-contact
    ContactDelete "contact_delete" Old "/topapi/extcontact/delete" Contacts Write;
    // obtains-the-external-contact-details-of-an-enterprise
    ContactGet "contact_get" Old "/topapi/extcontact/get" Contacts Read;
    // obtain-the-external-contact-list
    ContactList "contact_list" Old "/topapi/extcontact/list" Contacts Read;
}

impl Operation {
    /// The name in metrics and logs.
    pub(crate) const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The path below the host.
    pub(crate) const fn path(self) -> &'static str {
        self.facts().path
    }

    pub(crate) const fn host(self) -> Host {
        self.facts().host
    }

    /// Whether a lost answer leaves open what DingTalk holds now.
    pub(crate) const fn writes(self) -> bool {
        self.facts().writes
    }

    /// Whether a row of the error table for `calls` speaks of this call.
    pub(crate) fn is(self, calls: Calls) -> bool {
        match calls {
            Calls::Any => true,
            Calls::UserCreate => self == Self::UserCreate,
            Calls::UserUpdate => self == Self::UserUpdate,
            Calls::DepartmentCreate => self == Self::DepartmentCreate,
            Calls::ContactCreate => self == Self::ContactCreate,
            Calls::DepartmentChildren => self == Self::DepartmentChildren,
            group => self.facts().about == group,
        }
    }
}
