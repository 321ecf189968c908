//! The calls that the connector makes, as data: where each goes, what it is called in metrics, whether it
//! writes. Paths and verbs are those of the pages named at each arm.

/// One of DingTalk's two hosts; each has its own dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Host {
    /// `oapi`: token in the query, failures are HTTP 200 with an `errcode`.
    Old,
    /// `api`: failures are HTTP 4xx with a `code`.
    New,
}

/// One call of the API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Operation {
    Token,
    Scopes,
    UserCreate,
    UserUpdate,
    UserDelete,
    UserGet,
    UserByMobile,
    DepartmentCreate,
    DepartmentUpdate,
    DepartmentDelete,
    DepartmentGet,
    DepartmentChildren,
}

/// Which calls a row of the error table speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Calls {
    Any,
    Users,
    UserCreate,
    UserUpdate,
    Departments,
    DepartmentCreate,
    DepartmentChildren,
}

impl Operation {
    /// The name in metrics and logs, and the path below the host.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            // obtain-the-access-token-of-an-internal-app
            Self::Token => ("token", "/v1.0/oauth2/accessToken"),
            // obtain-corpsecret-authorization-scope
            Self::Scopes => ("scopes", "/auth/scopes"),
            // user-information-creation
            Self::UserCreate => ("user_create", "/topapi/v2/user/create"),
            // user-information-update
            Self::UserUpdate => ("user_update", "/topapi/v2/user/update"),
            // delete-a-user
            Self::UserDelete => ("user_delete", "/topapi/v2/user/delete"),
            // query-user-details
            Self::UserGet => ("user_get", "/topapi/v2/user/get"),
            // query-users-by-phone-number
            Self::UserByMobile => ("user_by_mobile", "/topapi/v2/user/getbymobile"),
            // address-book-creation-department-established-department
            Self::DepartmentCreate => ("department_create", "/topapi/v2/department/create"),
            // address-book-update-department
            Self::DepartmentUpdate => ("department_update", "/topapi/v2/department/update"),
            // address-book-deletion-department
            Self::DepartmentDelete => ("department_delete", "/topapi/v2/department/delete"),
            // query-department-details0-v2
            Self::DepartmentGet => ("department_get", "/topapi/v2/department/get"),
            // user-management-acquires-the-list-departments
            Self::DepartmentChildren => ("department_children", "/topapi/v2/department/listsub"),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        self.names().0
    }

    pub(crate) const fn path(self) -> &'static str {
        self.names().1
    }

    pub(crate) const fn host(self) -> Host {
        match self {
            Self::Token => Host::New,
            _ => Host::Old,
        }
    }

    /// Whether a lost answer leaves open what DingTalk holds now.
    pub(crate) const fn writes(self) -> bool {
        matches!(
            self,
            Self::UserCreate
                | Self::UserUpdate
                | Self::UserDelete
                | Self::DepartmentCreate
                | Self::DepartmentUpdate
                | Self::DepartmentDelete
        )
    }

    /// Whether a row of the error table for `calls` speaks of this call.
    pub(crate) const fn is(self, calls: Calls) -> bool {
        match calls {
            Calls::Any => true,
            Calls::Users => matches!(
                self,
                Self::UserCreate | Self::UserUpdate | Self::UserDelete | Self::UserGet | Self::UserByMobile
            ),
            Calls::UserCreate => matches!(self, Self::UserCreate),
            Calls::UserUpdate => matches!(self, Self::UserUpdate),
            Calls::Departments => matches!(
                self,
                Self::DepartmentCreate
                    | Self::DepartmentUpdate
                    | Self::DepartmentDelete
                    | Self::DepartmentGet
                    | Self::DepartmentChildren
            ),
            Calls::DepartmentCreate => matches!(self, Self::DepartmentCreate),
            Calls::DepartmentChildren => matches!(self, Self::DepartmentChildren),
        }
    }
}
