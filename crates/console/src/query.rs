//! What an address names, and what it asks for after its question mark.

use crate::trouble::Trouble;
use axum::extract::{FromRequestParts, Path, Query as Parsed};
use http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// What an address names, an id most of the time. What does not read as `T` is no page, and says so in HTML.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InPath<T = Uuid>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let Path(named) = Path::from_request_parts(parts, state).await.map_err(|_| Trouble::NoSuchPage)?;
        Ok(Self(named))
    }
}

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

/// A text as a part of a query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

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
