//! The texts of tokens, passwords and client secrets.

use proptest::prelude::*;
use rollcall_api::auth::token::{
    PREFIX, SecretHash, client_id, from_header, mint, mint_client_secret, mint_password, parse, parse_client_id,
    parse_client_secret, parse_password,
};
use rollcall_provisioning::ids::{CredentialId, OauthClientId, TenantId};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

fn minted(secret: [u8; 32]) -> String {
    let text = mint(TenantId(Uuid::from_u128(1)), CredentialId(Uuid::from_u128(2)), &secret);
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
    assert_eq!(SecretHash::of(&[0; 32]).as_bytes().as_slice(), expected);
}

#[test]
fn a_debug_print_does_not_show_the_token() {
    let text = mint(TenantId(Uuid::nil()), CredentialId(Uuid::nil()), &[7; 32]);
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
        let text = mint(tenant, credential, &secret);
        let presented = parse(text.expose_secret()).expect("our own token");
        prop_assert_eq!((presented.tenant, presented.credential), (tenant, credential));
        prop_assert!(presented.hash.matches(SecretHash::of(&secret).as_bytes()));
        prop_assert_eq!(presented.hash.matches(SecretHash::of(&other).as_bytes()), secret == other);
    }

    #[test]
    fn the_other_texts_read_back_and_none_is_taken_for_another(tenant: u128, id: u128, secret: [u8; 32]) {
        let (tenant, id) = (TenantId(Uuid::from_u128(tenant)), Uuid::from_u128(id));
        let hash = SecretHash::of(&secret);
        let (name, password) = mint_password(tenant, CredentialId(id), &secret);
        let read = parse_password(&name, password.expose_secret()).expect("our own password");
        prop_assert_eq!((read.tenant, read.credential), (tenant, CredentialId(id)));
        prop_assert!(read.hash.matches(hash.as_bytes()));
        let client = client_id(tenant, OauthClientId(id));
        prop_assert_eq!(parse_client_id(&client), Some((tenant, OauthClientId(id))));
        let of_client = mint_client_secret(CredentialId(id), &secret);
        let read = parse_client_secret(tenant, of_client.expose_secret()).expect("our own secret");
        prop_assert_eq!((read.tenant, read.credential), (tenant, CredentialId(id)));
        prop_assert!(read.hash.matches(hash.as_bytes()));
        for text in [&name, password.expose_secret(), &client, of_client.expose_secret()] {
            prop_assert!(parse(text).is_none());
        }
        prop_assert!(parse_client_id(&name).is_none());
        prop_assert!(parse_password(&client, password.expose_secret()).is_none());
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,120}") {
        let _ = parse(&text);
        let _ = (from_header(&text), parse_client_id(&text), parse_password(&text, &text));
    }
}
