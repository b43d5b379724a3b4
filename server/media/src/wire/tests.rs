//! Everything that can be wrong with a message, and what comes of it.

use std::{vec, vec::Vec};

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000;

fn head(no: u64) -> Head {
    Head {
        kind: Kind::Motion,
        topic: Topic::of("main"),
        run: 7,
        no,
        sent_at: NOW,
    }
}

fn key() -> Key {
    Key::new(b"a secret of the house")
}

fn assembler() -> Assembler {
    Assembler::new(Kind::Motion, Topic::of("main"), 7)
}

fn messages(no: u64, content: &[u8], key: Option<&Key>) -> Vec<Vec<u8>> {
    cut(head(no), content, key, MIN_MESSAGE).unwrap().collect()
}

fn content(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 + i / 251) as u8).collect()
}

/// The contents that come of these messages, and what came to nothing.
fn put_together<'a>(
    messages: impl IntoIterator<Item = &'a Vec<u8>>,
    key: Option<&Key>,
) -> (Vec<Content>, Counts) {
    let mut assembler = assembler();
    let mut contents = Vec::new();
    for message in messages {
        match open(message, key) {
            Ok(part) => contents.extend(assembler.take(&part, NOW)),
            Err(why) => assembler.counts().refuse(why),
        }
    }
    (contents, *assembler.counts())
}

#[test]
fn contents_of_every_length_arrive_whole() {
    let room = MIN_MESSAGE - HEAD - SIGNATURE;
    for key in [None, Some(key())] {
        for n in [0, 1, room - 1, room, room + 1, 3 * room, 1_600_000] {
            let sent = content(n);
            let messages = messages(1, &sent, key.as_ref());
            assert_eq!(messages.len(), n.div_ceil(room).max(1));
            assert!(messages.iter().all(|message| message.len() <= MIN_MESSAGE));
            let (contents, counts) = put_together(&messages, key.as_ref());
            assert_eq!(contents.len(), 1, "{n}");
            assert!(contents[0].bytes == sent && contents[0].head == head(1));
            assert_eq!(counts, Counts::default());
        }
    }
    assert!(cut(head(1), &vec![0; MAX_CONTENT + 1], None, MIN_MESSAGE).is_err());
    let largest = vec![0; MAX_CONTENT];
    let n = cut(head(1), &largest, None, 1).unwrap().count();
    assert!(n <= MAX_PARTS && n <= usize::from(u16::MAX));
    // A bus that takes more is not given more.
    let mut messages = cut(head(1), &largest, None, 64 << 20).unwrap();
    assert!(messages.all(|message| message.len() <= MAX_MESSAGE));
}

#[test]
fn no_truncation_and_no_flipped_bit_of_a_signed_message_is_taken() {
    let key = key();
    let [message] = &messages(1, &content(40), Some(&key))[..] else {
        panic!("one part");
    };
    assert!(open(message, Some(&key)).is_ok());
    for end in 0..message.len() {
        assert!(open(&message[..end], Some(&key)).is_err(), "{end}");
    }
    for bit in 0..message.len() * 8 {
        let mut changed = message.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&changed, Some(&key)).is_err(), "{bit}");
    }
}

#[test]
fn no_truncation_of_an_unsigned_message_is_taken() {
    let [message] = &messages(1, &content(40), None)[..] else {
        panic!("one part");
    };
    assert!(open(message, None).is_ok());
    for end in 0..message.len() {
        assert!(open(&message[..end], None).is_err(), "{end}");
    }
}

#[test]
fn each_fault_has_its_name() {
    let key = key();
    let plain = messages(1, b"x", None).remove(0);
    let signed = messages(1, b"x", Some(&key)).remove(0);
    let changed = |at: usize, byte: u8| {
        let mut message = plain.clone();
        message[at] = byte;
        message
    };
    assert_eq!(open(b"GET / HTTP/1.1", None), Err(Refused::Foreign));
    assert_eq!(open(&changed(4, 2), None), Err(Refused::Version));
    assert_eq!(open(&changed(5, 99), None), Err(Refused::Foreign));
    assert_eq!(open(&plain, Some(&key)), Err(Refused::Unsigned));
    assert_eq!(open(&signed, None), Err(Refused::Unsigned));
    let other = Key::new(b"another secret");
    assert_eq!(open(&signed, Some(&other)), Err(Refused::Forged));
    // The part's number, how many there are, and the length, each at odds with the rest.
    for (at, byte) in [(8, 1), (10, 0), (10, 2), (12, 0), (12, 2), (15, 255)] {
        assert_eq!(open(&changed(at, byte), None), Err(Refused::Lying), "{at}");
    }
}

#[test]
fn a_hole_drops_the_content_and_the_newest_wins() {
    let (first, second) = (content(300_000), content(200_000));
    let (first, second) = (messages(1, &first, None), messages(2, &second, None));
    for missing in 0..first.len() {
        let mut some = first.clone();
        some.remove(missing);
        let (contents, counts) = put_together(some.iter().chain(&second), None);
        assert_eq!(contents.len(), 1, "{missing}");
        assert_eq!(contents[0].head.no, 2);
        assert_eq!(counts.holes, 1, "{missing}");
    }
    // One that is overtaken is not waited for, nor gone back to.
    let (contents, _) = put_together(second.iter().chain(&first), None);
    assert_eq!(contents.len(), 1);
    let mixed = [
        &first[0], &second[0], &first[1], &second[1], &second[2], &second[3],
    ];
    let (contents, counts) = put_together(mixed, None);
    assert_eq!((contents.len(), counts.holes, counts.replayed), (1, 1, 1));
}

#[test]
fn what_was_there_before_is_refused() {
    let key = key();
    let sent = content(100_000);
    let messages = messages(5, &sent, Some(&key));
    let (contents, counts) = put_together(messages.iter().chain(&messages), Some(&key));
    assert_eq!((contents.len(), counts.replayed), (1, 2));
    // Of another run, for another place, or of long ago.
    let part = open(&messages[0], Some(&key)).unwrap();
    let mut other = Assembler::new(Kind::Motion, Topic::of("main"), 8);
    assert!(other.take(&part, NOW).is_none() && other.counts().replayed == 1);
    other.follow(7);
    assert!(other.take(&part, NOW + MAX_AGE_MILLIS).is_none());
    assert_eq!(other.counts().replayed, 1);
    let mut late = assembler();
    assert!(late.take(&part, NOW + MAX_AGE_MILLIS + 1).is_none());
    assert!(late.take(&part, NOW - MAX_AGE_MILLIS - 1).is_none());
    assert_eq!(late.counts().replayed, 2);
    let mut elsewhere = Assembler::new(Kind::Motion, Topic::of("door"), 7);
    assert!(elsewhere.take(&part, NOW).is_none() && elsewhere.counts().foreign == 1);
}

#[test]
fn parts_that_contradict_each_other_come_to_nothing() {
    let head = head(1);
    let mut assembler = assembler();
    let part = |part, parts, length, payload| Part {
        head,
        part,
        parts,
        length,
        payload,
    };
    // More bytes than were told of, and fewer.
    assert!(assembler.take(&part(0, 2, 4, b"abc"), NOW).is_none());
    assert!(assembler.take(&part(1, 2, 4, b"de"), NOW).is_none());
    assert_eq!(assembler.counts().lying, 1);
    assert!(assembler.take(&part(0, 2, 4, b"a"), NOW).is_none());
    assert!(assembler.take(&part(1, 2, 4, b"b"), NOW).is_none());
    assert_eq!(assembler.counts().lying, 2);
    // All of them before the last part.
    assert!(assembler.take(&part(0, 2, 4, b"abcd"), NOW).is_none());
    assert_eq!(assembler.counts().lying, 3);
    // Another length than its first part told.
    assert!(assembler.take(&part(0, 2, 4, b"ab"), NOW).is_none());
    assert!(assembler.take(&part(1, 2, 5, b"cde"), NOW).is_none());
    assert_eq!(assembler.counts().lying, 4);
    let whole = assembler.take(&part(1, 2, 4, b"cd"), NOW).unwrap();
    assert_eq!(whole.bytes, b"abcd");
}

fn frame(no: u64) -> SheetFrame<'static> {
    SheetFrame {
        no,
        at: NOW,
        taken_at: (no % 2 == 1).then_some(NOW - 3),
        source: (no % 2 == 1).then_some("door"),
        head: b"Content-Type: image/jpeg\r\n\r\n",
        jpeg: b"\xff\xd8 jpeg \xff\xd9",
    }
}

#[test]
fn sheets_are_read_as_they_were_written_and_no_truncation_is_one() {
    for current in [Slot::Whole(frame(1)), Slot::Sent(4)] {
        for next in [
            Next::NotYet,
            Next::Unforeseen,
            Next::Known(Slot::Whole(frame(2))),
            Next::Known(Slot::Sent(u64::MAX)),
        ] {
            let sheet = Sheet { current, next };
            let bytes = sheet.write();
            assert_eq!(Sheet::read(&bytes), Ok(sheet));
            for end in 0..bytes.len() {
                assert_eq!(Sheet::read(&bytes[..end]), Err(Malformed));
            }
            let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
            assert_eq!(Sheet::read(&longer), Err(Malformed));
        }
    }
}

#[test]
fn pictures_of_video_are_read_as_they_were_written_and_no_truncation_is_one() {
    for pps in [vec![], vec![&b"one"[..]], vec![&b"one"[..], b""]] {
        let unit = FilmUnit {
            no: 1,
            start: 2,
            began_at: NOW,
            size: (640, 360),
            sps: b"sps",
            pps,
            at: 90_000,
            duration: 3600,
            is_key: true,
            annexb: b"\0\0\0\x01\x65",
        };
        let bytes = unit.write();
        assert_eq!(FilmUnit::read(&bytes).as_ref(), Ok(&unit));
        for end in 0..bytes.len() {
            assert_eq!(FilmUnit::read(&bytes[..end]), Err(Malformed));
        }
        let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        assert_eq!(FilmUnit::read(&longer), Err(Malformed));
    }
}

proptest! {
    #[test]
    fn whatever_order_messages_come_in_nothing_wrong_comes_of_them(
        order in prop::collection::vec((1u64..5, 0usize..4), 0..60),
    ) {
        let all: Vec<Vec<Vec<u8>>> = (0..5)
            .map(|no| messages(no, &content(usize::try_from(no).unwrap() * 60_000), None))
            .collect();
        let mut assembler = assembler();
        let mut last = 0;
        for (no, part) in order {
            let messages = &all[usize::try_from(no).unwrap()];
            let Some(message) = messages.get(part) else { continue };
            let part = open(message, None).unwrap();
            if let Some(content) = assembler.take(&part, NOW) {
                prop_assert!(content.head.no > last);
                last = content.head.no;
                prop_assert_eq!(content.bytes.len() as u64, last * 60_000);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = open(&bytes, None);
        let _ = open(&bytes, Some(&key()));
        let _ = Sheet::read(&bytes);
        let _ = FilmUnit::read(&bytes);
        let mut message = messages(1, &bytes, None).remove(0);
        message.splice(8..56, bytes.iter().copied().take(48));
        if let Ok(part) = open(&message, None) {
            prop_assert!(assembler().take(&part, NOW).is_none_or(|content| content.bytes.len() <= bytes.len() + 48));
        }
    }
}
