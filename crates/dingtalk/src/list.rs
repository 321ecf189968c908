//! Lists that come in pages.

use crate::client::Client;
use crate::operation::Operation;
use rollcall_provisioning::connector::{Circle, ConnectorError, Cursor, ErrorClass};

/// The place where a list is read: where the page before it said, or its beginning.
pub(crate) fn at(from: Option<&Cursor>) -> Cursor {
    from.cloned().unwrap_or_else(|| Cursor::start("0"))
}

/// A place that DingTalk counts (`cursor`, `offset`).
pub(crate) fn number(at: &Cursor) -> Result<u64, ConnectorError> {
    at.place().parse().map_err(|_| circle())
}

/// Where a list goes on that says itself that there is more (page `pagination`). One that does not say where is no
/// list.
pub(crate) fn next(
    client: &Client,
    operation: Operation,
    at: &Cursor,
    place: Option<String>,
) -> Result<Cursor, ConnectorError> {
    let place = place.ok_or_else(|| client.unreadable(operation))?;
    at.advance(place).map_err(|Circle| circle())
}

/// The list leads back to where it was, or a place of another list was given: whoever goes on would never end.
fn circle() -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Transient,
        code: "list_in_circle".to_owned(),
        message: "DingTalk's list leads back to a place that was read before, so it cannot be read to its end."
            .to_owned(),
        advice: "Nothing needs to be done: it is read again from its beginning.".to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown: false,
    }
}
