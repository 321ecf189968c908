//! A small seeded generator (`SplitMix64`), so that a run can be repeated.

const LOWER_ALPHANUMERIC: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";
const UPPER_HEX: &[u8] = b"0123456789ABCDEF";

/// A stream of numbers that depends on its seed alone.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream for `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream for `seed` and a text: the same text always gives the same stream.
    pub(crate) fn of_text(seed: u64, text: &str) -> Self {
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(seed ^ hash)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// True with the given probability between 0 and 1.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        let high = u32::try_from(self.number() >> 32).unwrap_or(u32::MAX);
        f64::from(high) < probability * 4_294_967_296.0
    }

    /// An access token: 32 lower-case letters and digits (page A0033).
    pub(crate) fn token(&mut self) -> String {
        self.text(LOWER_ALPHANUMERIC, 32)
    }

    /// A `request_id` of the old host: 11 to 13 base-36 characters.
    pub(crate) fn request_id(&mut self) -> String {
        let length = 11 + usize::try_from(self.below(3)).unwrap_or(0);
        self.text(LOWER_ALPHANUMERIC, length)
    }

    /// A `requestid` of the new host, in the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|length| self.text(UPPER_HEX, length)).join("-")
    }

    /// A unionid.
    pub(crate) fn unionid(&mut self) -> String {
        format!("{}iEiE", self.text(ALPHANUMERIC, 20))
    }

    /// A user id of the kind DingTalk makes up when the caller gives none.
    pub(crate) fn userid(&mut self) -> String {
        format!("1{}", self.text(DIGITS, 18))
    }

    /// A chat id.
    pub(crate) fn chat_id(&mut self) -> String {
        format!("chat{}", self.text(LOWER_ALPHANUMERIC, 32))
    }

    /// An open conversation id.
    pub(crate) fn conversation_id(&mut self) -> String {
        format!("cid{}==", self.text(ALPHANUMERIC, 22))
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let size = u64::try_from(alphabet.len()).unwrap_or(1);
        (0..length)
            .filter_map(|_| {
                let index = usize::try_from(self.below(size)).unwrap_or(0);
                alphabet.get(index).map(|&byte| char::from(byte))
            })
            .collect()
    }
}
