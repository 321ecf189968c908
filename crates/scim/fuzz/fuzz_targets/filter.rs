//! Any text either is refused or is a filter that prints as text with the same meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::builtin::user_type;

fuzz_target!(|text: &str| {
    let rt = user_type();
    if let Ok(filter) = Filter::parse(text, &rt, &Profile::generic()) {
        let printed = filter.to_string();
        assert_eq!(Filter::parse(&printed, &rt, &Profile::generic()).as_ref(), Ok(&filter), "{printed}");
    }
});
