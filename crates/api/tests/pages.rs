//! Cursors of lists.

use proptest::prelude::*;
use rollcall_api::services::page::Cursor;
use uuid::Uuid;

#[test]
fn a_cursor_of_another_list_is_refused() {
    let ids = Cursor::Ids(Uuid::from_u128(1), Uuid::from_u128(2)).encode();
    let number = Cursor::Number(7).encode();
    assert!(Cursor::number(Some(&ids)).is_err());
    assert!(Cursor::ids(Some(&number)).is_err());
    for text in ["", "7", "*", "AAAA"] {
        assert!(Cursor::number(Some(text)).is_err(), "{text}");
        assert!(Cursor::ids(Some(text)).is_err(), "{text}");
    }
}

#[test]
fn without_a_cursor_a_list_begins_at_its_beginning() {
    assert_eq!(Cursor::number(None).expect("none"), None);
    assert_eq!(Cursor::ids(None).expect("none"), None);
}

proptest! {
    #[test]
    fn cursors_read_back(number: i64, first: u128, second: u128) {
        prop_assert_eq!(Cursor::number(Some(&Cursor::Number(number).encode())).ok(), Some(Some(number)));
        let (first, second) = (Uuid::from_u128(first), Uuid::from_u128(second));
        prop_assert_eq!(Cursor::ids(Some(&Cursor::Ids(first, second).encode())).ok(), Some(Some((first, second))));
    }
}
