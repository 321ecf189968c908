//! The text of bearer tokens.

use proptest::prelude::*;
use rollcall_api::auth::token::{PREFIX, from_header, mint, parse};
use rollcall_provisioning::ids::{CredentialId, TenantId};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

fn minted(secret: [u8; 32]) -> String {
    let (text, _) = mint(TenantId(Uuid::from_u128(1)), CredentialId(Uuid::from_u128(2)), &secret);
    text.expose_secret().to_owned()
}

#[test]
fn a_token_has_the_documented_form() {
    let text = minted([0xFF; 32]);
    assert_eq!(text.len(), 3 + 86);
    assert!(text.starts_with("rc_AAAAAAAAAAAAAAAAAAAAAQ"), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{text}");
}

#[test]
fn the_hash_is_sha_256_of_the_secret() {
    // SHA-256 of 32 zero bytes.
    let expected = [
        0x66, 0x68, 0x7A, 0xAD, 0xF8, 0x62, 0xBD, 0x77, 0x6C, 0x8F, 0xC1, 0x8B, 0x8E, 0x9F, 0x8E, 0x20, 0x08, 0x97,
        0x14, 0x85, 0x6E, 0xE2, 0x33, 0xB3, 0x90, 0x2A, 0x59, 0x1D, 0x0D, 0x5F, 0x29, 0x25,
    ];
    let (_, hash) = mint(TenantId(Uuid::nil()), CredentialId(Uuid::nil()), &[0; 32]);
    assert_eq!(hash.as_bytes().as_slice(), expected);
}

#[test]
fn a_debug_print_does_not_show_the_token() {
    let (text, _) = mint(TenantId(Uuid::nil()), CredentialId(Uuid::nil()), &[7; 32]);
    assert!(!format!("{text:?}").contains(PREFIX));
}

#[test]
fn what_is_no_token_is_refused() {
    let good = minted([9; 32]);
    let mut longer = good.clone();
    longer.push('A');
    let shorter = good.get(..good.len() - 1).expect("ASCII");
    // The last character carries four bits that belong to nothing; they must be zero, or two texts were one token.
    let mut twin = shorter.to_owned();
    twin.push('-');
    for text in ["", "rc_", "non-token", &good.to_lowercase(), &longer, shorter, &twin, &good.replace("rc_", "xx_")] {
        assert!(parse(text).is_none() || text == good, "{text}");
    }
}

#[test]
fn headers_with_and_without_the_scheme() {
    for (header, token) in [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER   abc ", "abc"),
        ("abc", "abc"),
        ("  abc", "abc"),
        ("Basic abc", "Basic abc"),
        ("Bearer", "Bearer"),
    ] {
        assert_eq!(from_header(header), token, "{header:?}");
    }
}

proptest! {
    #[test]
    fn every_token_reads_back(tenant: u128, credential: u128, secret: [u8; 32], other: [u8; 32]) {
        let (tenant, credential) = (TenantId(Uuid::from_u128(tenant)), CredentialId(Uuid::from_u128(credential)));
        let (text, hash) = mint(tenant, credential, &secret);
        let presented = parse(text.expose_secret()).expect("our own token");
        prop_assert_eq!((presented.tenant, presented.credential), (tenant, credential));
        prop_assert!(presented.hash.matches(hash.as_bytes()));
        let (_, foreign) = mint(tenant, credential, &other);
        prop_assert_eq!(presented.hash.matches(foreign.as_bytes()), secret == other);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,120}") {
        let _ = parse(&text);
        let _ = from_header(&text);
    }
}
