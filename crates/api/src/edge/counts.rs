//! Counts of what sources do to the directory, whether each thing came as a request of its own or in bulk.

use http::{Method, StatusCode};

/// Counts one thing that a source did to the directory, or was refused: the resource type and what was done.
pub(crate) fn count_operation(
    source: &str,
    (resource, operation): (&'static str, &'static str),
    status: StatusCode,
    code: Option<&'static str>,
) {
    let result = match status.as_u16() {
        ..400 => "ok",
        400..500 => "refused",
        _ => "failed",
    };
    let source = source.to_owned();
    metrics::counter!(
        "rollcall_scim_operations_total",
        "source" => source.clone(), "resource" => resource, "operation" => operation, "result" => result,
    )
    .increment(1);
    if let Some(reason) = code {
        metrics::counter!("rollcall_scim_rejected_total", "source" => source, "reason" => reason).increment(1);
    }
}

/// What a method does, to one resource or to many.
pub(crate) fn operation(method: &Method, one: bool) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "replace",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ if one => "read",
        _ => "list",
    }
}

/// The SCIM resource type of an endpoint, for metrics.
pub(crate) fn resource_of(endpoint: &str) -> Option<&'static str> {
    match endpoint {
        "Users" => Some("User"),
        "Groups" => Some("Group"),
        _ => None,
    }
}
