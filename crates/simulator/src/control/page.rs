//! `GET /_simulator/`: the organisation as a page that people can watch while it fills. Read-only.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};

use crate::calls::CallRecord;
use crate::corp::user::User;
use crate::corp::{Corp, ROOT};
use crate::simulator::{Simulator, World};

/// So much is shown at most, to keep the page quick in a large organisation.
const DEPARTMENTS_SHOWN: usize = 500;
const PEOPLE_SHOWN: usize = 200;
const CALLS_SHOWN: usize = 12;

/// The page allows nothing but its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:light-dark(#595959,#a8a8a8)}\
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:1.5rem auto;padding:0 1rem}\
h1{font-size:1.3rem;margin:0}h2{font-size:1rem;margin:1.5rem 0 .4rem}\
p{margin:.2rem 0}ul{list-style:none;margin:0;padding:0}li{padding:.1rem 0}\
.department{font-weight:600;border-block-start:1px solid var(--line);margin-block-start:.3rem}\
.soft{color:var(--soft);font-weight:400}table{border-collapse:collapse;width:100%}\
td,th{text-align:start;padding:.1rem .8rem .1rem 0;border-block-end:1px solid var(--line)}";

/// Shows the page.
pub(super) async fn show(State(simulator): State<Simulator>) -> impl IntoResponse {
    let page = simulator.with(|world| render(world));
    ([(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")], Html(page))
}

fn render(world: &World) -> String {
    let corp = &world.corp;
    let tree = tree(corp);
    let calls = calls(&world.calls.newest_commits(CALLS_SHOWN));
    let invitations = invitations(corp);
    let name = escape(&corp.organisation.name);
    let (people, departments) = (corp.users.len(), corp.departments.len());
    let call_count = world.calls.last_seq();
    let (roles, groups) = (corp.roles.iter().count(), corp.roles.groups().count());
    let (chats, contacts) = (corp.chats.living(), corp.external.iter().count());
    let accounts = corp.users.iter().filter(|user| user.exclusive.is_some()).count();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"2\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>DingTalk simulator</title><style>{STYLE}</style></head><body>\
         <h1>DingTalk simulator: <span dir=\"auto\">{name}</span></h1>\
         <p class=\"soft\">{people} people in {departments} departments, {accounts} of them with enterprise accounts; \
         {roles} roles in {groups} groups; {chats} chats; {contacts} external contacts; {call_count} calls so far. \
         This page renews itself every two seconds.</p>\
         <h2>Departments and people</h2><ul>{tree}</ul>{invitations}\
         <h2>Latest changes through the API</h2>{calls}</body></html>\n"
    )
}

fn tree(corp: &Corp) -> String {
    let mut html = String::new();
    let ids = corp.departments.subtree(ROOT);
    for &dept_id in ids.iter().take(DEPARTMENTS_SHOWN) {
        let Some(department) = corp.departments.get(dept_id) else { continue };
        let indent = corp.departments.path_to_root(dept_id).len().saturating_sub(1) * 2;
        let members: Vec<&User> = corp.users.members(dept_id).filter_map(|id| corp.find_user(id)).collect();
        let (name, count) = (escape(&department.name), members.len());
        put(
            &mut html,
            format_args!(
                "<li class=\"department\" style=\"margin-inline-start:{indent}em\"><span dir=\"auto\">{name}</span> \
                 <span class=\"soft\">{dept_id} · {count} people</span></li>"
            ),
        );
        for user in members.iter().take(PEOPLE_SHOWN) {
            put(
                &mut html,
                format_args!("<li style=\"margin-inline-start:{}em\">{}</li>", indent + 2, person(corp, user, dept_id)),
            );
        }
        more(&mut html, count.saturating_sub(PEOPLE_SHOWN), "people");
    }
    more(&mut html, ids.len().saturating_sub(DEPARTMENTS_SHOWN), "departments");
    html
}

fn person(corp: &Corp, user: &User, dept_id: i64) -> String {
    let title = user.title.as_deref().map(|title| format!(" · <span dir=\"auto\">{}</span>", escape(title)));
    let manager = user.manager_userid.as_deref().and_then(|manager| corp.find_user(manager));
    let manager = manager.map(|manager| format!(" · reports to <span dir=\"auto\">{}</span>", escape(&manager.name)));
    let leads = if corp.leads(&user.userid, dept_id) { " · leads the department" } else { "" };
    let disabled = user.exclusive.as_ref().is_some_and(|account| account.disabled);
    let standing = match (disabled, user.active) {
        (true, _) => " · disabled",
        (false, false) => " · not yet logged in",
        (false, true) => "",
    };
    format!(
        "<span dir=\"auto\">{}</span> <span class=\"soft\">{}{}{}{leads}{standing}</span>",
        escape(&user.name),
        escape(&user.userid),
        title.unwrap_or_default(),
        manager.unwrap_or_default(),
    )
}

fn invitations(corp: &Corp) -> String {
    if corp.invitations.is_empty() {
        return String::new();
    }
    let mut html = "<h2>Invited, not yet accepted</h2><ul>".to_owned();
    for (mobile, invitation) in corp.invitations.iter().take(PEOPLE_SHOWN) {
        let (name, mobile) = (escape(&invitation.draft.name), escape(&mobile.to_string()));
        let soft = format!("<span class=\"soft\">{mobile}</span>");
        put(&mut html, format_args!("<li><span dir=\"auto\">{name}</span> {soft}</li>"));
    }
    more(&mut html, corp.invitations.len().saturating_sub(PEOPLE_SHOWN), "invitations");
    html.push_str("</ul>");
    html
}

fn calls(records: &[CallRecord]) -> String {
    if records.is_empty() {
        return "<p class=\"soft\">None yet.</p>".to_owned();
    }
    let mut html = "<table><tr><th>At</th><th>API</th><th>Concerning</th><th>Answer</th></tr>".to_owned();
    for record in records {
        let department = record.dept_id.map(|dept_id| dept_id.to_string());
        let subject = record.userid.clone().or(department).or_else(|| record.mobile.clone()).unwrap_or_default();
        let answer = match (record.status, record.errcode) {
            (None, _) => "connection cut".to_owned(),
            (Some(_), Some(errcode)) => format!("errcode {errcode}"),
            (Some(status), None) => format!("HTTP {status}"),
        };
        let (seconds, tenths) = (record.at_ms / 1_000, record.at_ms % 1_000 / 100);
        let (api, subject) = (escape(&record.api), escape(&subject));
        put(
            &mut html,
            format_args!("<tr><td>{seconds}.{tenths} s</td><td>{api}</td><td>{subject}</td><td>{answer}</td></tr>"),
        );
    }
    html.push_str("</table>");
    html
}

fn more(html: &mut String, hidden: usize, what: &str) {
    if hidden > 0 {
        put(html, format_args!("<li class=\"soft\">… and {hidden} more {what}</li>"));
    }
}

fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    html.write_fmt(text).ok();
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_in_names_stays_text() {
        assert_eq!(escape("<b title='x'>&\"</b>"), "&lt;b title=&#39;x&#39;&gt;&amp;&quot;&lt;/b&gt;");
    }
}
