//! One master key: what it seals, and what follows from it.

use anyhow::{Context, Result, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::fmt;

/// The length of a key in bytes.
pub(super) const KEY_LEN: usize = 32;
/// The first byte of what is sealed: the form that follows. This one: the id of the key, the nonce, the cipher text with its
/// tag.
const FORM: u8 = 2;
/// The form before there were several keys, without the id of the key. It is bound to the name of the target.
const FORM_OF_ONE_KEY: u8 = 1;
/// How many bytes an id has.
const ID_LEN: usize = 4;

/// What a key is told from others by: it follows from the key, and says nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Id([u8; ID_LEN]);

impl Id {
    /// The key that sealed something, if the form says so.
    pub(crate) fn of_sealed(sealed: &[u8]) -> Option<Self> {
        let (form, rest) = sealed.split_first()?;
        (*form == FORM).then(|| rest.first_chunk().copied().map(Self)).flatten()
    }

    /// With what everything begins that it has sealed.
    pub(crate) fn prefix(self) -> Vec<u8> {
        [&[FORM][..], &self.0].concat()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which secret of a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// The secret of the application.
    AppSecret,
    /// The first password of a person's account.
    FirstPassword(ResourceId),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppSecret => f.write_str("app_secret"),
            Self::FirstPassword(user) => write!(f, "first_password of {user}"),
        }
    }
}

/// Where a sealed value stands: it cannot be opened in any other place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) target: TargetId,
    /// What the target is called, by which values of the former form are bound.
    pub(crate) target_name: &'a str,
    /// Which secret of the target.
    pub(crate) field: Field,
}

impl Place<'_> {
    fn bound(&self) -> String {
        format!("rollcall\0{}\0{}\0{}", self.tenant, self.target, self.field)
    }

    fn bound_by_name(&self) -> String {
        format!("target secret of {}/{}", self.tenant, self.target_name)
    }
}

/// A key that seals the secrets of targets.
pub(crate) struct MasterKey(SecretSlice<u8>);

impl MasterKey {
    /// The key of these bytes; `None` when they are too many or too few.
    pub(super) fn of(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == KEY_LEN).then(|| Self(bytes.into()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// A key for another purpose, the same in every process that has this master key.
    pub(super) fn derive(&self, purpose: &str) -> [u8; KEY_LEN] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.bytes()), purpose.as_bytes());
        let mut key = [0; KEY_LEN];
        key.copy_from_slice(tag.as_ref());
        key
    }

    /// What it is told from others by.
    pub(crate) fn id(&self) -> Id {
        let [a, b, c, d, ..] = self.derive("id of the key");
        Id([a, b, c, d])
    }

    /// Whether it can be the key that sealed something. The former form does not say whose it is.
    pub(super) fn may_have_sealed(&self, sealed: &[u8]) -> bool {
        Id::of_sealed(sealed).is_none_or(|id| id == self.id())
    }

    fn cipher(&self) -> Result<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, self.bytes()).ok().context("the master key is not usable")
    }

    /// Seals `secret` for `place`.
    pub(super) fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Vec<u8>> {
        let mut text = secret.expose_secret().as_bytes().to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::from(place.bound().as_bytes()), &mut text)
            .ok()
            .context("the secret could not be sealed")?;
        Ok([self.id().prefix().as_slice(), nonce.as_ref().as_slice(), &text].concat())
    }

    /// Opens what it has sealed for `place`.
    pub(super) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString> {
        let wrong = "the sealed secret cannot be opened: it was damaged, or belongs to another target; set it anew";
        let (form, rest) = sealed.split_first().context(wrong)?;
        let (rest, bound) = match *form {
            FORM => (rest.split_at_checked(ID_LEN).context(wrong)?.1, place.bound()),
            FORM_OF_ONE_KEY => (rest, place.bound_by_name()),
            _ => bail!("the sealed secret has a form that this version of Rollcall does not know"),
        };
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).context(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok().context(wrong)?;
        let mut text = text.to_vec();
        let opened = self.cipher()?.open_in_place(nonce, Aad::from(bound.as_bytes()), &mut text).ok().context(wrong)?;
        Ok(std::str::from_utf8(opened).context("the sealed secret is not text")?.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn key(byte: u8) -> MasterKey {
        MasterKey::of(vec![byte; KEY_LEN]).expect("a key")
    }

    fn place(target: u128) -> Place<'static> {
        let (tenant, target) = (TenantId(Uuid::from_u128(1)), TargetId(Uuid::from_u128(target)));
        Place { tenant, target, target_name: "dingtalk", field: Field::AppSecret }
    }

    #[test]
    fn what_is_sealed_opens_only_with_the_same_key_in_the_same_place() {
        let sealed = key(1).seal(&place(1), &"swordfish".to_owned().into()).expect("sealed");
        assert_eq!(key(1).open(&place(1), &sealed).expect("opened").expose_secret(), "swordfish");
        assert!(key(2).open(&place(1), &sealed).is_err());
        let elsewhere = [
            place(2),
            Place { tenant: TenantId(Uuid::from_u128(9)), ..place(1) },
            Place { field: Field::FirstPassword(ResourceId(Uuid::from_u128(1))), ..place(1) },
        ];
        for place in elsewhere {
            assert!(key(1).open(&place, &sealed).is_err(), "{place:?}");
        }
        assert!(!sealed.windows(9).any(|part| part == b"swordfish"));
        for cut in 0..sealed.len() {
            assert!(key(1).open(&place(1), &sealed[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_was_sealed_before_there_were_several_keys_is_opened() {
        let mut text = b"swordfish".to_vec();
        let bound = Aad::from(place(1).bound_by_name());
        let nonce = key(1).cipher().expect("a cipher").seal_in_place_append_tag(bound, &mut text).expect("sealed");
        let sealed = [&[FORM_OF_ONE_KEY][..], nonce.as_ref(), &text].concat();
        assert_eq!(key(1).open(&place(1), &sealed).expect("opened").expose_secret(), "swordfish");
        assert!(key(2).open(&place(1), &sealed).is_err());
        assert!(key(1).open(&Place { target_name: "other", ..place(1) }, &sealed).is_err());
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_master_key() {
        let derived = |byte, purpose| key(byte).derive(purpose);
        assert_eq!(derived(1, "a"), derived(1, "a"));
        assert_ne!(derived(1, "a"), derived(1, "b"));
        assert_ne!(derived(1, "a"), derived(2, "a"));
        assert_ne!(key(1).id(), key(2).id());
    }
}
