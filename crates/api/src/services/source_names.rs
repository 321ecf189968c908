//! Names of sources in what guards say: they count by id, and people know names.

use crate::error::ApiError;
use rollcall_provisioning::guard::Guard;
use rollcall_provisioning::ids::TenantId;
use rollcall_store::Store;

/// The guards that count source by source.
const BY_SOURCE: [Guard; 2] = [Guard::SourceDeactivate, Guard::SourceEmpty];

/// The names of a tenant's sources, each by what a guard calls it.
#[derive(Default, Debug)]
pub(super) struct SourceNames(Vec<(String, String)>);

impl SourceNames {
    pub(super) async fn of(store: &Store, tenant: TenantId) -> Result<Self, ApiError> {
        let sources = store.sources(tenant).await?;
        let named = |guard: Guard| {
            sources.iter().map(move |source| {
                let word = guard.as_str();
                (format!("{word}:{}", source.id), format!("{word}:{}", source.name))
            })
        };
        Ok(Self(BY_SOURCE.into_iter().flat_map(named).collect()))
    }

    /// The same text with names.
    pub(super) fn told(&self, text: &str) -> String {
        let named = self.0.iter().filter(|(id, _)| text.contains(id.as_str()));
        named.fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names() {
        let names = SourceNames(vec![("source.deactivate:17".to_owned(), "source.deactivate:okta".to_owned())]);
        assert_eq!(names.told("source.deactivate:17: 7 at once"), "source.deactivate:okta: 7 at once");
        assert_eq!(names.told("people.remove: 17 at once"), "people.remove: 17 at once");
    }
}
