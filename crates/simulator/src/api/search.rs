//! Searching members and departments by name on the new host (page A0060 and its neighbour for departments).

use serde_json::{Value, json};

use crate::corp::Corp;
use crate::params::Params;

use super::{Caller, NewRefusal};

/// Largest page.
const PAGE_SIZE: usize = 20;

/// What a search asks for.
struct Search {
    word: String,
    whole_name: bool,
    offset: usize,
    size: usize,
}

/// User ids of members whose name holds the word. Pinyin and English names, which DingTalk searches too, are unknown here.
pub(crate) fn users(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let search = Search::read(params)?;
    let range = caller.app.range.as_ref();
    let found = corp.users.iter().filter(|user| search.matches(&user.name) && corp.covers_user(range, user));
    Ok(search.answer(corp.in_some_order(found.map(|user| json!(user.userid)).collect())))
}

/// Ids of departments whose name holds the word.
pub(crate) fn departments(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let search = Search::read(params)?;
    let range = caller.app.range.as_ref();
    let found = corp
        .departments
        .iter()
        .filter(|department| search.matches(&department.name) && corp.covers_department(range, department.dept_id));
    Ok(search.answer(corp.in_some_order(found.map(|department| json!(department.dept_id)).collect())))
}

impl Search {
    fn read(params: &Params) -> Result<Self, NewRefusal> {
        let wrong = |name: &str| NewRefusal::new(400, "parameter.error", format!("参数错误: {name}"));
        let count = |name: &str| {
            let count = params.required_integer(name).ok().and_then(|count| usize::try_from(count).ok());
            count.ok_or_else(|| wrong(name))
        };
        let word = params.required_text("queryWord").map_err(|_| wrong("queryWord"))?.to_lowercase();
        let whole_name = params.integer("fullMatchField").map_err(|_| wrong("fullMatchField"))? == Some(1);
        let (offset, size) = (count("offset")?, count("size")?);
        if !(1..=PAGE_SIZE).contains(&size) {
            return Err(wrong("size"));
        }
        Ok(Self { word, whole_name, offset, size })
    }

    fn matches(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        if self.whole_name { name == self.word } else { name.contains(&self.word) }
    }

    fn answer(&self, found: Vec<Value>) -> Value {
        let total = found.len();
        let list: Vec<Value> = found.into_iter().skip(self.offset).take(self.size).collect();
        json!({ "hasMore": self.offset + list.len() < total, "totalCount": total, "list": list })
    }
}
