//! Secrets at rest: sealed with AES-256-GCM under the installation's master keys, which are in a file that only the server's
//! user can read. Also the source of randomness for tokens and passwords.
//!
//! There is one master key, or several while one is being replaced: the newest seals and signs, all of them open. A process
//! that runs notices a changed file within a second, and at once when it meets what a key has made that it does not know.

mod file;
mod key;
mod reseal;

use key::MasterKey;
pub(crate) use key::{Field, Id, Place};
pub(crate) use reseal::{Seals, check_readable, reseal, seals};

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand;
use rollcall_api::signing::{Key, KeySource, SigningKeys};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a process may not notice that the file has changed, as long as nothing is missing.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// `N` random bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok().context("the operating system gives no random numbers")?;
    Ok(bytes)
}

/// The master keys of one moment.
struct Ring {
    /// The newest first; never empty.
    keys: Vec<MasterKey>,
}

impl Ring {
    fn newest(&self) -> Result<&MasterKey> {
        self.keys.first().context("there is no master key")
    }
}

/// The installation's master keys, as the file has them.
pub(crate) struct MasterKeys {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    ring: Arc<Ring>,
    /// How the file looked when it was read last.
    stamp: Option<file::Stamp>,
    looked: Instant,
}

impl MasterKeys {
    /// Reads the key file, or makes one on the first start.
    pub(crate) fn load_or_create(path: &Path) -> Result<Arc<Self>> {
        if let Some(keys) = Self::load(path)? {
            return Ok(keys);
        }
        file::create(path)?;
        Self::load(path)?.with_context(|| format!("the master key file {} is gone again", path.display()))
    }

    /// Reads the key file, if there is one.
    pub(crate) fn load(path: &Path) -> Result<Option<Arc<Self>>> {
        let Some((keys, stamp)) = file::read(path)? else { return Ok(None) };
        let state = State { ring: Arc::new(Ring { keys }), stamp: Some(stamp), looked: Instant::now() };
        Ok(Some(Arc::new(Self { path: path.to_owned(), state: Mutex::new(state) })))
    }

    /// Adds a key to the file; it is the newest from now on.
    pub(crate) fn add(&self) -> Result<()> {
        file::add(&self.path)?;
        self.look();
        Ok(())
    }

    /// The keys as they are known.
    fn ring(&self) -> Arc<Ring> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() < LOOK_EVERY {
            return Arc::clone(&state.ring);
        }
        drop(state);
        self.look()
    }

    /// The keys after a look at the file. What is wrong with a changed file is said once, and what was known stays.
    fn look(&self) -> Arc<Ring> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.looked = Instant::now();
        let stamp = file::stamp(&self.path);
        if stamp == state.stamp {
            return Arc::clone(&state.ring);
        }
        state.stamp = stamp;
        match file::read(&self.path) {
            Ok(Some((keys, _))) => state.ring = Arc::new(Ring { keys }),
            Ok(None) => tracing::error!("the master key file is gone; the keys known before stay in use"),
            Err(error) => tracing::error!("the master keys known before stay in use: {error:#}"),
        }
        Arc::clone(&state.ring)
    }

    /// The ids of the keys, the newest first.
    pub(crate) fn ids(&self) -> Vec<key::Id> {
        self.ring().keys.iter().map(MasterKey::id).collect()
    }

    /// Seals `secret` for `place` with the newest key.
    pub(crate) fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Vec<u8>> {
        self.ring().newest()?.seal(place, secret)
    }

    /// Opens what was sealed for `place`, with whichever key did it.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString> {
        let with = |ring: &Ring| {
            let tried = ring.keys.iter().filter(|key| key.may_have_sealed(sealed)).map(|key| key.open(place, sealed));
            tried.reduce(Result::or)
        };
        match with(&self.ring()) {
            Some(Ok(opened)) => return Ok(opened),
            Some(Err(error)) if key::Id::of_sealed(sealed).is_some() => return Err(error),
            Some(Err(_)) | None => {}
        }
        with(&self.look()).unwrap_or_else(|| {
            bail!(
                "the master key that sealed the secret is not in {}; put it back into the file, or set the secret anew",
                self.path.display()
            )
        })
    }

    /// The keys of another purpose, which follow from the master keys and are the same in every process that has those.
    pub(crate) fn signing(self: &Arc<Self>, purpose: &'static str) -> SigningKeys {
        SigningKeys::new(Arc::new(Derived { master: Arc::clone(self), purpose, made: Mutex::default() }))
    }
}

/// The keys of one purpose.
struct Derived {
    master: Arc<MasterKeys>,
    purpose: &'static str,
    made: Mutex<Option<Made>>,
}

/// Keys, and of which master keys they were made.
type Made = (Arc<Ring>, Arc<[Key]>);

impl Derived {
    fn of(&self, ring: Arc<Ring>) -> Arc<[Key]> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, keys)) = &*made
            && Arc::ptr_eq(of, &ring)
        {
            return Arc::clone(keys);
        }
        let keys: Arc<[Key]> = ring.keys.iter().map(|key| key.derive(self.purpose)).collect();
        *made = Some((ring, Arc::clone(&keys)));
        keys
    }
}

impl KeySource for Derived {
    fn known(&self) -> Arc<[Key]> {
        self.of(self.master.ring())
    }

    fn look_again(&self) -> Arc<[Key]> {
        self.of(self.master.look())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::ids::{TargetId, TenantId};
    use secrecy::ExposeSecret as _;
    use uuid::Uuid;

    fn place() -> Place<'static> {
        Place {
            tenant: TenantId(Uuid::from_u128(1)),
            target: TargetId(Uuid::from_u128(2)),
            target_name: "dingtalk",
            field: Field::AppSecret,
        }
    }

    /// A folder that is removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("rollcall-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("folder");
            Self(folder)
        }

        fn file(&self) -> PathBuf {
            self.0.join("master.key")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).expect("removed");
        }
    }

    #[test]
    fn the_newest_seals_and_all_open_in_every_process() {
        let folder = Folder::new("rotation");
        // What an earlier version has made: 32 bytes and nothing else.
        std::fs::write(folder.file(), [7; 32]).expect("written");
        let load = || MasterKeys::load(&folder.file()).expect("read").expect("there");
        let (one, other) = (load(), load());
        let old = one.seal(&place(), &"swordfish".to_owned().into()).expect("sealed");
        let old_ids = one.ids();

        one.add().expect("a second key");
        assert_eq!(one.ids().len(), 2);
        assert_eq!(one.ids()[1], old_ids[0], "the old one is still there");
        let new = one.seal(&place(), &"swordfish".to_owned().into()).expect("sealed");
        assert_ne!(new[..5], old[..5]);
        // The other process has not looked for a second: it does when it meets what it cannot open.
        for sealed in [&old, &new] {
            assert_eq!(other.open(&place(), sealed).expect("opened").expose_secret(), "swordfish");
        }
        assert_eq!(load().open(&place(), &old).expect("opened").expose_secret(), "swordfish");
    }

    #[test]
    fn signatures_of_old_keys_are_read_until_the_key_is_taken_out() {
        let folder = Folder::new("signing");
        let keys = MasterKeys::load_or_create(&folder.file()).expect("made");
        let signing = keys.signing("tests");
        let first = signing.make(|key| Some(*key)).expect("a key");
        keys.add().expect("a second key");
        let second = signing.make(|key| Some(*key)).expect("a key");
        assert_ne!(first, second);
        assert_eq!(keys.signing("others").read(|key| (*key == second).then_some(())), None, "of another purpose");
        assert_eq!(signing.read(|key| (*key == first).then_some(())), Some(()));
        let text = std::fs::read_to_string(folder.file()).expect("text");
        let newest = text.lines().last().expect("a line");
        std::fs::write(folder.file(), format!("{newest}\n")).expect("written");
        keys.look();
        assert_eq!(signing.read(|key| (*key == first).then_some(())), None);
        assert_eq!(signing.read(|key| (*key == second).then_some(())), Some(()));
    }

    #[test]
    fn a_file_that_cannot_be_read_does_not_replace_what_is_known() {
        let folder = Folder::new("wrong");
        let keys = MasterKeys::load_or_create(&folder.file()).expect("made");
        let sealed = keys.seal(&place(), &"swordfish".to_owned().into()).expect("sealed");
        for wrong in [&b"short"[..], b"no key at all\n", b""] {
            std::fs::write(folder.file(), wrong).expect("written");
            keys.look();
            keys.open(&place(), &sealed).expect("still opened");
        }
        std::fs::remove_file(folder.file()).expect("removed");
        keys.look();
        keys.open(&place(), &sealed).expect("still opened");
        std::fs::write(folder.file(), [9; 32]).expect("written");
        let other = MasterKeys::load(&folder.file()).expect("read").expect("there");
        let error = other.open(&place(), &sealed).expect_err("another installation's").to_string();
        assert!(error.contains("is not in") && error.contains("master.key"), "{error}");
    }
}
