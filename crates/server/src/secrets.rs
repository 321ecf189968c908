//! Secrets at rest: sealed with AES-256-GCM under the installation's master key, which lives in a file that only
//! the server's user can read. Also the source of randomness for tokens and passwords.

use anyhow::{Context, Result, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The first byte of what is sealed: the form that follows (nonce, then cipher text with its tag).
const FORM: u8 = 1;
const KEY_LEN: usize = 32;

/// `N` random bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok().context("the operating system gives no random numbers")?;
    Ok(bytes)
}

/// The key that seals the application secrets of targets.
pub(crate) struct MasterKey(SecretSlice<u8>);

impl MasterKey {
    /// Reads the key file, or makes one on the first start.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self> {
        match Self::load(path)? {
            Some(key) => Ok(key),
            None => Self::create(path),
        }
    }

    /// Reads the key file, if there is one. It holds 32 raw bytes.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) if bytes.len() == KEY_LEN => Ok(Some(Self(bytes.into()))),
            Ok(bytes) => bail!(
                "the master key file {} has {} bytes instead of {KEY_LEN}; put the right file back, since the \
                 sealed secrets cannot be read without it",
                path.display(),
                bytes.len()
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("the master key file {} cannot be read", path.display())),
        }
    }

    fn create(path: &Path) -> Result<Self> {
        let key = random::<KEY_LEN>()?;
        let temporary = path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut file =
                std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&key)?;
            file.sync_all()?;
            // A link fails when another process was first, so that nobody's key is ever overwritten.
            std::fs::hard_link(&temporary, path)?;
            std::fs::remove_file(&temporary)
        };
        match write() {
            Ok(()) => Ok(Self(key.to_vec().into())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::load_or_create(path),
            Err(error) => {
                Err(error).with_context(|| format!("the master key file {} cannot be written", path.display()))
            }
        }
    }

    /// A key for another purpose, the same in every process that has this master key.
    pub(crate) fn derive(&self, purpose: &str) -> Result<[u8; KEY_LEN]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret());
        let tag = hmac::sign(&key, purpose.as_bytes());
        tag.as_ref().try_into().context("a derived key has the wrong length")
    }

    fn cipher(&self) -> Result<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.expose_secret()).ok().context("the master key is not usable")
    }

    /// Seals `secret` for `purpose`: what is sealed for one purpose cannot be opened for another.
    pub(crate) fn seal(&self, purpose: &str, secret: &SecretString) -> Result<Vec<u8>> {
        let mut text = secret.expose_secret().as_bytes().to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut text)
            .ok()
            .context("the secret could not be sealed")?;
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Result<SecretString> {
        let wrong = "the sealed secret cannot be opened: the master key is another one than when it was sealed";
        let (form, rest) = sealed.split_first().context(wrong)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).context(wrong)?;
        if *form != FORM {
            bail!("the sealed secret has a form that this version does not know");
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok().context(wrong)?;
        let mut text = text.to_vec();
        let opened =
            self.cipher()?.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text).ok().context(wrong)?;
        let secret = std::str::from_utf8(opened).context("the sealed secret is not text")?.to_owned();
        Ok(secret.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey(vec![byte; KEY_LEN].into())
    }

    #[test]
    fn what_is_sealed_opens_only_with_the_same_key_and_purpose() {
        let sealed = key(1).seal("target a", &"swordfish".to_owned().into()).expect("sealed");
        assert_eq!(key(1).open("target a", &sealed).expect("opened").expose_secret(), "swordfish");
        assert!(key(2).open("target a", &sealed).is_err());
        assert!(key(1).open("target b", &sealed).is_err());
        assert!(!sealed.windows(9).any(|part| part == b"swordfish"));
        for cut in 0..sealed.len() {
            assert!(key(1).open("target a", &sealed[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_master_key() {
        let derived = |byte, purpose| key(byte).derive(purpose).expect("derived");
        assert_eq!(derived(1, "a"), derived(1, "a"));
        assert_ne!(derived(1, "a"), derived(1, "b"));
        assert_ne!(derived(1, "a"), derived(2, "a"));
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("rollcall-key-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let path = folder.join("master.key");
        let first = MasterKey::load_or_create(&path).expect("made");
        let second = MasterKey::load_or_create(&path).expect("read");
        assert_eq!(first.0.expose_secret(), second.0.expose_secret());
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, b"short").expect("written");
        assert!(MasterKey::load_or_create(&path).is_err(), "a damaged key is never replaced");
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
