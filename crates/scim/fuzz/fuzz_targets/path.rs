//! Any text either is refused or is a path that prints as text with the same meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_scim::path::PatchTarget;
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::builtin::user_type;

fuzz_target!(|text: &str| {
    let rt = user_type();
    if let Ok(PatchTarget::Path(path)) = PatchTarget::parse(text, &rt, &Profile::generic()) {
        let printed = path.to_string();
        let again = PatchTarget::parse(&printed, &rt, &Profile::generic());
        assert_eq!(again, Ok(PatchTarget::Path(path)), "{printed}");
    }
});
