//! Who decides at the command line.

use crate::cli::ByArg;
use rollcall_api::services::who;

/// Where the system keeps the names of its users.
const PASSWD: &str = "/etc/passwd";

/// Who decides, as it is kept: the name that was given, or that of the user who runs this process.
pub(super) fn decides(by: &ByArg) -> String {
    let name = by.by.clone().unwrap_or_else(|| {
        let uid = rustix::process::getuid().as_raw();
        let names = std::fs::read_to_string(PASSWD).unwrap_or_default();
        name_of(&names, uid).map_or_else(|| format!("user {uid}"), str::to_owned)
    });
    who::command_line(&name)
}

fn name_of(names: &str, uid: u32) -> Option<&str> {
    names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_system() {
        let names = "root:x:0:0:root:/root:/bin/sh\nbroken\nmaria:x:1000:100::/home/maria:/bin/sh\n";
        assert_eq!((name_of(names, 0), name_of(names, 1000), name_of(names, 7)), (Some("root"), Some("maria"), None));
        let by = ByArg { by: Some("jo".to_owned()) };
        assert_eq!(decides(&by), "command line jo");
    }
}
