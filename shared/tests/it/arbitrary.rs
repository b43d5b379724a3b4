//! Bytes that nobody would send, cut at random, against the oracle.

use mantel_shared::{Boundary, Limits};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    oracle,
    outcome::{self, cut},
};

const BOUNDARIES: [&str; 9] = ["b", "--b", "-", "--", "---", "-b-", "b--", "a b", "----"];

/// Streams of the pieces that a decoder looks for, whole and cut, so that random ones come close
/// to being valid.
fn stream(boundary: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let delimiter = [format!("--{boundary}"), boundary.to_owned()];
    let piece = prop_oneof![
        6 => select(delimiter.to_vec()).prop_map(String::into_bytes),
        6 => select(vec!["\r\n", "\n", "\r", " ", "\t", "-", "--", "\0", "\r\n\r\n"])
            .prop_map(|text| text.as_bytes().to_vec()),
        3 => select(vec![
            "A: b\r\n", "A: b\n", "Content-Length: 0\r\n", "content-length: 3\n\n",
            "Content-Length: 12\r\n\r\n", "Content-Type: image/jpeg\r\n\r\n", "no header\n",
            "Content-Length: 1000\r\n\r\n", "                                 ",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 0..6),
        1 => (0..40usize).prop_map(|n| vec![b' '; n]),
    ];
    let opening = prop_oneof![Just(format!("--{boundary}\r\n")), Just(String::new())];
    (opening, vec(piece, 0..40))
        .prop_map(|(opening, pieces)| [opening.into_bytes(), pieces.concat()].concat())
}

fn small_limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        Just(Limits::default()),
        (0..40usize, 0..4usize, 0..20u64, 0..20u64, 0..6u64).prop_map(
            |(head_bytes, head_lines, body_bytes, preamble_bytes, padding_bytes)| Limits {
                head_bytes,
                head_lines,
                body_bytes,
                preamble_bytes,
                padding_bytes,
            }
        ),
    ]
}

proptest! {
    #![proptest_config(crate::outcome::cases(1000))]

    #[test]
    fn the_decoder_says_what_the_oracle_says(
        (boundary, stream) in select(&BOUNDARIES[..]).prop_flat_map(|b| (Just(b), stream(b))),
        limits in small_limits(),
        lengths in vec(0..30usize, 1..12),
    ) {
        let boundary = Boundary::new(boundary).unwrap();
        let wanted = oracle::decode(&boundary, limits, &stream);
        prop_assert_eq!(&outcome::decode(&boundary, limits, [&stream[..]]), &wanted);
        prop_assert_eq!(&outcome::decode(&boundary, limits, cut(&stream, &lengths)), &wanted);
        prop_assert_eq!(&outcome::decode(&boundary, limits, stream.chunks(1)), &wanted);
    }
}

/// A boundary of dashes alone has one form: the one without two more would be found inside the
/// other.
#[test]
fn a_boundary_of_dashes_is_read_as_it_should_be_written() {
    let boundary = Boundary::new("---").unwrap();
    let stream = b"-----\r\n-----";
    let whole = outcome::decode(&boundary, Limits::default(), [&stream[..]]);
    assert_eq!(
        (whole.closed, &whole.parts[..], whole.end),
        (false, &[][..], Ok(()))
    );
    assert_eq!(
        outcome::decode(&boundary, Limits::default(), stream.chunks(1)),
        whole
    );
}
