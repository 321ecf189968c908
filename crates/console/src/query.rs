//! What an address asks for after its question mark.

use crate::trouble::Trouble;
use axum::extract::{FromRequestParts, Query as Parsed};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The query of a page. One that does not read as `T` is no page, as a wrong path is none, and says so in HTML.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Trouble> {
        let Parsed(query) = Parsed::try_from_uri(&parts.uri).map_err(|_| Trouble::NoSuchPage)?;
        Ok(Self(query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use uuid::Uuid;

    #[derive(Deserialize)]
    struct Asked {
        target: Option<Uuid>,
    }

    async fn asked(query: &str) -> Result<Option<Uuid>, Trouble> {
        let request = http::Request::builder().uri(format!("/console/people?{query}")).body(()).expect("a request");
        let (mut parts, ()) = request.into_parts();
        let Query(asked) = Query::<Asked>::from_request_parts(&mut parts, &()).await?;
        Ok(asked.target)
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_no_page() {
        for query in ["target=x", "target=", "target=00000000-0000-0000-0000-000000000007&target=x", "target=%FF"] {
            assert!(matches!(asked(query).await, Err(Trouble::NoSuchPage)), "{query}");
        }
        for (query, expected) in [("", None), ("else=x", None), (&format!("target={}", Uuid::max()), Some(Uuid::max()))]
        {
            assert_eq!(asked(query).await.expect(query), expected, "{query}");
        }
    }
}
