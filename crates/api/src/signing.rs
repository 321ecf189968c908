//! The keys that sign and seal what clients carry for us: access tokens, cursors of lists, sessions of the console.
//!
//! All of them follow from the installation's master keys, and are the same in all its processes. While a master key is
//! being replaced there are several: the newest makes, all of them read, so that nothing which was given out before ends
//! because of it.

use std::fmt;
use std::sync::Arc;

/// A key of 256 random bits.
pub type Key = [u8; 32];

/// Where the keys of one purpose come from.
pub trait KeySource: Send + Sync {
    /// The keys as they are known, the newest first; never empty.
    fn known(&self) -> Arc<[Key]>;

    /// The same after a look at whether another process has been given a newer one.
    fn look_again(&self) -> Arc<[Key]>;
}

/// The keys of one purpose.
#[derive(Clone)]
pub struct SigningKeys(Arc<dyn KeySource>);

impl SigningKeys {
    /// The keys of this source.
    pub fn new(source: Arc<dyn KeySource>) -> Self {
        Self(source)
    }

    /// What the newest key makes of something.
    pub fn make<T>(&self, with: impl FnOnce(&Key) -> Option<T>) -> Option<T> {
        self.0.known().first().and_then(with)
    }

    /// What the first key that fits reads.
    pub fn read<T>(&self, with: impl Fn(&Key) -> Option<T>) -> Option<T> {
        let known = self.0.known();
        known.iter().find_map(&with).or_else(|| {
            let now = self.0.look_again();
            now.iter().filter(|key| !known.contains(*key)).find_map(&with)
        })
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys")
    }
}

/// One key that stays.
impl KeySource for Key {
    fn known(&self) -> Arc<[Key]> {
        Arc::from([*self])
    }

    fn look_again(&self) -> Arc<[Key]> {
        self.known()
    }
}

impl From<Key> for SigningKeys {
    fn from(key: Key) -> Self {
        Self::new(Arc::new(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Knows the keys that are left of the mark, and after a look those on its right too.
    struct Replaced(Mutex<Vec<Key>>, Key);

    impl KeySource for Replaced {
        fn known(&self) -> Arc<[Key]> {
            self.0.lock().expect("whole").clone().into()
        }

        fn look_again(&self) -> Arc<[Key]> {
            let mut known = self.0.lock().expect("whole");
            if !known.contains(&self.1) {
                known.insert(0, self.1);
            }
            known.clone().into()
        }
    }

    #[test]
    fn the_newest_makes_and_all_read() {
        let keys = SigningKeys::new(Arc::new(Replaced(Mutex::new(vec![[2; 32], [1; 32]]), [3; 32])));
        let reads = |byte: u8| keys.read(|key| (key[0] == byte).then_some(byte));
        assert_eq!(keys.make(|key| Some(key[0])), Some(2));
        assert_eq!((reads(1), reads(2)), (Some(1), Some(2)));
        assert_eq!(keys.make(|key| Some(key[0])), Some(2), "a key that is known needs no look");
        assert_eq!(reads(3), Some(3), "a key that another process has begun to use is looked for");
        assert_eq!(keys.make(|key| Some(key[0])), Some(3));
        assert_eq!(reads(4), None);
        assert_eq!(format!("{keys:?}"), "SigningKeys");
    }
}
