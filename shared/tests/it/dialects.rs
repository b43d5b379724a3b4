//! Decoding of every sample, cut in every way.

use mantel_shared::{DecodeErrorKind, Limits, Place, SlideNo, Timestamp, Transition, UnixMillis};

use crate::{oracle, outcome, samples};

#[test]
fn each_sample_reads_as_what_it_is() {
    for sample in samples::all() {
        let stream = &sample.stream[..];
        let outcome = outcome::decode(&sample.boundary(), Limits::default(), [stream]);
        let parts: Vec<_> = outcome
            .parts
            .iter()
            .map(|p| (p.head.content_type.as_str(), &p.body[..]))
            .collect();
        assert_eq!(parts, sample.parts, "{}", sample.sender);
        assert_eq!(outcome.closed, sample.closed, "{}", sample.sender);
        let complete = outcome.parts.iter().filter(|part| part.complete).count();
        assert_eq!(
            complete,
            sample.parts.len() - usize::from(sample.open),
            "{}",
            sample.sender
        );
        match outcome.end {
            Ok(()) => assert!(!sample.open, "{}", sample.sender),
            Err(error) => {
                assert!(sample.open, "{}: {error}", sample.sender);
                assert_eq!(error.kind, DecodeErrorKind::UnexpectedEnd(Place::Body));
                assert_eq!(error.offset, stream.len() as u64);
            }
        }
    }
}

#[test]
fn no_cut_in_two_makes_a_difference() {
    for sample in samples::all() {
        let (boundary, stream) = (sample.boundary(), &sample.stream[..]);
        let whole = outcome::decode(&boundary, Limits::default(), [stream]);
        for at in 0..=stream.len() {
            let (one, two) = stream.split_at(at);
            let cut = outcome::decode(&boundary, Limits::default(), [one, two]);
            assert_eq!(cut, whole, "{}, cut at {at}", sample.sender);
        }
    }
}

#[test]
fn no_chunk_size_makes_a_difference() {
    for sample in samples::all() {
        let (boundary, stream) = (sample.boundary(), &sample.stream[..]);
        let whole = outcome::decode(&boundary, Limits::default(), [stream]);
        for size in 1..=stream.len() {
            let cut = outcome::decode(&boundary, Limits::default(), stream.chunks(size));
            assert_eq!(cut, whole, "{}, chunks of {size}", sample.sender);
        }
    }
}

#[test]
fn every_truncation_is_what_the_oracle_says() {
    for sample in samples::all() {
        let boundary = sample.boundary();
        for end in 0..=sample.stream.len() {
            let stream = &sample.stream[..end];
            let wanted = oracle::decode(&boundary, Limits::default(), stream);
            let whole = outcome::decode(&boundary, Limits::default(), [stream]);
            assert_eq!(whole, wanted, "{}, truncated at {end}", sample.sender);
            let bytes = outcome::decode(&boundary, Limits::default(), stream.chunks(1));
            assert_eq!(
                bytes, wanted,
                "{}, truncated at {end}, by bytes",
                sample.sender
            );
        }
    }
}

#[test]
fn metadata_is_read() {
    let all = samples::all();
    let of = |sender: &str| {
        let sample = all.iter().find(|s| s.sender.starts_with(sender)).unwrap();
        outcome::decode(&sample.boundary(), Limits::default(), [&sample.stream[..]]).parts
    };
    let timestamp = Some(Timestamp {
        seconds: 1_636_464_646,
        micros: 123,
    });
    assert_eq!(of("mjpg-streamer")[0].head.timestamp, timestamp);
    assert_eq!(of("ustreamer")[0].head.timestamp, timestamp);
    let own = of("Mantel");
    let meta = &own[0].head.meta;
    assert_eq!(meta.slide, Some(SlideNo(7)));
    assert_eq!(meta.show_at, Some(UnixMillis(1_636_464_646_000)));
    assert_eq!(
        meta.transition,
        Some(Transition::Crossfade { millis: 1000 })
    );
    assert_eq!(meta.caption.as_deref(), Some("Grüße %"));
    assert!(!meta.paused && own[1].head.meta.paused);
}

/// A counted part is complete with its last byte: nothing after it has to come first.
#[test]
fn a_counted_part_ends_at_once() {
    use mantel_shared::{Boundary, Decoder, Event};
    let mut decoder = Decoder::new(Boundary::new("b").unwrap(), Limits::default());
    let mut input = &b"--b\r\nContent-Length: 2\r\n\r\nxy"[..];
    let mut seen = Vec::new();
    while let Some(event) = decoder.next(&mut input).unwrap() {
        seen.push(match event {
            Event::Head(_) => "head",
            Event::Body(b"xy") => "body",
            Event::PartEnd => "end",
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, ["head", "body", "end"]);
}

/// Content in the middle of a chunk isn't copied, with a length or without.
#[test]
fn bodies_are_borrowed_from_the_chunk() {
    use mantel_shared::{Boundary, Decoder, Event};
    let chunk = b"--b\r\nContent-Length: 4\r\n\r\nover\r\n--b\r\n\r\nsearched\r\n--b\r\n".to_vec();
    let mut decoder = Decoder::new(Boundary::new("b").unwrap(), Limits::default());
    let mut input = &chunk[..];
    let mut pieces = 0;
    while let Some(event) = decoder.next(&mut input).unwrap() {
        if let Event::Body(piece) = event {
            assert!(chunk.as_ptr_range().contains(&piece.as_ptr()));
            pieces += 1;
        }
    }
    assert_eq!(pieces, 2);
}

/// Events that were not taken before the end of the stream are still returned after it.
#[test]
fn the_end_brings_what_was_not_taken_yet() {
    use mantel_shared::{Boundary, Decoder, Event};
    for (stream, events) in [
        (
            &b"--b\r\n\r\nxy\r\n--b--"[..],
            &[Event::PartEnd, Event::Close][..],
        ),
        (b"--b\r\n\r\nxy\r\n--b\r\n", &[Event::PartEnd]),
        (b"--b\r\n\r\nxy\r\n--b", &[Event::PartEnd]),
        (b"--b\r\nContent-Length: 2\r\n\r\nxy", &[Event::PartEnd]),
    ] {
        let mut decoder = Decoder::new(Boundary::new("b").unwrap(), Limits::default());
        let mut input = stream;
        assert!(matches!(decoder.next(&mut input), Ok(Some(Event::Head(_)))));
        assert_eq!(decoder.next(&mut input), Ok(Some(Event::Body(b"xy"))));
        for event in events {
            assert_eq!(
                decoder.finish().as_ref(),
                Ok(&Some(event.clone())),
                "{stream:?}"
            );
        }
        assert_eq!(decoder.finish(), Ok(None));
        assert_eq!(decoder.next(&mut &b"late"[..]), Ok(None));
    }
}
