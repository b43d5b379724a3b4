//! Limits one below, at, and one above what a stream needs, with the exact offset of the error.

use mantel_shared::{Boundary, DecodeError, DecodeErrorKind, HeadError, Limits, Place};

use crate::outcome::{Outcome, decode};

/// Decodes a stream whole and by bytes; both outcomes must be equal.
fn run(stream: &str, limits: Limits) -> Outcome {
    let boundary = Boundary::new("b").unwrap();
    let whole = decode(&boundary, limits, [stream.as_bytes()]);
    assert_eq!(
        decode(&boundary, limits, stream.as_bytes().chunks(1)),
        whole
    );
    whole
}

fn error(kind: DecodeErrorKind, offset: usize) -> Result<(), DecodeError> {
    Err(DecodeError {
        kind,
        offset: offset as u64,
    })
}

#[test]
fn preamble() {
    let stream = "12345\r\n--b\r\n";
    let limits = |preamble_bytes| Limits {
        preamble_bytes,
        ..Limits::default()
    };
    assert_eq!(
        run(stream, limits(4)).end,
        error(DecodeErrorKind::PreambleTooLong, 4)
    );
    assert_eq!(run(stream, limits(5)).end, Ok(()));
    assert_eq!(run(stream, limits(6)).end, Ok(()));
}

#[test]
fn head_bytes() {
    // A head of 10 bytes, its blank line included, at offset 5.
    let stream = "--b\r\nA: bcd\r\n\r\n";
    let limits = |head_bytes| Limits {
        head_bytes,
        ..Limits::default()
    };
    assert_eq!(
        run(stream, limits(9)).end,
        error(DecodeErrorKind::HeadTooLong, 14)
    );
    for enough in [10, 11] {
        let end = run(stream, limits(enough)).end;
        assert_eq!(end, error(DecodeErrorKind::UnexpectedEnd(Place::Body), 15));
    }
    // A head that never ends is refused before it has.
    let endless = "--b\r\nA: bcdefghijkl";
    assert_eq!(
        run(endless, limits(9)).end,
        error(DecodeErrorKind::HeadTooLong, 14)
    );
}

#[test]
fn head_lines() {
    let stream = "--b\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n\r\n--b--";
    let limits = |head_lines| Limits {
        head_lines,
        ..Limits::default()
    };
    assert_eq!(
        run(stream, limits(2)).end,
        error(DecodeErrorKind::TooManyHeadLines, 17)
    );
    assert_eq!(run(stream, limits(3)).end, Ok(()));
    assert_eq!(run(stream, limits(4)).end, Ok(()));
}

#[test]
fn body_without_a_length() {
    let stream = "--b\r\nA: 1\r\n\r\n12\r\n5\r\n--b\r\n";
    let limits = |body_bytes| Limits {
        body_bytes,
        ..Limits::default()
    };
    let short = run(stream, limits(4));
    assert_eq!(short.end, error(DecodeErrorKind::BodyTooLong, 17));
    assert_eq!(
        (&short.parts[0].body[..], short.parts[0].complete),
        (&b"12\r\n"[..], false)
    );
    for enough in [5, 6] {
        let outcome = run(stream, limits(enough));
        assert_eq!(outcome.end, Ok(()));
        assert_eq!(outcome.parts[0].body, b"12\r\n5");
    }
}

#[test]
fn body_with_a_length() {
    let stream = "--b\r\nContent-Length: 5\r\n\r\n12345\r\n--b\r\n";
    let limits = |body_bytes| Limits {
        body_bytes,
        ..Limits::default()
    };
    let refused = run(stream, limits(4));
    assert_eq!(refused.end, error(DecodeErrorKind::BodyTooLong, 26));
    assert_eq!(refused.parts, []);
    assert_eq!(run(stream, limits(5)).end, Ok(()));
    assert_eq!(run(stream, limits(6)).end, Ok(()));
    let huge = "--b\r\nContent-Length: 18446744073709551615\r\n\r\n";
    assert_eq!(
        run(huge, Limits::default()).end,
        error(DecodeErrorKind::BodyTooLong, 45)
    );
}

#[test]
fn padding() {
    let stream = "--b\r\nContent-Length: 2\r\n\r\n12\0\0\r\n--b\r\n";
    let limits = |padding_bytes| Limits {
        padding_bytes,
        ..Limits::default()
    };
    let kind = DecodeErrorKind::LengthContradicted { content_length: 2 };
    assert_eq!(run(stream, limits(3)).end, error(kind, 31));
    assert_eq!(run(stream, limits(4)).end, Ok(()));
    assert_eq!(run(stream, limits(5)).end, Ok(()));
}

#[test]
fn a_length_that_contradicts_the_delimiter() {
    let refused = |content_length, stream: &str, offset| {
        let outcome = run(stream, Limits::default());
        let kind = DecodeErrorKind::LengthContradicted { content_length };
        assert_eq!(outcome.end, error(kind, offset), "{stream}");
    };
    // Too short by one, too long by one, and into the delimiter.
    refused(4, "--b\r\nContent-Length: 4\r\n\r\n12345\r\n--b\r\n", 30);
    refused(
        8,
        "--b\r\nContent-Length: 8\r\n\r\n12345\r\n--b\r\nA: b\r\n\r\n",
        34,
    );
    refused(
        9,
        "--b\r\nContent-Length: 9\r\n\r\n12345\r\n--b\r\nA: b\r\n\r\n",
        35,
    );
    // A boundary followed by other characters is none.
    refused(5, "--b\r\nContent-Length: 5\r\n\r\n12345\r\n--bc\r\n", 33);
    refused(5, "--b\r\nContent-Length: 5\r\n\r\n12345\r\n--b \rx", 33);
    // Some senders count the newline before the delimiter as part of the body.
    assert_eq!(
        run(
            "--b\r\nContent-Length: 7\r\n\r\n12345\r\n--b\r\n",
            Limits::default()
        )
        .end,
        Ok(())
    );
}

#[test]
fn lengths_that_say_nothing_are_searched_past() {
    for length in [
        "x",
        "",
        "-1",
        "+2",
        "2 3",
        "0x2",
        "18446744073709551616",
        "2\r\nContent-Length: 3",
    ] {
        let stream = format!("--b\r\nContent-Length: {length}\r\n\r\n12\r\n--b\r\n");
        let outcome = run(&stream, Limits::default());
        assert_eq!(
            (outcome.end, &outcome.parts[0].body[..]),
            (Ok(()), &b"12"[..]),
            "{length}"
        );
    }
    let twice = "--b\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n1\r\n\r\n--b\r\n";
    assert_eq!(run(twice, Limits::default()).parts[0].body, b"1\r\n");
}

#[test]
fn heads_that_are_none() {
    let stream = "--b\r\nA: 1\r\nHTTP/1.0 200 OK\r\n\r\n";
    let kind = DecodeErrorKind::Head(HeadError::NotAHeader { at: 6 });
    let refused = run(stream, Limits::default());
    assert_eq!(refused.end, error(kind, 11));
    assert_eq!(
        refused.end.unwrap_err().to_string(),
        "at byte 11 of the stream: the line 6 bytes into the head has no colon"
    );
}

#[test]
fn ends_of_the_input() {
    let place = |stream: &str, place| {
        let outcome = run(stream, Limits::default());
        assert_eq!(
            outcome.end,
            error(DecodeErrorKind::UnexpectedEnd(place), stream.len()),
            "{stream:?}"
        );
    };
    place("", Place::Preamble);
    place("text\r\n--", Place::Preamble);
    place("--b\r\nA", Place::Head);
    place("--b\r\nA: b\r\n", Place::Head);
    place("--b\r\n\r", Place::Head);
    place("--b\r\nA: b\r\n\r\n", Place::Body);
    place("--b\r\nA: b\r\n\r\nxyz\r\n--", Place::Body);
    place("--b\r\nContent-Length: 3\r\n\r\nxy", Place::Body);
    for clean in [
        "--b",
        "--b\r\n",
        "--b\r\nContent-Length: 2\r\n\r\nxy",
        "--b\r\nContent-Length: 2\r\n\r\nxy\r\n--",
        "--b--",
    ] {
        assert_eq!(run(clean, Limits::default()).end, Ok(()), "{clean:?}");
    }
}

/// Up to 32 spaces and tabs after a boundary belong to the delimiter; with more it is content.
#[test]
fn padding_of_the_delimiters_line() {
    for (n, is_delimiter) in [(0, true), (31, true), (32, true), (33, false)] {
        let stream = format!("--b\r\nA: b\r\n\r\nxy\r\n--b{}\r\n", " ".repeat(n));
        let outcome = run(&stream, Limits::default());
        assert_eq!(outcome.end.is_ok(), is_delimiter, "{n}");
        let body: &[u8] = &outcome.parts[0].body;
        assert_eq!(body == b"xy", is_delimiter, "{n}");
    }
}
