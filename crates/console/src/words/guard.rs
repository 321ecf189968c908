//! Guards in words.

use crate::words::count::number;
use rollcall_api::services::guards::TripView;

/// What a guard counts, for people; the word itself for one that is not known here.
pub fn label(guard: &str) -> &str {
    match guard {
        "people.remove" => "Accounts removed",
        "people.deactivate" => "Enterprise accounts turned off",
        "people.create" => "Accounts created",
        "people.move" => "People who change departments",
        "identity.change" => "Mobile number, e-mail or job number changed",
        "fields.blanked" => "One attribute emptied",
        "fields.changed" => "One attribute changed",
        "departments.remove" => "Departments removed",
        "members.remove" => "Members taken out of one role or chat",
        "source.deactivate" => "People whom one source sends away",
        "source.empty" => "People whom a source has no longer",
        "managers.lost" => "People who lose their manager",
        "administrators.lost" => "Administrators who lose their account",
        "protected" => "Changes to a protected account",
        "quota" => "Calls of a plan",
        other => other,
    }
}

/// The label of an effect, with the attribute where that is counted by itself.
pub fn of_effect(effect: &str) -> String {
    match effect.split_once(':') {
        Some((guard @ ("fields.blanked" | "fields.changed"), attribute)) => format!("{}: {attribute}", label(guard)),
        Some((guard, _)) => label(guard).to_owned(),
        None => label(effect).to_owned(),
    }
}

/// What holds a delivery, as `held_by` names it.
pub fn held_name(held_by: &str) -> String {
    match held_by.split_once(':') {
        Some(("guard", effect)) => of_effect(effect),
        Some(("mapping", version)) => format!("Version {version} of the mapping"),
        _ if held_by == "adoption" => "Adoption".to_owned(),
        _ if held_by == "rehearsal" => "Rehearsal".to_owned(),
        _ => held_by.to_owned(),
    }
}

/// How much of how many was too much.
pub fn too_much(trip: &TripView) -> String {
    let window = match trip.window.as_str() {
        "day" => "in 24 hours",
        "week" => "in seven days",
        _ => "at once",
    };
    format!("{} {window}; {} are let pass, of {}", number(trip.observed), number(trip.most), number(trip.base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::guard::Guard;

    #[test]
    fn every_guard_has_words_of_its_own() {
        for guard in Guard::all() {
            assert_ne!(label(guard.as_str()), guard.as_str(), "{}", guard.as_str());
        }
        for (effect, expected) in [
            ("people.remove", "Accounts removed"),
            ("fields.blanked:title", "One attribute emptied: title"),
            ("source.empty:0190a5d2", "People whom a source has no longer"),
        ] {
            assert_eq!(of_effect(effect), expected);
        }
    }
}
