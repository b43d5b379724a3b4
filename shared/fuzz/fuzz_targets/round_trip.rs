//! What the encoder writes, the collector reads back, for any bodies, metadata and cuts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_shared::{
    Area, Boundary, Collector, ContentType, Encoder, Focus, FrameMeta, Limits, PartHead, SlideNo,
    TakenAt, Timestamp, Transition, UnixMillis,
};

#[derive(Debug, arbitrary::Arbitrary)]
struct Case<'a> {
    boundary: &'a str,
    chunk_bytes: u8,
    parts: Vec<CasePart<'a>>,
}

#[derive(Debug, arbitrary::Arbitrary)]
struct CasePart<'a> {
    content_type: &'a str,
    timestamp: Option<(u64, u32)>,
    numbers: [Option<u64>; 4],
    crossfade: Option<Option<u32>>,
    caption: Option<&'a str>,
    place: Option<&'a str>,
    album: Option<&'a str>,
    taken_at: &'a str,
    focus: Option<(u16, u16)>,
    photos: Vec<[u16; 4]>,
    paused: bool,
    body: &'a [u8],
}

fuzz_target!(|case: Case<'_>| {
    let boundary = Boundary::new(case.boundary).unwrap_or_default();
    assert_eq!(
        Boundary::from_content_type(&boundary.content_type()),
        Ok(boundary.clone())
    );
    let encoder = Encoder::new(&boundary);
    let mut wire = encoder.opening().to_vec();
    let mut sent = Vec::new();
    for part in &case.parts {
        let caption = part
            .caption
            .filter(|text| text.len() <= mantel_shared::MAX_CAPTION_BYTES);
        let name = |text: Option<&str>| {
            text.filter(|text| text.len() <= mantel_shared::MAX_NAME_BYTES)
                .map(str::to_owned)
        };
        let [slide, show_at, sent_at, dwell_millis] = part.numbers;
        let head = PartHead {
            content_type: ContentType::new(part.content_type).unwrap_or(ContentType::JPEG),
            content_length: Some(part.body.len() as u64),
            timestamp: part.timestamp.map(|(seconds, micros)| Timestamp {
                seconds,
                micros: micros % 1_000_000,
            }),
            meta: FrameMeta {
                slide: slide.map(SlideNo),
                show_at: show_at.map(UnixMillis),
                sent_at: sent_at.map(UnixMillis),
                dwell_millis,
                transition: part.crossfade.map(|millis| {
                    millis.map_or(Transition::Cut, |millis| Transition::Crossfade { millis })
                }),
                caption: caption.map(str::to_owned),
                taken_at: TakenAt::new(part.taken_at).ok(),
                place: name(part.place),
                album: name(part.album),
                focus: part.focus.map(|(x, y)| Focus {
                    x: x.min(Focus::MAX),
                    y: y.min(Focus::MAX),
                }),
                photos: part.photos.iter().take(2).map(area).collect(),
                paused: part.paused,
            },
        };
        wire.extend(encoder.part(&head, part.body));
        sent.push((head, part.body.to_vec()));
    }
    let mut collector = Collector::new(boundary, Limits::default());
    let mut read = Vec::new();
    for chunk in wire.chunks(usize::from(case.chunk_bytes).max(1)) {
        collector.push(chunk).expect("the encoder's own stream");
        while let Some(part) = collector.take() {
            read.push((part.head, part.body));
        }
    }
    collector.finish().expect("the encoder's own stream");
    assert_eq!(read, sent);
});

/// From any numbers one that lies within the picture.
fn area([left, top, width, height]: &[u16; 4]) -> Area {
    let (left, top) = (left % Area::WHOLE, top % Area::WHOLE);
    Area {
        left,
        top,
        width: 1 + width % (Area::WHOLE - left),
        height: 1 + height % (Area::WHOLE - top),
    }
}
