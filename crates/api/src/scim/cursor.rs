//! Cursors of lists (RFC 9865): where a page begins, written down for the client and sealed.
//!
//! Nothing is kept here between pages. A cursor says which resource ended the page before it, and is encrypted, because
//! it names people and because nobody else may write one. The seal also covers the tenant, the source and the query: a
//! cursor that is taken elsewhere cannot be told from a forged one.

use crate::error::{ApiError, INTERNAL};
use crate::limits::{CURSOR_TIMEOUT, DEFAULT_COUNT};
use crate::scim::call::Call;
use crate::scim::query::Query;
use crate::signing::{Key, SigningKeys};
use crate::state::ApiState;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_provisioning::ids::ResourceKind;
use rollcall_scim::Error;
use rollcall_scim::list::{CursorPage, Onward};
use rollcall_scim::sort::Sort;
use rollcall_store::walk::{Place, Stretch};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Listed {
    /// `/Users`.
    Users,
    /// `/Groups`.
    Groups,
    /// Both, at the base URL.
    Everything,
}

/// The keys that seal cursors, the same in all processes of an installation.
#[derive(Clone, Debug)]
pub struct CursorKey(SigningKeys);

impl CursorKey {
    /// With these keys.
    pub fn new(keys: impl Into<SigningKeys>) -> Self {
        Self(keys.into())
    }
}

/// What a cursor says.
#[derive(Serialize, Deserialize, Clone, Debug)]
struct Content {
    /// When it was given out, in seconds since 1970.
    at: i64,
    /// How many resources a page has at most.
    count: i64,
    /// True if it leads to what comes before the place.
    backward: bool,
    /// True if the place is that of a group.
    group: bool,
    id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// How many resources the whole list had, as far as that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

impl Content {
    fn place(&self) -> Place {
        let kind = if self.group { ResourceKind::Group } else { ResourceKind::User };
        Place { kind, id: self.id, key: self.key.clone() }
    }
}

/// The pages of one query of one client.
pub(super) struct Pages<'a> {
    key: &'a CursorKey,
    /// What the seal covers besides the content.
    about: [u8; 32],
    now: OffsetDateTime,
    count: i64,
    opened: Option<(Content, Place)>,
}

impl<'a> Pages<'a> {
    /// Understands which page is wanted.
    ///
    /// # Errors
    /// 400 `invalidCursor` for a cursor that this server did not give to this source for this query, 400
    /// `expiredCursor` for one that is too old, 400 `invalidCount` when the size of the page changes on the way.
    pub(super) fn open(
        call: &Call,
        state: &'a ApiState,
        listed: Listed,
        (query, sort): (&Query, Option<&Sort>),
        page: &CursorPage,
    ) -> Result<Self, ApiError> {
        let about = about(call, listed, query, sort);
        Self::understand(state.cursor_key(), about, state.clock().now(), page)
    }

    fn understand(
        key: &'a CursorKey,
        about: [u8; 32],
        now: OffsetDateTime,
        page: &CursorPage,
    ) -> Result<Self, ApiError> {
        let Some(text) = &page.cursor else {
            return Ok(Self { key, about, now, count: page.count.unwrap_or(DEFAULT_COUNT), opened: None });
        };
        let content = open(key, &about, text).ok_or_else(invalid)?;
        if now.unix_timestamp().saturating_sub(content.at) > CURSOR_TIMEOUT.as_secs().cast_signed() {
            let detail = "the cursor is too old; begin again with the first page, without a cursor value";
            return Err(Error::expired_cursor(detail).into());
        }
        if let Some(count) = page.count.filter(|count| *count != content.count) {
            let detail = format!(
                "count was {} on the first page and is {count} now; it must stay the same from page to page",
                content.count
            );
            return Err(Error::invalid_count(detail).into());
        }
        let place = content.place();
        Ok(Self { key, about, now, count: content.count, opened: Some((content, place)) })
    }

    /// The place that the page lies behind, or before.
    pub(super) fn from(&self) -> Option<&Place> {
        self.opened.as_ref().map(|(_, place)| place)
    }

    /// True if the page lies before the place.
    pub(super) fn backward(&self) -> bool {
        self.opened.as_ref().is_some_and(|(content, _)| content.backward)
    }

    /// How many resources the page has at most.
    pub(super) const fn count(&self) -> i64 {
        self.count
    }

    /// How many resources the whole list has, if that is known, and what leads on from the page that was found. A client
    /// that asks for no resources gets no cursor, because it would lead nowhere.
    pub(super) fn onward<T>(&self, found: &Stretch<T>) -> Result<(Option<i64>, Onward), ApiError> {
        // As the first page said it, so that all pages say the same.
        let total = self.opened.as_ref().map_or(found.total, |(content, _)| content.total);
        let Some([first, last]) = found.ends.as_ref().filter(|_| self.count > 0) else {
            return Ok((total, Onward::default()));
        };
        let cursor = |place: &Place, backward| {
            let content = Content {
                at: self.now.unix_timestamp(),
                count: self.count,
                backward,
                group: place.kind == ResourceKind::Group,
                id: place.id,
                key: place.key.clone(),
                total,
            };
            seal(self.key, &self.about, &content)
        };
        // Where one comes from, there is something; ahead there is what was seen.
        let (has_next, has_previous) = match (self.from(), self.backward()) {
            (None, _) => (found.more, false),
            (Some(_), false) => (found.more, true),
            (Some(_), true) => (true, found.more),
        };
        let next = has_next.then(|| cursor(last, false)).transpose()?;
        let previous = has_previous.then(|| cursor(first, true)).transpose()?;
        Ok((total, Onward { next, previous }))
    }
}

/// Only a machine without random numbers gets here.
fn failed() -> ApiError {
    tracing::error!("a cursor could not be sealed");
    Error::status(500, INTERNAL).into()
}

fn invalid() -> Error {
    Error::invalid_cursor(
        "the cursor is not one that was given for this query; send it unchanged with the same parameters, or begin \
         again with the first page",
    )
}

/// The digest of whom a cursor is for and of the query that it goes on with.
fn about(call: &Call, listed: Listed, query: &Query, sort: Option<&Sort>) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(call.client.tenant.0.as_bytes());
    digest.update(call.client.source.id.0.as_bytes());
    digest.update([listed as u8]);
    // A tenant can define an attribute anew, with values that are ordered otherwise.
    digest.update(format!("{:?};", sort.and_then(|sort| sort.by.as_ref()).map(|by| by.comparison)));
    for part in [&query.filter, &query.sort_by, &query.sort_order, &query.attributes, &query.excluded] {
        let text = part.as_deref().unwrap_or_default();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

fn seal(key: &CursorKey, about: &[u8], content: &Content) -> Result<String, ApiError> {
    let mut bytes = serde_json::to_vec(content).map_err(|_| failed())?;
    let sealed = key.0.make(|key| {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
        let nonce = cipher.seal_in_place_append_tag(Aad::from(about), &mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    });
    sealed.ok_or_else(failed)
}

/// `None` for what was not sealed by us for this query.
fn open(key: &CursorKey, about: &[u8], text: &str) -> Option<Content> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
    key.0.read(|key: &Key| {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = cipher.open_in_place(nonce, Aad::from(about), &mut sealed).ok()?;
        serde_json::from_slice(opened).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    fn place(id: u128, key: Option<&str>) -> Place {
        Place { kind: ResourceKind::Group, id: Uuid::from_u128(id), key: key.map(str::to_owned) }
    }

    fn page(cursor: Option<String>, count: Option<i64>) -> CursorPage {
        CursorPage { cursor, count }
    }

    /// The cursors of a first page of two with more behind it, and of the page after it.
    fn onward(key: &CursorKey, about: [u8; 32], from: Option<String>) -> Onward {
        let pages = Pages::understand(key, about, NOW, &page(from, Some(2))).unwrap();
        let ends = Some([place(1, None), place(2, Some("張"))]);
        let found = Stretch { items: vec![(), ()], ends, more: true, total: Some(5) };
        pages.onward(&found).unwrap().1
    }

    fn refusal(key: &CursorKey, about: [u8; 32], now: OffsetDateTime, page: &CursorPage) -> Option<&'static str> {
        match Pages::understand(key, about, now, page) {
            Ok(_) => None,
            Err(ApiError::Scim(error)) => error.scim_type.map(rollcall_scim::ScimType::as_str),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_cursor_leads_to_the_place_it_was_made_for() {
        let key = CursorKey::new([7; 32]);
        let first = onward(&key, [1; 32], None);
        assert_eq!(first.previous, None, "nothing lies before the first page");
        let next = first.next.unwrap();
        assert!(next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{next}");
        let pages = Pages::understand(&key, [1; 32], NOW, &page(Some(next.clone()), None)).unwrap();
        assert_eq!((pages.from(), pages.backward(), pages.count()), (Some(&place(2, Some("張"))), false, 2));
        let nothing = Stretch::<()> { items: vec![], ends: None, more: false, total: None };
        assert_eq!(pages.onward(&nothing).unwrap(), (Some(5), Onward::default()), "the total is remembered");
        let second = onward(&key, [1; 32], Some(next));
        let back = Pages::understand(&key, [1; 32], NOW, &page(second.previous, Some(2))).unwrap();
        assert_eq!((back.from(), back.backward()), (Some(&place(1, None)), true));
    }

    #[test]
    fn a_cursor_is_good_for_one_query_and_one_hour_only() {
        let key = CursorKey::new([7; 32]);
        let cursor = onward(&key, [1; 32], None).next.unwrap();
        let minutes = |minutes| NOW + time::Duration::minutes(minutes);
        let cases = [
            ("at once", &key, [1; 32], NOW, Some(2), None),
            ("within the hour", &key, [1; 32], minutes(60), None, None),
            ("after it", &key, [1; 32], minutes(61), None, Some("expiredCursor")),
            ("for another query", &key, [2; 32], NOW, None, Some("invalidCursor")),
            ("of another installation", &CursorKey::new([8; 32]), [1; 32], NOW, None, Some("invalidCursor")),
            ("with pages of another size", &key, [1; 32], NOW, Some(3), Some("invalidCount")),
        ];
        for (what, key, about, now, count, expected) in cases {
            let page = page(Some(cursor.clone()), count);
            assert_eq!(refusal(key, about, now, &page), expected, "{what}");
        }
    }

    #[test]
    fn a_changed_cursor_is_none() {
        let key = CursorKey::new([7; 32]);
        let cursor = onward(&key, [1; 32], None).next.unwrap();
        let sealed = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            for bytes in [changed.as_slice(), &sealed[..at]] {
                let page = page(Some(URL_SAFE_NO_PAD.encode(bytes)), None);
                assert_eq!(refusal(&key, [1; 32], NOW, &page), Some("invalidCursor"), "byte {at}");
            }
        }
        for text in ["x", "é", "a b", "=", &"A".repeat(100_000)] {
            let page = page(Some(text.to_owned()), None);
            assert_eq!(refusal(&key, [1; 32], NOW, &page), Some("invalidCursor"), "{text}");
        }
    }
}
