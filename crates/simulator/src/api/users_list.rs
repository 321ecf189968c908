//! The members of a department: in full, by name, by id (pages A0062, A0066, A0065).

use serde_json::{Map, Value, json};

use crate::corp::Corp;
use crate::corp::user::User;
use crate::errcode::{Errcode, INVALID_ARGUMENT, INVALID_OFFSET, INVALID_SIZE, Refusal};
use crate::params::Params;

use super::{Caller, result, wire};

/// Largest page.
const PAGE_SIZE: i64 = 100;

/// One page of the direct members with what an app may know of them. Managers are not told here.
pub(crate) fn list(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let wrong = PageErrors { cursor: INVALID_ARGUMENT, size: INVALID_ARGUMENT };
    let page = read_page(corp, caller, params, wrong)?;
    let list = page.members.iter().map(|user| wire::user_in_department(corp, caller.app, user, page.dept_id)).collect();
    Ok(page.answer(corp, list))
}

/// One page of the direct members with id and name.
pub(crate) fn list_simple(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let wrong = PageErrors { cursor: INVALID_OFFSET, size: INVALID_SIZE };
    let page = read_page(corp, caller, params, wrong)?;
    let list = page.members.iter().map(|user| json!({ "userid": user.userid, "name": user.name })).collect();
    Ok(page.answer(corp, list))
}

/// The ids of all direct members, whatever the contact range.
pub(crate) fn list_ids(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let dept_id = corp.existing_department(params.required_integer("dept_id")?)?.dept_id;
    let userids: Vec<&str> = corp.in_some_order(corp.users.members(dept_id).collect());
    Ok(result(json!({ "userid_list": userids })))
}

/// The errors of the two paging parameters, which differ between the lists.
#[derive(Clone, Copy, Debug)]
struct PageErrors {
    cursor: Errcode,
    size: Errcode,
}

/// Some of the members of a department.
#[derive(Debug)]
struct Page<'c> {
    dept_id: i64,
    members: Vec<&'c User>,
    next_cursor: usize,
    has_more: bool,
}

impl Page<'_> {
    fn answer(&self, corp: &Corp, list: Vec<Value>) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("has_more".to_owned(), json!(self.has_more));
        if self.has_more || corp.switches.next_cursor_on_last_page {
            body.insert("next_cursor".to_owned(), json!(self.next_cursor));
        }
        body.insert("list".to_owned(), Value::Array(list));
        result(Value::Object(body))
    }
}

fn read_page<'c>(corp: &'c Corp, caller: Caller<'_>, params: &Params, wrong: PageErrors) -> Result<Page<'c>, Refusal> {
    let department = caller.department(corp, params.required_integer("dept_id")?)?;
    let cursor = params.required_integer("cursor")?;
    let cursor = usize::try_from(cursor).map_err(|_| wrong.cursor.about("cursor"))?;
    let size = Some(params.required_integer("size")?).filter(|size| (1..=PAGE_SIZE).contains(size));
    let size = size.and_then(|size| usize::try_from(size).ok()).ok_or_else(|| wrong.size.about("size"))?;
    let all = ordered_members(corp, department.dept_id, params)?;
    let members: Vec<&User> = all.iter().copied().skip(cursor).take(size).collect();
    let next_cursor = cursor + members.len();
    Ok(Page { dept_id: department.dept_id, has_more: next_cursor < all.len(), members, next_cursor })
}

/// The direct members in the order asked for. The default is the one people see: larger `order` first.
fn ordered_members<'c>(corp: &'c Corp, dept_id: i64, params: &Params) -> Result<Vec<&'c User>, Refusal> {
    let mut members: Vec<&User> = corp.users.members(dept_id).filter_map(|id| corp.find_user(id)).collect();
    let Some(order) = params.text("order_field")? else {
        members.sort_by_key(|user| std::cmp::Reverse(user.order_in(dept_id)));
        return Ok(corp.in_some_order(members));
    };
    match order.as_str() {
        "custom" => members.sort_by_key(|user| std::cmp::Reverse(user.order_in(dept_id))),
        "entry_asc" => members.sort_by_key(|user| user.created),
        "entry_desc" => members.sort_by_key(|user| std::cmp::Reverse(user.created)),
        "modify_asc" => members.sort_by_key(|user| user.modified),
        "modify_desc" => members.sort_by_key(|user| std::cmp::Reverse(user.modified)),
        _ => return Err(INVALID_ARGUMENT.about("order_field")),
    }
    Ok(members)
}
