//! Functions of telephone numbers.

use super::{Answer, Arguments, absent, optional_text, required_text, text};
use crate::mobile::{self, MobileError, Registered};
use cel::ExecutionError;
use phonenumber::country::Id as Region;

pub(super) fn dingtalk<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    form("dingTalkPhone", &arguments, |number, region| mobile::target_form(number, region, Registered::Mainland))
}

pub(super) fn dingtalk_abroad<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    form("dingTalkPhone", &arguments, |number, region| mobile::target_form(number, region, Registered::Abroad))
}

pub(super) fn e164<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    form("e164", &arguments, mobile::e164)
}

fn form<'b, 'v>(
    function: &'static str,
    arguments: &Arguments<'b, 'v>,
    write: impl FnOnce(&str, Option<Region>) -> Result<String, MobileError>,
) -> Answer<'b, 'v> {
    let region = if arguments.len() > 1 {
        let name = required_text(function, arguments, 1)?;
        let problem = || ExecutionError::function_error(function, "the region must be two letters such as \"HK\"");
        Some(name.to_ascii_uppercase().parse::<Region>().map_err(|_| problem())?)
    } else {
        None
    };
    match optional_text(function, arguments, 0)?.filter(|number| !number.trim().is_empty()) {
        None => Ok(absent()),
        Some(number) => match write(number, region) {
            Ok(form) => text(function, form),
            Err(error) => Err(ExecutionError::function_error(function, error)),
        },
    }
}
