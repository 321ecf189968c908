//! What keeps other sites out: headers on every answer, and forms that are taken from our own pages alone.

use crate::trouble::Trouble;
use crate::view::FRAGMENT;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

/// Everything comes from this server, nothing is inline, nobody may frame it. `connect-src` is for the script that
/// asks for the page again.
const CONTENT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
                       form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Sets the headers that a handler has not chosen itself.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    // Other than `no-referrer`, `same-origin` lets our own forms name their origin, which is checked when they come in.
    const ALWAYS: [(HeaderName, HeaderValue); 6] = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    headers.append(VARY, HeaderValue::from(FRAGMENT));
    response
}

type Refuse = fn(ProtectionError) -> Response;

/// Refuses what another site posts: a browser says where a request comes from (`Sec-Fetch-Site`, else `Origin`).
pub(crate) fn own_forms_only() -> CsrfLayer<Refuse> {
    let refuse: Refuse = |_| Trouble::ForeignForm.into_response();
    CsrfLayer::new().with_rejection_response(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use http::{Method, StatusCode};
    use tower::ServiceExt as _;

    async fn answer(method: Method, headers: &[(&str, &str)]) -> Response {
        let router = Router::new()
            .route("/console/retry", post(async || "done").get(async || "read"))
            .layer(own_forms_only())
            .layer(from_fn(super::headers));
        let mut request = Request::builder().method(method).uri("/console/retry").header("host", "rollcall.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
    }

    #[tokio::test]
    async fn forms_of_other_sites_are_refused() {
        for (headers, taken) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("origin", "http://rollcall.example")], true),
            (vec![("origin", "https://rollcall.example")], true),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "null")], false),
        ] {
            let status = answer(Method::POST, &headers).await.status();
            let expected = if taken { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{headers:?}");
            assert_eq!(
                answer(Method::GET, &headers).await.status(),
                StatusCode::OK,
                "reading is harmless: {headers:?}"
            );
        }
    }

    #[tokio::test]
    async fn every_answer_is_protected_also_a_refusal() {
        for headers in [vec![], vec![("sec-fetch-site", "cross-site")]] {
            let response = answer(Method::POST, &headers).await;
            let header = |name: HeaderName| {
                response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
            };
            let policy = header(CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert_eq!(header(CACHE_CONTROL), "no-store");
            assert_eq!(header(REFERRER_POLICY), "same-origin");
        }
    }
}
