//! The old host's error numbers and their texts (page A0013 and the page of each API).
//!
//! The texts are not a contract; clients must look at the number. They are Chinese because DingTalk's are.

/// A number of the old host's error table with its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errcode {
    /// `errcode` or, as text, `sub_code`.
    pub(crate) number: i64,
    /// `errmsg` or `sub_msg`.
    pub(crate) text: &'static str,
}

impl Errcode {
    /// The entry for a number that a switch or a fault names.
    pub(crate) fn of(number: i64) -> Self {
        ALL.iter().copied().find(|code| code.number == number).unwrap_or(Self { number, text: "系统错误" })
    }

    /// This error without further detail.
    pub(crate) fn plain(self) -> Refusal {
        self.worded(self.text)
    }

    /// This error, naming what was wrong.
    pub(crate) fn about(self, detail: impl AsRef<str>) -> Refusal {
        self.worded(format!("{}: {}", self.text, detail.as_ref()))
    }

    /// This error in other words than the table's.
    pub(crate) fn worded(self, message: impl Into<String>) -> Refusal {
        Refusal { code: self, message: message.into() }
    }
}

/// A business error: the API understood the call and says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Which error.
    pub(crate) code: Errcode,
    /// The text, with the parameter or object it is about where there is one.
    pub(crate) message: String,
}

macro_rules! errcodes {
    ($($name:ident = $number:literal $text:literal;)*) => {
        $(pub(crate) const $name: Errcode = Errcode { number: $number, text: $text };)*
        const ALL: &[Errcode] = &[$($name),*];
    };
}

errcodes! {
    BUSY = -1 "系统繁忙";
    REMOTE_TIMEOUT = 15 "Remote service error";
    SERVICE_ERROR = 1002 "系统错误，请稍后重试";
    HR_OWNS_POSITION = 12150 "企业已开启职位管理，请使用智能人事接口修改";
    CONTACT_TAKEN = 22005 "该外部联系人已经存在";
    SYSTEM_ROLE = 23004 "系统角色不允许修改";
    INVALID_ROLE = 33011 "无效的roleId";
    INVALID_USERID = 33012 "无效的USERID";
    EMPTY_ROLE = 34018 "角色不能为空";
    INVALID_ROLE_GROUP = 34020 "无效的groupId";
    ROLE_NAME_TAKEN = 34021 "角色名称已存在";
    PARAMETER_ERROR = 40000 "access_token is blank";
    MANDATORY_FIELD = 40001 "系统繁忙";
    INVALID_SCOPE_USER = 40003 "无效的userId";
    INVALID_DEPARTMENT_ID = 40009 "不合法的部门id";
    INVALID_PARENT_ID = 40010 "不合法的父部门id";
    INVALID_ORDER = 40011 "不合法的部门order";
    INVALID_TOKEN = 40014 "不合法的access_token";
    INVALID_CHAT_ID = 40016 "无效的chatid";
    FIVE_UNCERTIFIED_CORPS = 40019 "该用户已加入5个未认证的企业，无法再加入";
    HEAD_COUNT_LIMIT = 40020 "企业人数已达上限";
    NEW_MOBILE_REGISTERED = 40021 "更换的号码已注册过钉钉，无法使用该号码";
    LOGIN_MOBILE_DIFFERS = 40022 "企业中的手机号码和登录钉钉的手机号码不一致，暂时不支持修改";
    DEPARTMENT_FULL = 40023 "部门人数已达上限";
    WEEKLY_ADD_LIMIT = 40024 "企业本周添加人数已达上限";
    UNKNOWN_USERID_IN_LIST = 40031 "不存在的userId";
    UNICODE_ESCAPE = 40033 "不合法的请求字符，不能包含\\uxxxx格式的字符";
    INVALID_PARAMETERS = 40035 "不合法的参数";
    EMPTY_PARAMETER = 40036 "参数为空";
    INVALID_TELEPHONE = 40063 "不合法的分机号";
    INVALID_WORK_PLACE = 40064 "不合法的办公地点";
    INVALID_REMARK = 40065 "不合法的备注";
    INVALID_DEPARTMENT_LIST = 40066 "不合法的部门列表";
    INVALID_OFFSET = 40068 "不合法的偏移量";
    INVALID_SIZE = 40069 "不合法的分页大小";
    INVALID_GROUP_OWNER = 40093 "企业群群主不合法";
    BAD_CREDENTIALS = 40096 "不合法的appKey或appSecret";
    TELEPHONE_TAKEN = 40100 "分机号已存在";
    EMAIL_TAKEN = 40101 "邮箱已存在";
    INVITED = 40103 "已发出邀请，对方同意后即可加入组织";
    MALFORMED_MOBILE = 40104 "不合法的手机号";
    MOBILE_UNCHANGEABLE = 41054 "手机号不支持修改，请删除后重新添加";
    INVALID_LABEL_SIZE = 41101 "无效的size";
    NEEDS_GET = 43001 "需要GET请求";
    NEEDS_POST = 43002 "需要POST请求";
    NOT_AUTHORISED = 43007 "没有调用权限";
    NOT_IN_ORGANISATION = 46004 "员工不在组织当中";
    UNPARSEABLE_BODY = 47001 "解析JSON/XML内容错误";
    CHAT_ID_MISSING = 49000 "需要参数chatid";
    USER_OUT_OF_RANGE = 50002 "请求的员工userid不在授权范围内";
    DEPARTMENT_OUT_OF_RANGE = 50004 "请求的部门id不在授权范围中";
    INVALID_DEPARTMENT_NAME = 60001 "部门名称不合法";
    TOO_DEEP = 60002 "部门层级深度超过限制";
    DEPARTMENT_NOT_FOUND = 60003 "部门不存在";
    PARENT_NOT_FOUND = 60004 "父部门不存在";
    DEPARTMENT_HAS_MEMBERS = 60005 "不允许删除有成员的部门";
    DEPARTMENT_HAS_CHILDREN = 60006 "不允许删除有子部门的部门";
    ROOT_NOT_DELETABLE = 60007 "不允许删除根部门";
    DEPARTMENT_NAME_CHARACTERS = 60009 "部门名称含有非法字符";
    DEPARTMENT_CYCLE = 60010 "部门存在循环关系";
    SCOPE_MISSING = 60011 "没有调用该接口的权限";
    ROOT_NOT_UPDATABLE = 60018 "不允许更新根部门";
    IP_NOT_WHITELISTED = 60020 "访问ip不在白名单之中";
    SIBLING_NAME_TAKEN = 60021 "父部门下该部门名称已存在";
    SENSITIVE_WORDS = 60022 "包含敏感词";
    USERID_TAKEN = 60102 "UserID在公司中已存在";
    INVALID_MOBILE = 60103 "手机号码不合法";
    MOBILE_TAKEN = 60104 "手机号码在公司中已存在";
    INVALID_EMAIL = 60105 "邮箱不合法";
    OWNER_IS_MEMBER = 60107 "使用该手机登录钉钉的用户已经在企业中";
    INVALID_VISIBILITY = 60109 "部门可见性列表不合法";
    CONTACT_LIMIT = 60203 "外部联系人数量已达上限";
    CONTACT_NEEDS_LABELS = 60204 "需要外部联系人标签";
    CONTACTS_OFF = 60205 "未开通外部联系人功能";
    INVALID_SCOPE_ROLE = 60301 "无效的role_id";
    MONTHLY_QUOTA = 90020 "企业当月的API调用量已超出限额";
    INVALID_VISIBILITY_ON_CREATE = 600_109 "部门可见性列表不合法";
    TOO_MANY_DEPARTMENTS = 60110 "部门个数超出限制";
    INVALID_NAME = 60112 "员工姓名不合法";
    NO_MOBILE = 60113 "身份认证信息（手机/邮箱）不能同时为空";
    INVALID_TITLE = 60119 "职位不合法";
    USER_NOT_FOUND = 60121 "找不到该用户";
    INVALID_EXTENSION = 60122 "扩展字段不合法";
    INVALID_JOB_NUMBER = 60123 "工号不合法";
    INVALID_MANAGER = 60128 "直属主管不合法";
    PLATFORM_QPS = 90002 "您的服务器调用钉钉开放平台所有接口的请求都被暂时禁用了";
    APP_QPS = 90018 "您的应用调用该接口的频率过高，请稍后再试";
    INVALID_ARGUMENT = 400_002 "无效的参数";
    EMPTY_ROLE_NAME = 660_000 "参数不能为空";
}
