//! First passwords: random, and such that a person can read them out.

/// Bytes of randomness that one is made of.
const BYTES: usize = 18;
/// Letters and digits that are not mistaken for each other, 32 of them: each takes five bits of a byte.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Eighteen letters and digits in groups of six: ninety bits. DingTalk wants at least eight characters, and neither letters
/// nor digits alone (page `create-dingtalk-user-created-dedicated-account`), so one of each stands at the end.
pub(super) fn readable(random: &[u8; BYTES]) -> String {
    let letters = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
    let mut password = String::new();
    for (place, letter) in letters.enumerate() {
        if place > 0 && place % 6 == 0 {
            password.push('-');
        }
        password.push(char::from(*letter));
    }
    password + "-R7"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_what_dingtalk_takes() {
        assert_eq!(readable(&[0; BYTES]), "aaaaaa-aaaaaa-aaaaaa-R7");
        let mixed: [u8; BYTES] = std::array::from_fn(|place| u8::try_from(place * 13).expect("small"));
        let password = readable(&mixed);
        assert_eq!(password.len(), 23);
        assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        assert_ne!(password, readable(&[0; BYTES]));
    }
}
