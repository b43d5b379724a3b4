//! Round trips: streams of the encoder are read by decoder and collector, however they are cut.

use mantel_shared::{
    Area, Boundary, Collector, ContentType, Encoder, Focus, FrameMeta, Limits, PartHead, SlideNo,
    TakenAt, Timestamp, Transition, UnixMillis,
};
use proptest::{collection::vec, option, prelude::*};

use crate::outcome::cut;

fn transition() -> impl Strategy<Value = Transition> {
    prop_oneof![
        Just(Transition::Cut),
        any::<u32>().prop_map(|millis| Transition::Crossfade { millis }),
    ]
}

fn taken_at() -> impl Strategy<Value = TakenAt> {
    "[0-9]{4}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9]"
        .prop_map(|text| TakenAt::new(&text).unwrap())
}

prop_compose! {
    fn meta()(
        slide in option::of(any::<u64>().prop_map(SlideNo)),
        show_at in option::of(any::<u64>().prop_map(UnixMillis)),
        sent_at in option::of(any::<u64>().prop_map(UnixMillis)),
        dwell_millis in option::of(any::<u64>()),
        transition in option::of(transition()),
        caption in option::of(".{0,60}"),
        taken_at in option::of(taken_at()),
        place in option::of(".{0,60}"),
        album in option::of(".{0,60}"),
        focus in option::of((0..=Focus::MAX, 0..=Focus::MAX).prop_map(|(x, y)| Focus { x, y })),
        photos in proptest::collection::vec(area(), 0..=2),
        paused in any::<bool>(),
    ) -> FrameMeta {
        FrameMeta {
            slide, show_at, sent_at, dwell_millis, transition, caption, taken_at, place, album, focus, photos, paused,
        }
    }
}

/// Any area, made of two corners, so that it lies within the picture.
fn area() -> impl Strategy<Value = Area> {
    let side = (0..Area::WHOLE).prop_flat_map(|from| (Just(from), 1..=Area::WHOLE - from));
    (side.clone(), side).prop_map(|((left, width), (top, height))| Area {
        left,
        top,
        width,
        height,
    })
}

prop_compose! {
    fn head()(
        content_type in "[a-z]{1,9}/[ -~]{0,40}[!-~]",
        content_length in option::of(any::<u64>()),
        timestamp in option::of((any::<u64>(), 0..1_000_000u32)),
        meta in meta(),
    ) -> PartHead {
        PartHead {
            content_type: ContentType::new(&content_type).unwrap(),
            content_length,
            timestamp: timestamp.map(|(seconds, micros)| Timestamp { seconds, micros }),
            meta,
        }
    }
}

fn boundary() -> impl Strategy<Value = Boundary> {
    "[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]"
        .prop_map(|text| Boundary::new(&text).unwrap())
}

/// Any body without a delimiter: the shortest would be three bytes, the first two of them dashes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()];
    vec(byte, 0..200).prop_map(|mut body| {
        for at in 1..body.len() {
            if body[at - 1] == b'-' && body[at] == b'-' {
                body[at] = b'x';
            }
        }
        body
    })
}

proptest! {
    #![proptest_config(crate::outcome::cases(256))]

    #[test]
    fn any_head_reads_back(head in head()) {
        let mut block = Vec::new();
        head.write(&mut block);
        prop_assert_eq!(PartHead::parse(&block), Ok(head));
    }

    #[test]
    fn any_block_is_read_or_refused_and_what_is_read_can_be_written(block in vec(any::<u8>(), 0..300)) {
        if let Ok(head) = PartHead::parse(&block) {
            let mut written = Vec::new();
            head.write(&mut written);
            prop_assert_eq!(PartHead::parse(&written), Ok(head));
        }
    }

    #[test]
    fn any_stream_reads_back(
        boundary in boundary(),
        parts in vec((head(), body(), any::<bool>()), 1..5),
        lengths in vec(0..80usize, 1..20),
        advance in any::<bool>(),
    ) {
        let encoder = Encoder::new(&boundary);
        let mut wire = encoder.opening().to_vec();
        let mut sent = Vec::new();
        let mut advanced = false;
        for (at, (head, body, counted)) in parts.iter().enumerate() {
            let content_length = counted.then_some(body.len() as u64);
            let head = PartHead { content_length, ..head.clone() };
            if !advanced {
                wire.extend(encoder.head(&head));
            }
            advanced = false;
            wire.extend_from_slice(body);
            if at + 1 == parts.len() {
                wire.extend_from_slice(encoder.closing());
            } else {
                wire.extend_from_slice(encoder.delimiter());
                if let (true, (next, body, counted)) = (advance, &parts[at + 1]) {
                    let content_length = counted.then_some(body.len() as u64);
                    wire.extend(encoder.head(&PartHead { content_length, ..next.clone() }));
                    advanced = true;
                }
            }
            sent.push((head, body.clone()));
        }
        let mut collector = Collector::new(boundary, Limits::default());
        let mut read = Vec::new();
        for chunk in cut(&wire, &lengths) {
            collector.push(chunk).unwrap();
            read.extend(std::iter::from_fn(|| collector.take()).map(|part| (part.head, part.body)));
        }
        collector.finish().unwrap();
        prop_assert!(collector.is_closed() && collector.take().is_none());
        prop_assert_eq!(read, sent);
    }
}
