//! What each of DingTalk's codes means: one line per meaning.
//!
//! The columns: codes, which calls the line speaks of, class, attribute to blame, seconds that DingTalk wants
//! to be left alone (0 = nothing said; for a rate limit 0 = growing pauses), what happened, what to do. The
//! first line whose code and calls fit counts, so special lines stand before general ones. The comment at
//! the head of a block names the page that lists its codes; a comment behind a line names a further one.

use crate::operation::{Calls, Operation};
use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) codes: &'static [&'static str],
    pub(crate) calls: Calls,
    pub(crate) class: ErrorClass,
    pub(crate) attribute: Option<&'static str>,
    pub(crate) wait_secs: u64,
    pub(crate) message: &'static str,
    pub(crate) advice: &'static str,
}

/// The line that speaks of `code` as an answer to `operation`.
pub(crate) fn find(code: &str, operation: Operation) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.codes.contains(&code) && operation.is(row.calls))
}

const NONE: Option<&str> = None;
const NAME: Option<&str> = Some(entity::NAME);
const MOBILE: Option<&str> = Some(entity::MOBILE);
const EMAIL: Option<&str> = Some(entity::EMAIL);
const TELEPHONE: Option<&str> = Some(entity::TELEPHONE);
const TITLE: Option<&str> = Some(entity::TITLE);
const JOB_NUMBER: Option<&str> = Some(entity::JOB_NUMBER);
const WORK_PLACE: Option<&str> = Some(entity::WORK_PLACE);
const REMARK: Option<&str> = Some(entity::REMARK);
const ENABLED: Option<&str> = Some(entity::ENABLED);
const CUSTOM: Option<&str> = Some(entity::EXTENSION_PREFIX);
const ORG_UNITS: Option<&str> = Some(entity::ORG_UNITS);
const MANAGER: Option<&str> = Some(entity::MANAGER);
const ROLE_GROUP: Option<&str> = Some(entity::ROLE_GROUP);
const OWNER: Option<&str> = Some(entity::OWNER);
const LABELS: Option<&str> = Some(entity::LABELS);
const FOLLOWER: Option<&str> = Some(entity::FOLLOWER);
const HEADS: Option<&str> = Some(entity::HEADS);
const ORDER: Option<&str> = Some(entity::ORDER);
const HIDDEN: Option<&str> = Some(entity::HIDDEN);
const PARENT: Option<&str> = Some(entity::PARENT);

/// A wrong secret is corrected by a person who then waits for us, and asking costs one call.
const SOON: u64 = 60;
/// Permissions, address lists and switches: changed in a console, effective minutes later.
const LATER: u64 = 600;
/// Limits of the organisation: somebody must buy or remove something.
const RARELY: u64 = 1800;

const CREDENTIALS: &str = "Check the AppKey and AppSecret of the target against the DingTalk developer console.";
const PERMISSION: &str = "Grant the permission to the application in the DingTalk developer console and publish a new version; an old token may go without it for up to two hours.";
const WHITELIST: &str =
    "Add the address to the server addresses that the application allows, in the DingTalk developer console.";
const CORP: &str = "Check in the DingTalk consoles that the organisation and the application are active.";
const BASE_URL: &str = "Check the base URLs of the target.";
const RANGE: &str = "Set the contact range of the application to all staff in the DingTalk developer console.";
const REPORT: &str = "Report this to the maintainers of Rollcall with the code.";
const NOTHING: &str = "Nothing needs to be done: it is tried again.";
const SLOWER: &str = "Nothing needs to be done: calls go slower for a while.";
const BAN: &str = "Nothing needs to be done unless it comes back: then lower the calls per second of the target.";
const QUOTA: &str = "Buy a larger API quota for the organisation, or wait for the next month.";
const SEATS: &str = "Remove people in DingTalk, or have the limit of the organisation raised.";
const FIX_MOBILE: &str =
    "Correct the mobile number at the source: 11 digits for the mainland, with country code for the rest.";
const FIX_EMAIL: &str = "Correct the e-mail address at the source.";
const OWN_EMAIL: &str = "Give the person an e-mail address of their own at the source, or clear it there.";
const OWN_TELEPHONE: &str = "Send no shared numbers as the work number of a person: clear it at the source.";
const OWN_MOBILE: &str = "Find the account with this number in DingTalk: link the person to it, remove it, or correct the number at the source.";
const KEEP_MOBILE: &str = "Ask the person to change the number in DingTalk, or put the old number back at the source.";
const FIX_NAME: &str = "Correct the name at the source.";
const FIX_VALUE: &str = "Correct the value at the source.";
const TAKEN_ID: &str = "Link the person to that account, or remove it in DingTalk.";
const WAIT_MANAGER: &str = "Nothing needs to be done: the manager is set once there is an account.";
const WAIT_DEPARTMENT: &str = "Nothing needs to be done: the department is looked up or created again.";
const WAIT_HEAD: &str = "Nothing needs to be done: heads are set once they belong to the department.";
const ACCEPT: &str = "Ask the person to accept the invitation in DingTalk.";
const AGAIN: &str = "Nothing needs to be done: the person is looked up again.";
const ROLE_AGAIN: &str = "Nothing needs to be done: the role is looked up or created again.";
const OWN_ROLE: &str = "Rename one of the two roles, at the source or in DingTalk.";
const SYSTEM_ROLE: &str = "Map the group to another role: those of the group 默认 cannot be changed.";
const CHAT_OWNER: &str = "Let somebody own the chat who is in it and in the contact range of the application.";
const WAIT_OWNER: &str = "Nothing needs to be done: the chat follows once its owner has an account.";
const FEWER: &str = "Map a smaller group to the chat, or several chats.";
const FEWER_CHATS: &str = "Map fewer groups to chats, or dissolve chats that nobody needs.";
const TEMPLATE: &str = "Check the group template in the DingTalk developer console and in the settings of the target.";
const CHAT_HAND: &str = "Look at the chat in DingTalk, and remove the link to it if it is not the one that is meant.";
const CHAT_AGAIN: &str = "Nothing needs to be done: the chat is looked at or created again.";
const ASK: &str = "Ask the person to let themselves be added to chats, in their settings of DingTalk.";
const CONTACT_THERE: &str =
    "Nothing needs to be done: the external contact with this number is taken over if nobody else has it.";
const CONTACT_AGAIN: &str = "Nothing needs to be done: the external contact is looked at or created again.";
const FEWER_CONTACTS: &str = "Remove external contacts in DingTalk, or have the limit of the organisation raised.";
const CONTACTS_OFF: &str = "Turn external contacts on in the DingTalk console, or leave them out of the mapping.";
const FIX_LABELS: &str =
    "Name labels in the settings of the target or in the mapping, by the ids that the DingTalk console gives them.";
const FIX_FOLLOWER: &str = "Name somebody who has an account, in the settings of the target or in the mapping.";
const MANDATORY: &str = "Make no custom field of external contacts mandatory in the DingTalk console; if there is none, check the AppSecret.";
const NOT_OURS: &str = "Delete such accounts instead of turning them off, or ask their organisation to do it.";
const HRM: &str = "Change the value in the personnel system, or switch its position management off.";
const OWN_NAME: &str = "Rename one of the two departments, at the source or in DingTalk.";
const MOVE: &str = "Arrange the departments differently at the source.";
const EMPTY: &str = "If it does not end by itself, move or remove what is in the department in the DingTalk console.";
const HAND: &str = "Look at the department in the DingTalk console and correct it by hand.";

macro_rules! rows {
    ($($($code:literal)|+ $calls:ident $class:ident $attribute:ident $wait:tt $message:literal, $advice:ident;)*) => {
        &[$(Row {
            codes: &[$($code),+],
            calls: Calls::$calls,
            class: ErrorClass::$class,
            attribute: $attribute,
            wait_secs: $wait,
            message: $message,
            advice: $advice,
        }),*]
    };
}

static ROWS: &[Row] = rows! {
    // Token and credentials: server-api-error-codes-1; new host: obtain-the-access-token-of-an-internal-app, api-gettoken.
    "40014" Any Stopped NONE SOON "DingTalk refuses the access token that it has just issued.", CREDENTIALS;
    "42001" Any Stopped NONE SOON "DingTalk calls the access token expired that it has just issued.", CREDENTIALS;
    "40001" Contacts KindStopped NONE LATER "DingTalk refuses external contacts: the secret is wrong, or the organisation made a field of them mandatory.", MANDATORY; // common-errors
    "40001" Any Stopped NONE SOON "DingTalk refuses the secret or the access token.", CREDENTIALS;
    "InvalidAuthentication" | "unauthorized" Any Stopped NONE SOON "DingTalk refuses the access token that it has just issued.", CREDENTIALS;
    "accesstoken.expired" Any Stopped NONE SOON "DingTalk calls the access token expired that it has just issued.", CREDENTIALS;
    "AuthenticationFailed.MissingParameter" Any Stopped NONE LATER "DingTalk has not found the access token in the call.", REPORT;
    "40000" Any Invalid NONE 0 "DingTalk finds a parameter of the call wrong.", REPORT;
    "40089" | "40096" | "invalidClientIdOrSecret" | "invalid.client" Any Stopped NONE SOON "DingTalk refuses the AppKey or AppSecret.", CREDENTIALS;
    "unauthorized.client" Any Stopped NONE SOON "DingTalk does not let this application have an access token.", CREDENTIALS;

    // Rights and quotas that only chats need; people and departments go on without them: notice-optimization--payment-metering.
    "60011" | "400020" | "43007" | "Forbidden.AccessDenied.AccessTokenPermissionDenied" Chats KindStopped NONE LATER "The application lacks a permission", PERMISSION;
    "90020" | "Forbidden.AccessDenied.ApiCountLimitForOrg" Chats KindStopped NONE RARELY "The organisation has used up its API calls of this month.", QUOTA;

    // The same of external contacts: add-enterprise-external-contacts.
    "60011" | "400020" | "43007" Contacts KindStopped NONE LATER "The application lacks a permission", PERMISSION;

    // The application's rights and the organisation's standing: server-api-error-codes-1.
    "60011" Any Stopped NONE LATER "The application lacks a permission", PERMISSION; // permission-deny
    "400020" | "43007" Any Stopped NONE LATER "The application lacks a permission", PERMISSION;
    "48002" Any Stopped NONE LATER "The application may not use this API", PERMISSION;
    "48004" Any Stopped NONE LATER "The authorisation of the application is no longer valid", PERMISSION;
    "Forbidden.AccessDenied.AccessTokenPermissionDenied" Enterprise Forbidden ENABLED 0 "The application lacks a permission", PERMISSION; // permission-deny
    "Forbidden.AccessDenied.AccessTokenPermissionDenied" Any Stopped NONE LATER "The application lacks a permission", PERMISSION; // permission-deny
    "60020" | "Forbidden.AccessDenied.IpNotInWhiteList" Any Stopped NONE LATER "DingTalk does not accept calls from this server's address", WHITELIST;
    "50003" Any Stopped NONE LATER "The application is disabled in DingTalk.", CORP;
    "50005" Any Stopped NONE LATER "The organisation is disabled in DingTalk.", CORP;
    "70001" Any Stopped NONE LATER "The organisation no longer exists in DingTalk.", CORP;
    "40013" | "33001" | "52010" Any Stopped NONE LATER "DingTalk does not know the organisation of this application.", CORP;
    "orgAuthLevelNotEnough" | "forbidden.accessDenied.realmControl" Chats KindStopped NONE LATER "The certification level of the organisation is too low for chats, or a security control of it forbids them.", CORP;
    "orgAuthLevelNotEnough" | "forbidden.accessDenied.realmControl" Enterprise Forbidden ENABLED 0 "The certification level of the organisation is too low for enterprise accounts, or a security control of it forbids the call.", CORP;
    "orgAuthLevelNotEnough" Any Stopped NONE LATER "The certification level of the organisation is too low.", CORP;
    "forbidden.accessDenied.realmControl" Any Stopped NONE LATER "A security control of the organisation forbids the call.", CORP;
    "50002" Any Forbidden NONE 0 "The person is outside the contact range of the application.", RANGE; // common-errors
    "50004" DepartmentCreate Forbidden PARENT 0 "The department above is outside the contact range of the application.", RANGE; // common-errors
    "50004" Users Forbidden ORG_UNITS 0 "A department of the person is outside the contact range of the application.", RANGE; // common-errors
    "50004" Any Forbidden NONE 0 "The department is outside the contact range of the application.", RANGE; // common-errors

    // Throttles, bans and quotas: call-frequency-limit, how-to-process-api-throttling-on-the-dingtalk-server.
    "90018" | "90019" Any RateLimited NONE 1 "Too many calls per second on one API.", SLOWER;
    "45009" Any RateLimited NONE 1 "Too many calls of this API.", SLOWER;
    "90002" Any RateLimited NONE 0 "All applications together call this API too often.", SLOWER;
    "90005" Any RateLimited NONE 60 "DingTalk has blocked this API for the organisation for a while.", SLOWER;
    "90006" Any RateLimited NONE 60 "DingTalk has blocked this API for the application for a while.", SLOWER;
    "90007" | "90008" | "90009" | "90010" | "90011" | "90012" | "90013" | "90015" | "90016" Any RateLimited NONE 60 "DingTalk throttles the calls of the application.", SLOWER;
    "invokeFrequentyly" Any RateLimited NONE 60 "Too many calls of this API.", SLOWER;
    "90014" Any RateLimited NONE 60 "Too many calls per minute on one API.", SLOWER;
    "90001" Any Stopped NONE 310 "DingTalk has banned this server's address for a while.", BAN;
    "90003" Any Stopped NONE 310 "DingTalk has blocked all calls of the organisation for a while.", BAN;
    "90004" Any Stopped NONE 310 "DingTalk has blocked all calls of the application for a while.", BAN;
    "90017" Any Stopped NONE 310 "DingTalk has blocked this server's address for calling for too many organisations.", BAN;
    "90020" Any RateLimited NONE LATER "The organisation has used up its API calls of this month.", QUOTA; // notice-optimization--payment-metering
    "Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi" Any RateLimited NONE 1 "Too many calls per second on one API.", SLOWER;
    "Forbidden.AccessDenied.QpmLimitForSuitekeyAndOrgAndApi" Any RateLimited NONE 60 "Too many calls per minute on one API.", SLOWER;
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi" Any RateLimited NONE 1 "Too many calls per second on one API.", SLOWER;
    "Forbidden.AccessDenied.QpsLimitForApi" Any RateLimited NONE 0 "All applications together call this API too often.", SLOWER;
    "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi" Any RateLimited NONE 60 "Too many calls per minute on one API.", SLOWER;
    "Forbidden.AccessDenied.ApiCountLimitForOrg" Any RateLimited NONE LATER "The organisation has used up its API calls of this month.", QUOTA;

    // Busy or broken: server-api-error-codes-1, retry.
    "-1" UserCreate Transient NONE 0 "DingTalk says that it is busy; for a new person this may also mean that the limit of people per week or in all is reached.", NOTHING; // common-errors
    "-1" ContactCreate Transient NONE 0 "DingTalk says that it is busy; for external contacts this may also mean that the organisation made a field of them mandatory.", MANDATORY; // common-errors
    "-1" Any Transient NONE 0 "DingTalk says that it is busy.", NOTHING;
    "15" Any Transient NONE 0 "DingTalk itself ran out of time; whether it did its work is not known.", NOTHING;
    "88" Any Transient NONE 0 "DingTalk could not check the access token in time.", NOTHING;
    "1002" | "400001" | "system.error" | "systemError" Any Transient NONE 0 "DingTalk reports an error of its own.", NOTHING;
    "system.busy" Any Transient NONE 0 "DingTalk says that it is busy.", NOTHING;
    "server.error" | "unknownError" Any Transient NONE 0 "DingTalk reports an error of its own.", NOTHING;

    // The form of the call: server-api-error-codes-1. A wrong path concerns every resource, a wrong field one.
    "22" | "404" | "InvalidAction.NotFound" Any Stopped NONE LATER "DingTalk does not know the API that was called.", BASE_URL;
    "40035" Any Invalid NONE 0 "DingTalk finds a parameter of the call wrong or missing.", REPORT;
    "40038" | "400002" Any Invalid NONE 0 "DingTalk finds a parameter of the call wrong.", REPORT;
    "40036" | "660000" Any Invalid NONE 0 "DingTalk finds a required parameter empty.", REPORT;
    "40068" | "40069" | "40070" | "41101" Any Invalid NONE 0 "DingTalk does not take the place or the length of the list.", REPORT;
    "43001" | "43002" | "43003" | "43004" | "43005" | "43008" | "43009" | "44002" Any Invalid NONE 0 "DingTalk does not take the form of the call.", REPORT;
    "40033" Any Invalid NONE 0 "DingTalk does not take escaped characters.", REPORT;
    "47001" Any Invalid NONE 0 "DingTalk cannot read the call.", REPORT;

    // Roles: address-book-add-role, update-the-character-name, delete-role-information,
    // add-role-information-to-employees-in-batches.
    "33011" | "60301" Any NotFound NONE 0 "DingTalk has no role with this id.", ROLE_AGAIN;
    "33012" | "40003" | "60111" | "60121" Roles MissingReference NONE 0 "DingTalk has no account with this userid.", AGAIN;
    "34018" Any Invalid NAME 0 "DingTalk finds the name of the role empty.", FIX_NAME;
    "34020" Any MissingReference ROLE_GROUP 0 "DingTalk has no such role group.", ROLE_AGAIN;
    "34021" Any Conflict NAME 0 "DingTalk already has a role of this name.", OWN_ROLE;
    "23004" | "45016" Any Forbidden NONE 0 "The role is one that DingTalk keeps for itself.", SYSTEM_ROLE;
    "12012" Any MissingReference ROLE_GROUP 0 "DingTalk does not take the role group.", ROLE_AGAIN;
    "45017" Any Invalid NAME 0 "The name of the role is too long.", FIX_NAME;
    "45018" Any Transient NONE RARELY "The organisation has reached its limit of roles.", SEATS;

    // External contacts: add-enterprise-external-contacts, update-enterprise-external-contacts; a busy answer to their
    // creation: common-errors.
    "22005" | "60200" Any Conflict MOBILE 0 "DingTalk already has an external contact with the mobile number.", CONTACT_THERE;
    "60203" Any KindStopped NONE RARELY "The organisation has reached its limit of external contacts.", FEWER_CONTACTS;
    "60204" Any Invalid LABELS 0 "An external contact needs labels that DingTalk knows.", FIX_LABELS;
    "60205" Any KindStopped NONE LATER "External contacts are turned off in the organisation.", CONTACTS_OFF;
    "33012" | "40003" | "60121" ContactCreate MissingReference FOLLOWER 0 "Whoever looks after the external contact has no account in DingTalk.", FIX_FOLLOWER;
    "33012" | "40003" | "60121" Contacts NotFound NONE 0 "DingTalk has no such external contact.", CONTACT_AGAIN;

    // Group chats: create-a-scene-group, create-common-group-new-version-v2, api-updategroup, obtain-a-group-session;
    // 49xxx: server-api-error-codes-1.
    "parameter.invalid" | "paramIllegal" Any Invalid NONE 0 "DingTalk finds a parameter of the call wrong.", REPORT;
    "permession.checkFailed" Any Forbidden OWNER 0 "The application may not do this with the chat, or its owner is outside the contact range of the application.", CHAT_OWNER;
    "member.notFound" Any MissingReference OWNER 0 "The owner of the chat has no account in DingTalk.", WAIT_OWNER;
    "member.exceed" Any Invalid NONE 0 "The chat would have more than the 1,000 members that DingTalk permits.", FEWER;
    "groupTemplate.notFound" Any KindStopped NONE LATER "DingTalk does not know the group template of the target.", TEMPLATE;
    "groupTemplate.permessionDenied.orgNotInGrayList" Any KindStopped NONE LATER "The organisation may not use the group template yet.", TEMPLATE;
    "groupTemplate.permessionDenied.appNotInstalled" Any KindStopped NONE LATER "The application of the group template is not installed in the organisation.", TEMPLATE;
    "groupTemplate.permessionDenied.orgNotConsistent" Any KindStopped NONE LATER "The group template belongs to another organisation.", TEMPLATE;
    "conversation.org.notMatch" Any Forbidden NONE 0 "The chat belongs to another organisation.", CHAT_HAND;
    "chat.notExist" | "invalideChatId" | "34001" | "34013" Any NotFound NONE 0 "DingTalk has no such chat.", CHAT_AGAIN;
    "33012" | "60121" Chats MissingReference NONE 0 "DingTalk has no account with this userid.", AGAIN;
    "60124" Any MissingReference NONE 0 "The person is not in the chat.", CHAT_AGAIN;
    "49000" | "49001" | "49002" | "49008" | "49009" | "49011" | "49012" | "49013" | "49014" | "49017" | "49018" | "49019" Any Invalid NONE 0 "DingTalk refuses the call about the chat.", CHAT_HAND;
    "49003" Any Forbidden OWNER 0 "Only the owner of the chat may do this.", CHAT_OWNER;
    "49004" Any Invalid NONE 0 "Somebody would be added to the chat and removed from it.", REPORT;
    "49005" Any Invalid NONE 0 "The chat would have more members than DingTalk permits.", FEWER;
    "49006" Any Invalid OWNER 0 "The owner of the chat is not one of its members.", CHAT_OWNER;
    "49007" Any KindStopped NONE RARELY "The application has made as many chats as DingTalk permits.", FEWER_CHATS;
    "49010" Any Invalid NONE 0 "DingTalk finds the members of the chat empty.", REPORT;
    "49015" Any Invalid NAME 0 "DingTalk does not take the name of the chat.", FIX_NAME;
    "49016" Any MissingReference NONE 0 "Somebody who is to be in the chat has no account in DingTalk.", AGAIN;
    "49020" | "49021" | "49022" Any Forbidden NONE 0 "Somebody who is to be in the chat does not let themselves be added.", ASK;

    // The person's id: user-information-creation, query-user-details, delete-a-user, common-errors.
    "60102" Any Conflict NONE 0 "DingTalk already has an account with this userid.", TAKEN_ID;
    "33012" | "40003" | "60111" UserCreate Invalid NONE 0 "DingTalk does not take the userid.", REPORT;
    "33012" | "40003" | "46004" | "60111" Users NotFound NONE 0 "DingTalk has no account with this userid.", AGAIN;
    "60121" Users NotFound NONE 0 "DingTalk has no such account: the person left, or has not accepted an invitation yet.", AGAIN;
    "60120" Any Forbidden NONE 0 "The account is disabled in DingTalk.", CORP;

    // Enterprise accounts: enable-a-dedicated-account, disable-an-exclusive-account, query-dedicated-account-status-1.
    "user.not.exist" | "emp.not.exist" | "employee.not.exist" | "empNotExists" | "staff.not.found" Any NotFound NONE 0 "DingTalk has no account with this userid.", AGAIN;
    "businessError" Any Forbidden NONE 0 "A rule of the organisation forbids it.", CORP;
    "invalid.param" Any Invalid NONE 0 "DingTalk finds a parameter of the call wrong.", REPORT;
    "exclusive.account.only" | "exclusive.account.limit" Any Forbidden ENABLED 0 "The account is none of the organisation's enterprise accounts, so it cannot be turned off.", NOT_OURS;

    // The mobile number: user-information-creation, user-information-update, common-errors.
    "40103" Any Invited NONE 0 "DingTalk has invited the person; the account appears when they accept.", ACCEPT;
    "60103" Any Invalid MOBILE 0 "DingTalk does not take the mobile number.", FIX_MOBILE;
    "40104" Any Invalid MOBILE 0 "DingTalk does not take the mobile number.", FIX_MOBILE; // query-users-by-phone-number
    "60113" Any Invalid MOBILE 0 "The person has neither a mobile number nor an e-mail address.", FIX_MOBILE;
    "60118" Any Invalid MOBILE 0 "The person has no mobile number.", FIX_MOBILE;
    "60104" Any Conflict MOBILE 0 "Another account of this organisation already has the mobile number.", OWN_MOBILE;
    "60107" Any Conflict MOBILE 0 "The owner of the mobile number is already here under another number.", OWN_MOBILE;
    "40021" Any Conflict MOBILE 0 "The new mobile number is already registered with DingTalk.", KEEP_MOBILE;
    "40022" Any Conflict MOBILE 0 "The mobile number differs from the one the person signs in with.", KEEP_MOBILE;
    "41054" Any Conflict MOBILE 0 "The mobile number of an account cannot be changed by an application.", KEEP_MOBILE;
    "40019" Any Forbidden NONE 0 "The person already belongs to five organisations without certification.", SEATS;

    // Other attributes of a person: user-information-creation, user-information-update, server-api-error-codes-1.
    "60105" Any Invalid EMAIL 0 "DingTalk does not take the e-mail address.", FIX_EMAIL;
    "60106" | "40101" Any Conflict EMAIL 0 "Another account of this organisation already has the e-mail address.", OWN_EMAIL;
    "40100" Any Conflict TELEPHONE 0 "Another account of this organisation already has the work number.", OWN_TELEPHONE;
    "40063" Any Invalid TELEPHONE 0 "DingTalk does not take the work number.", FIX_VALUE;
    "40064" Any Invalid WORK_PLACE 0 "DingTalk does not take the office.", FIX_VALUE;
    "40065" Any Invalid REMARK 0 "DingTalk does not take the remark.", FIX_VALUE;
    "60119" Any Invalid TITLE 0 "DingTalk does not take the title.", FIX_VALUE;
    "60123" Any Invalid JOB_NUMBER 0 "DingTalk does not take the employee number.", FIX_VALUE;
    "60122" Any Invalid CUSTOM 0 "DingTalk does not take the custom fields.", FIX_VALUE;
    "60112" Any Invalid NAME 0 "DingTalk does not take the name.", FIX_NAME;
    "60022" Any Invalid NONE 0 "DingTalk finds forbidden words in a value.", FIX_VALUE;
    "60128" Any MissingReference MANAGER 0 "The manager has no account in DingTalk.", WAIT_MANAGER;
    "12150" UserUpdate Forbidden TITLE 0 "DingTalk's own personnel system (智能人事) keeps the title and the departments of people.", HRM; // common-errors

    // A person's departments: user-information-creation, server-api-error-codes-1.
    "60003" | "60004" Users MissingReference ORG_UNITS 0 "A department of the person is not in DingTalk.", WAIT_DEPARTMENT;
    "40066" | "40025" Any MissingReference ORG_UNITS 0 "A department of the person is not in DingTalk.", WAIT_DEPARTMENT;
    "40009" Users MissingReference ORG_UNITS 0 "A department of the person is not in DingTalk.", WAIT_DEPARTMENT;
    "40023" Any Invalid ORG_UNITS 0 "A department of the person is full: DingTalk permits 1,000 people in one.", MOVE;

    // Registering callbacks, which Rollcall leaves to the console: server-api-error-codes-1.
    "71006" | "71007" | "71008" | "71009" | "71010" | "71011" | "71012" | "71013" Any Invalid NONE 0 "DingTalk does not take the registration of a callback.", REPORT;
    "400040" | "400041" | "400042" | "400043" | "400044" | "400045" | "400046" | "400047" | "400048" | "400049" | "400050" | "400051" | "400052" | "400053" | "400054" | "400055" | "400056" | "400057" Any Invalid NONE 0 "DingTalk does not take the registration of a callback.", REPORT;

    // Limits of the organisation: common-errors. They end by what happens elsewhere, never by a new value.
    "40020" | "40024" Any Transient NONE RARELY "The organisation has reached its limit of people.", SEATS;
    "45024" Any Transient NONE RARELY "The organisation has reached its limit of accounts.", SEATS;
    "60110" Any Transient NONE RARELY "The organisation has reached its limit of departments.", SEATS;

    // Departments: address-book-creation-department-established-department, address-book-update-department,
    // address-book-deletion-department, query-department-details0-v2.
    "60003" DepartmentCreate MissingReference PARENT 0 "The department above is not in DingTalk.", WAIT_DEPARTMENT;
    "60003" DepartmentChildren MissingReference PARENT 0 "The department above is not in DingTalk.", WAIT_DEPARTMENT;
    "60003" Departments NotFound NONE 0 "DingTalk has no department with this id.", WAIT_DEPARTMENT;
    "60004" | "40010" Departments MissingReference PARENT 0 "The department above is not in DingTalk.", WAIT_DEPARTMENT;
    "40009" Departments Invalid NONE 0 "DingTalk does not take the id of the department.", HAND;
    "60021" Any Conflict NAME 0 "Another department under the same one already has the name.", OWN_NAME; // server-api-error-codes-1
    "60008" Any Conflict NAME 0 "Another department under the same one already has the name.", OWN_NAME;
    "60016" Any Conflict NAME 0 "DingTalk already has the department.", OWN_NAME;
    "60001" Any Invalid NAME 0 "DingTalk does not take the name of the department.", FIX_NAME;
    "60009" Any Invalid NAME 0 "DingTalk does not take the name of the department: it holds a hyphen, a comma or a forbidden sign.", FIX_NAME;
    "60002" Any Invalid PARENT 0 "The department would be too deep in the tree.", MOVE;
    "60010" Any Transient PARENT 0 "The department would stand under itself until another one has moved.", MOVE;
    "60005" Any Transient NONE 0 "The department, or one under it, still has people.", EMPTY;
    "60006" Any Transient NONE 0 "The department still has departments under it.", EMPTY;
    "60007" Any Forbidden NONE 0 "The department at the top cannot be deleted.", HAND;
    "60017" | "60018" Any Forbidden NONE 0 "The department at the top cannot be changed.", HAND;
    "60019" Any Transient NONE 0 "DingTalk could not read the people of the department.", NOTHING;
    "40011" Any Invalid ORDER 0 "DingTalk does not take the order of the department.", HAND;
    "40031" Any MissingReference HEADS 0 "A head of the department is not one of its people.", WAIT_HEAD;
    "40093" Any Invalid NONE 0 "The owner of the department's group is not one of its people.", HAND;
    "60067" Any Invalid NONE 0 "The department's group has no owner.", HAND;
    "60068" Any Invalid NONE 0 "The department has no manager.", HAND;
    "60109" | "600109" Any Invalid HIDDEN 0 "DingTalk does not take the list of who may see the department.", HAND;
    "60510" Any Transient HIDDEN 0 "DingTalk could not set who may see the department.", NOTHING;
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_line_is_hidden_behind_another() {
        let mut seen: HashSet<(&str, Calls)> = HashSet::new();
        for row in ROWS {
            for code in row.codes {
                assert!(!seen.contains(&(*code, Calls::Any)), "{code} is never reached");
                assert!(seen.insert((*code, row.calls)), "{code} stands twice");
            }
        }
    }

    #[test]
    fn every_line_speaks_to_people() {
        for row in ROWS {
            assert!(row.message.chars().next().is_some_and(char::is_uppercase), "{}", row.message);
            assert!(row.advice.ends_with('.'), "{}", row.advice);
        }
    }

    #[test]
    fn what_stops_a_target_says_when_to_come_back() {
        for row in ROWS.iter().filter(|row| matches!(row.class, ErrorClass::Stopped | ErrorClass::KindStopped)) {
            assert!(row.wait_secs >= SOON, "{:?} would be asked again at once", row.codes);
        }
    }
}
