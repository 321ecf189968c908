//! Every code of the reference, as DingTalk sends it, and what it means for what comes next.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ConnectorError, ErrorClass};
use rollcall_provisioning::entity::EntityKind::{Account, Chat, Contact, OrgUnit, Role};
use rollcall_provisioning::plan::Action;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use wiremock::matchers::path;
use wiremock::{Mock, Request, ResponseTemplate};

/// An organisation that answers every contacts call with what was last put into `answer`.
struct Refusing {
    world: World,
    answer: Arc<Mutex<Value>>,
}

impl Refusing {
    async fn new(at: &str) -> Self {
        let world = World::new().await;
        let answer = Arc::new(Mutex::new(Value::Null));
        let current = Arc::clone(&answer);
        let respond = move |_: &Request| ResponseTemplate::new(200).set_body_json(current.lock().unwrap().clone());
        Mock::given(path(at)).respond_with(respond).mount(&world.server).await;
        Self { world, answer }
    }

    async fn refuse(&self, action: &Action, answer: Value) -> ConnectorError {
        *self.answer.lock().unwrap() = answer;
        self.world.dingtalk.apply(action).await.expect_err("refused")
    }
}

/// Checks `action` against lines of `code class attribute`, each code bare, as a string and wrapped as 88.
async fn check(at: &str, action: Action, lines: &str) {
    check_with(&Refusing::new(at).await, &action, lines).await;
}

async fn check_with(refusing: &Refusing, action: &Action, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [code, class, attribute] = words[..] else { panic!("three words: {line}") };
        let number: i64 = code.parse().expect("a number");
        let bare = json!({"errcode": number, "errmsg": "…", "request_id": "15s9in2w1yat9"});
        let text = json!({"errcode": code});
        let wrapped = json!({"errcode": 88, "sub_code": code, "sub_msg": "…", "errmsg": "ding talk error[…]"});
        for (answer, shown) in [(bare, code.to_owned()), (text, code.to_owned()), (wrapped, format!("88/{code}"))] {
            let error = refusing.refuse(action, answer).await;
            let found = (error.class.as_str(), error.attribute.unwrap_or("-"), error.code);
            assert_eq!(found, (class, attribute, shown), "{line}");
            assert!(error.message.ends_with('.') && error.advice.ends_with('.'), "sentences: {line}");
        }
    }
}

/// What concerns the application or the platform, whatever was called.
const PLATFORM: &str = "
    -1      transient     -
    1002    transient     -
    400001  transient     -
    22      stopped       -
    33001   stopped       -
    40001   stopped       -
    40013   stopped       -
    40014   stopped       -
    40089   stopped       -
    40096   stopped       -
    42001   stopped       -
    43007   stopped       -
    48002   stopped       -
    48004   stopped       -
    50003   stopped       -
    50005   stopped       -
    52010   stopped       -
    60011   stopped       -
    60020   stopped       -
    70001   stopped       -
    400020  stopped       -
    90001   stopped       -
    90003   stopped       -
    90004   stopped       -
    90002   rate_limited  -
    90005   rate_limited  -
    90006   rate_limited  -
    90014   rate_limited  -
    90018   rate_limited  -
    90019   rate_limited  -
    90020   rate_limited  -
    45009   rate_limited  -
    90007   rate_limited  -
    90008   rate_limited  -
    90009   rate_limited  -
    90010   rate_limited  -
    90011   rate_limited  -
    90012   rate_limited  -
    90013   rate_limited  -
    90015   rate_limited  -
    90016   rate_limited  -
    40068   invalid       -
    40069   invalid       -
    40070   invalid       -
    41101   invalid       -
    43001   invalid       -
    43002   invalid       -
    43003   invalid       -
    43004   invalid       -
    43005   invalid       -
    43008   invalid       -
    43009   invalid       -
    44002   invalid       -
    71006   invalid       -
    71013   invalid       -
    400040  invalid       -
    400057  invalid       -
    40000   invalid       -
    40033   invalid       -
    40035   invalid       -
    40036   invalid       -
    40038   invalid       -
    47001   invalid       -
    400002  invalid       -
    660000  invalid       -
    987654  transient     -
";

#[tokio::test]
async fn platform_codes_mean_the_same_everywhere() {
    check(USER_CREATE, joiner(), PLATFORM).await;
    check(DEPARTMENT_DELETE, delete(OrgUnit, "9"), PLATFORM).await;
}

#[tokio::test]
async fn creating_a_person() {
    let lines = "
        40103  invited            -
        60102  conflict           -
        60104  conflict           mobile
        60107  conflict           mobile
        60103  invalid            mobile
        40104  invalid            mobile
        60113  invalid            mobile
        60118  invalid            mobile
        60105  invalid            email
        60106  conflict           email
        40101  conflict           email
        40100  conflict           telephone
        40063  invalid            telephone
        40064  invalid            work_place
        60119  invalid            title
        60123  invalid            job_number
        60112  invalid            name
        60022  invalid            -
        60122  invalid            extension.
        40065  invalid            remark
        60128  missing_reference  manager
        60003  missing_reference  org_units
        60004  missing_reference  org_units
        40066  missing_reference  org_units
        40025  missing_reference  org_units
        40009  missing_reference  org_units
        40023  invalid            org_units
        50004  forbidden          org_units
        50002  forbidden          -
        60120  forbidden          -
        40019  forbidden          -
        40020  transient          -
        40024  transient          -
        45024  transient          -
        33012  invalid            -
    ";
    check(USER_CREATE, joiner(), lines).await;
}

#[tokio::test]
async fn updating_a_person() {
    let lines = "
        60121  not_found          -
        33012  not_found          -
        60111  not_found          -
        40003  not_found          -
        46004  not_found          -
        40021  conflict           mobile
        40022  conflict           mobile
        41054  conflict           mobile
        40100  conflict           telephone
        40101  conflict           email
        60128  missing_reference  manager
        60003  missing_reference  org_units
        12150  forbidden          title
        50002  forbidden          -
    ";
    check(USER_UPDATE, update(Account, "u1", json!({"title": "CTO"})), lines).await;
}

#[tokio::test]
async fn departments() {
    let create = create(OrgUnit, None, json!({"name": "研发", "parent": "2"}));
    let creating = "
        60003   missing_reference  parent
        60004   missing_reference  parent
        40010   missing_reference  parent
        60021   conflict           name
        60008   conflict           name
        60016   conflict           name
        60001   invalid            name
        60009   invalid            name
        60022   invalid            -
        60002   invalid            parent
        60110   transient          -
        50004   forbidden          parent
        600109  invalid            hidden
    ";
    check(DEPARTMENT_CREATE, create, creating).await;
    let updating = "
        60003  not_found          -
        60004  missing_reference  parent
        60010  transient          parent
        60018  forbidden          -
        60021  conflict           name
        40009  invalid            -
        40011  invalid            order
        40031  missing_reference  heads
        40093  invalid            -
        60109  invalid            hidden
        60510  transient          hidden
        50004  forbidden          -
    ";
    check(DEPARTMENT_UPDATE, update(OrgUnit, "9", json!({"parent": "2"})), updating).await;
    let deleting = "
        60005  transient  -
        60006  transient  -
        60007  forbidden  -
    ";
    check(DEPARTMENT_DELETE, delete(OrgUnit, "9"), deleting).await;
}

#[tokio::test]
async fn roles() {
    let create = create(Role, None, json!({"name": "财务", "role_group": "Rollcall"}));
    let at = "/role/add_role_group";
    let refusing = Refusing::new(at).await;
    let none = json!({"errcode": 0, "result": {"hasMore": false, "list": []}});
    refusing.world.answer("/topapi/role/list", &none).await;
    let lines = "
        34018  invalid            name
        34020  missing_reference  role_group
        34021  conflict           name
        45017  invalid            name
        45018  transient          -
        12012  missing_reference  role_group
    ";
    check_with(&refusing, &create, lines).await;
    let lines = "
        33011   not_found  -
        60301   not_found  -
        23004   forbidden  -
        45016   forbidden  -
        660000  invalid    -
        1002    transient  -
    ";
    check("/role/update_role", update(Role, "20", json!({"name": "财务"})), lines).await;
}

#[tokio::test]
async fn chats() {
    let lines = "
        34001  not_found          -
        34013  not_found          -
        49000  invalid            -
        49003  forbidden          owner
        49004  invalid            -
        49005  invalid            -
        49006  invalid            owner
        49007  kind_stopped       -
        49010  invalid            -
        49015  invalid            name
        49016  missing_reference  -
        49019  invalid            -
        49020  forbidden          -
        49021  forbidden          -
        49022  forbidden          -
        60011  kind_stopped       -
        90020  kind_stopped       -
        33012  missing_reference  -
        60121  missing_reference  -
        60124  missing_reference  -
    ";
    check("/v1.0/im/group/update", update(Chat, "chat7", json!({"name": "a"})), lines).await;
}

#[tokio::test]
async fn external_contacts() {
    let attributes = json!({"name": "a", "mobile": "1", "labels": [1], "follower": "u1"});
    let creating = "
        22005  conflict           mobile
        60200  conflict           mobile
        60203  kind_stopped       -
        60204  invalid            labels
        60205  kind_stopped       -
        60103  invalid            mobile
        60112  invalid            name
        40036  invalid            -
        43007  kind_stopped       -
        40001  kind_stopped       -
        33012  missing_reference  follower
        40003  missing_reference  follower
        60121  missing_reference  follower
        90018  rate_limited       -
        60020  stopped            -
    ";
    check("/topapi/extcontact/create", create(Contact, None, attributes), creating).await;
    let gone = "
        60205  kind_stopped  -
        400001 transient     -
    ";
    check("/topapi/extcontact/delete", delete(Contact, "c1"), gone).await;
}

/// The codes of the new host, which are words.
#[tokio::test]
async fn words_of_the_new_host() {
    let chat = update(Chat, "chat7", json!({"name": "a"}));
    for (code, class, attribute) in [
        ("permession.checkFailed", "forbidden", Some("owner")),
        ("parameter.invalid", "invalid", None),
        ("paramIllegal", "invalid", None),
        ("member.exceed", "invalid", None),
        ("member.notFound", "missing_reference", Some("owner")),
        ("chat.notExist", "not_found", None),
        ("invalideChatId", "not_found", None),
        ("conversation.org.notMatch", "forbidden", None),
        ("groupTemplate.notFound", "kind_stopped", None),
        ("groupTemplate.permessionDenied.orgNotInGrayList", "kind_stopped", None),
        ("groupTemplate.permessionDenied.appNotInstalled", "kind_stopped", None),
        ("groupTemplate.permessionDenied.orgNotConsistent", "kind_stopped", None),
        ("Forbidden.AccessDenied.ApiCountLimitForOrg", "kind_stopped", None),
        ("Forbidden.AccessDenied.AccessTokenPermissionDenied", "kind_stopped", None),
        ("Forbidden.AccessDenied.IpNotInWhiteList", "stopped", None),
        ("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "rate_limited", None),
        ("Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi", "rate_limited", None),
        ("Forbidden.AccessDenied.QpmLimitForSuitekeyAndOrgAndApi", "rate_limited", None),
        ("orgAuthLevelNotEnough", "kind_stopped", None),
        ("forbidden.accessDenied.realmControl", "kind_stopped", None),
        ("businessError", "forbidden", None),
        ("invokeFrequentyly", "rate_limited", None),
        ("empNotExists", "not_found", None),
        ("employee.not.exist", "not_found", None),
        ("staff.not.found", "not_found", None),
        ("system.error", "transient", None),
    ] {
        let world = World::new().await;
        let refusal = ResponseTemplate::new(400).set_body_json(json!({"code": code, "message": "…", "requestid": "r"}));
        world.respond("/v1.0/im/group/update", refusal).await;
        let error = world.dingtalk.apply(&chat).await.expect_err(code);
        assert_eq!((error.class.as_str(), error.attribute, error.code.as_str()), (class, attribute, code));
    }
}

#[tokio::test]
async fn a_slow_authentication_is_passing() {
    let refusing = Refusing::new(USER_CREATE).await;
    let error = refusing.refuse(&joiner(), json!({"errcode": 88, "sub_code": "", "errmsg": "ding talk error"})).await;
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "88"));
    assert!(!error.outcome_unknown, "it was refused at the gate");
}

#[tokio::test]
async fn what_a_person_is_told_and_when_to_come_back() {
    let refusing = Refusing::new(USER_CREATE).await;
    for (answer, message, wait_secs) in [
        (
            json!({"errcode": 88, "sub_code": "60011", "errmsg": "ding talk error[subcode=60011,submsg=应用尚未开通所需的权限：[qyapi_manage_addresslist]，点击链接申请并开通即可：https://open-dev.dingtalk.com/appscope/apply?content=dingapp%23qyapi_manage_addresslist]"}),
            "The application lacks a permission: qyapi_manage_addresslist.",
            Some(600),
        ),
        (
            json!({"errcode": 88, "sub_code": "60020", "errmsg": "ding talk error[subcode=60020,submsg=访问ip不在白名单之中,request ip=203.0.113.7 appKey(dingapp)]"}),
            "DingTalk does not accept calls from this server's address 203.0.113.7.",
            Some(600),
        ),
        (
            json!({"errcode": 40096, "errmsg": "不合法的appKey或appSecret"}),
            "DingTalk refuses the AppKey or AppSecret.",
            Some(60),
        ),
        (json!({"errcode": 40020}), "The organisation has reached its limit of people.", Some(1800)),
        (
            json!({"errcode": 60104, "errmsg": "手机号码在公司中已存在", "userid": "u9"}),
            "Another account of this organisation already has the mobile number.",
            None,
        ),
        (json!({"errcode": 987_654, "errmsg": "未知 13800000001"}), "DingTalk answered \"未知 …\".", None),
    ] {
        let error = refusing.refuse(&joiner(), answer).await;
        assert_eq!(error.message, message);
        assert_eq!(error.retry_after.map(|wait| wait.as_secs()), wait_secs, "{message}");
    }
}
