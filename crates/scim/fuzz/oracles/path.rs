//! Paths of PATCH: what is read prints as text that reads the same.

use rollcall_scim::path::PatchTarget;
use rollcall_scim::profile::Profile;
use rollcall_scim::projection::Projection;

use super::types;

/// Any text.
pub(crate) fn check(text: &str) {
    for rt in types() {
        for profile in [Profile::generic(), Profile::strict()] {
            if let Ok(PatchTarget::Path(path)) = PatchTarget::parse(text, &rt, &profile) {
                let printed = path.to_string();
                assert!(rt.attribute(&path.path).is_some(), "{printed} names nothing");
                assert_eq!(PatchTarget::parse(&printed, &rt, &profile), Ok(PatchTarget::Path(path)), "{printed}");
            }
        }
        let _ = Projection::parse(&rt, Some(text), None);
        let _ = Projection::parse(&rt, None, Some(text));
    }
}
