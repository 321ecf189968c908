//! The body of a request for a token (RFC 6749 §3.2, appendix B).

use super::No;
use crate::body::{check_encoding, read};
use crate::edge::arrival::Arrival;
use crate::query_text::decode;
use axum::extract::Request;
use http::header::CONTENT_TYPE;
use std::collections::BTreeMap;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The parameters of a request for a token. Those without a value count as left out.
#[derive(Debug)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads parameters.
    ///
    /// # Errors
    /// When one cannot be decoded, or is given twice.
    pub(super) fn parse(text: &str) -> Result<Self, No> {
        let mut form = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text| decode(text).map_err(|problem| No::Request(format!("a parameter {problem}")));
            let (name, value) = (plain(name)?, plain(value)?);
            if !value.is_empty() && form.insert(name.clone(), value).is_some() {
                return Err(No::Request(format!("the parameter {name:?} is given twice")));
            }
        }
        Ok(Self(form))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The parameters in the body of a request.
///
/// # Errors
/// When the body is no form.
pub(super) async fn of(request: Request) -> Result<Form, No> {
    let media_type = request.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media_type = media_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(MEDIA_TYPE) {
        return Err(No::Request(format!("the body must be of the type {MEDIA_TYPE}")));
    }
    check_encoding(request.headers())?;
    let arrival = request.extensions().get::<Arrival>().cloned().unwrap_or_default();
    let bytes = read(request.into_body(), &arrival).await?;
    let text = String::from_utf8(bytes).map_err(|_| No::Request("the body is not UTF-8".to_owned()))?;
    Form::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_once() {
        for (text, value) in [
            ("a=b", Some("b")),
            ("a=b+c%26d&x=y", Some("b c&d")),
            ("a=", None),
            ("a", None),
            ("", None),
            ("a=&a=b", Some("b")),
            ("%61=b", Some("b")),
        ] {
            assert_eq!(Form::parse(text).expect(text).get("a"), value, "{text}");
        }
        for text in ["a=b&a=b", "a=%zz", "a=%00", "a=%ff", "a=b&%61=c"] {
            assert!(matches!(Form::parse(text), Err(No::Request(_))), "{text}");
        }
    }
}
