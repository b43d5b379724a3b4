//! Fragmented MP4: its boxes are whole, its offsets right, its samples where the head says.

use mantel_media::avc::ParameterSets;
use mantel_media::fmp4::{
    BLOCK, Fragment, Sample, TIMESCALE, Track, chunk, chunk_head, filling, index, init, missing,
};

use crate::avc::{LIVE, from_hex, units};

/// All boxes below `bytes` as paths with their contents, containers included.
fn boxes<'a>(bytes: &'a [u8], path: &str, found: &mut Vec<(String, &'a [u8])>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = number(&rest[..4]);
        let kind = std::str::from_utf8(&rest[4..8]).unwrap();
        let (content, next) = rest.split_at(usize::try_from(length).unwrap());
        let (path, content) = (format!("{path}/{kind}"), &content[8..]);
        found.push((path.clone(), content));
        // What stands before the boxes inside.
        let inside = match kind {
            "moov" | "trak" | "mdia" | "minf" | "dinf" | "stbl" | "mvex" | "moof" | "traf"
            | "mfra" => Some(0),
            "dref" | "stsd" => Some(8),
            "avc1" => Some(78),
            _ => None,
        };
        if let Some(n) = inside {
            boxes(&content[n..], &path, found);
        }
        rest = next;
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte))
}

fn content<'a>(bytes: &'a [u8], path: &str) -> Option<&'a [u8]> {
    let mut found = Vec::new();
    boxes(bytes, "", &mut found);
    let mut same = found.into_iter().filter(|(name, _)| name == path);
    let content = same.next().map(|(_, content)| content);
    assert!(same.next().is_none(), "{path} is there twice");
    content
}

const ENTRY: &str = "/moov/trak/mdia/minf/stbl/stsd/avc1";

fn track(duration: Option<u64>) -> Track {
    let sets = ParameterSets::of(&units(LIVE)[0]).unwrap().unwrap();
    Track { sets, duration }
}

#[test]
fn an_init_segment_has_every_box_that_must_be_there() {
    let init = init(&track(None));
    let mut found = Vec::new();
    boxes(&init, "", &mut found);
    let names: Vec<_> = found.iter().map(|(name, _)| &name[..]).collect();
    let table = "/moov/trak/mdia/minf/stbl";
    let entries = [
        "stsd",
        "stsd/avc1",
        "stsd/avc1/avcC",
        "stts",
        "stsc",
        "stsz",
        "stco",
    ];
    let mut wanted: Vec<String> = [
        "/ftyp",
        "/moov",
        "/moov/mvhd",
        "/moov/trak",
        "/moov/trak/tkhd",
        "/moov/trak/mdia",
        "/moov/trak/mdia/mdhd",
        "/moov/trak/mdia/hdlr",
        "/moov/trak/mdia/minf",
        "/moov/trak/mdia/minf/vmhd",
        "/moov/trak/mdia/minf/dinf",
        "/moov/trak/mdia/minf/dinf/dref",
        "/moov/trak/mdia/minf/dinf/dref/url ",
        table,
    ]
    .map(str::to_owned)
    .into();
    wanted.extend(entries.map(|name| format!("{table}/{name}")));
    wanted.extend(["/moov/mvex", "/moov/mvex/trex"].map(str::to_owned));
    assert_eq!(names, wanted);
    // Lengths that the specification fixes.
    for (path, n) in [
        ("/moov/mvhd", 100),
        ("/moov/trak/tkhd", 84),
        ("/moov/trak/mdia/mdhd", 24),
        ("/moov/trak/mdia/hdlr", 30),
        ("/moov/mvex/trex", 24),
    ] {
        assert_eq!(content(&init, path).unwrap().len(), n, "{path}");
    }
    let entry = content(&init, ENTRY).unwrap();
    assert_eq!((number(&entry[24..26]), number(&entry[26..28])), (64, 48));
    let size = &content(&init, "/moov/trak/tkhd").unwrap()[76..];
    assert_eq!(size, [0, 64, 0, 0, 0, 48, 0, 0]);
    let time = &content(&init, "/moov/trak/mdia/mdhd").unwrap()[12..16];
    assert_eq!(number(time), u64::from(TIMESCALE));
    let record = content(&init, &format!("{ENTRY}/avcC")).unwrap();
    assert_eq!(record, track(None).sets.avcc());
}

#[test]
fn a_finite_file_says_how_long_it_is() {
    let init = init(&track(Some(2_700_000)));
    let extended = content(&init, "/moov/mvex/mehd").unwrap();
    assert_eq!((extended[0], number(&extended[4..])), (1, 2_700_000));
}

#[test]
fn colours_stand_in_the_entry_where_the_stream_has_them() {
    let colour = |sps: &str| {
        let sets = ParameterSets::new(&from_hex(sps), [&[0x68, 0xce][..]]).unwrap();
        let duration = None;
        let init = init(&Track { sets, duration });
        content(&init, &format!("{ENTRY}/colr")).map(<[u8]>::to_vec)
    };
    let hd = "67640028acd940780227e5c05a808080a0000003002000000781e30632c0";
    let full = "674d401fd900fc1279623016c800001f480007530478c19240";
    let unsaid = "6742c00cd901419f9f011000000300100000030320f142a480";
    assert_eq!(colour(hd).unwrap(), b"nclx\0\x01\0\x01\0\x01\0");
    assert_eq!(colour(full).unwrap(), b"nclx\0\x02\0\x02\0\x02\x80");
    assert_eq!(colour(unsaid), None);
}

#[test]
fn a_chunk_tells_its_samples_and_where_they_are() {
    let samples: Vec<_> = [(5, 3600, true), (0, 1, false), (7, u32::MAX, false)]
        .into_iter()
        .map(|(size, duration, is_key)| Sample {
            size,
            duration,
            is_key,
        })
        .collect();
    for n in 0..=samples.len() {
        let samples = &samples[..n];
        let n_bytes = samples.iter().map(|sample| sample.size).sum::<u32>();
        let bytes: Vec<u8> = (0..n_bytes).map(|n| n as u8).collect();
        let time = 0x1_0000_0002;
        let whole = chunk(9, time, samples, &bytes);
        let head = chunk_head(9, time, samples);
        assert_eq!(whole, [&head[..], &bytes].concat());
        assert_eq!(content(&whole, "/mdat").unwrap(), bytes);
        assert_eq!(number(&content(&whole, "/moof/mfhd").unwrap()[4..]), 9);
        let decode_time = content(&whole, "/moof/traf/tfdt").unwrap();
        assert_eq!((decode_time[0], number(&decode_time[4..])), (1, time));
        let run = content(&whole, "/moof/traf/trun").unwrap();
        assert_eq!(number(&run[..4]), 0x701);
        assert_eq!(number(&run[4..8]), n as u64);
        // From the beginning of `moof`, which is that of the chunk.
        assert_eq!(number(&run[8..12]), head.len() as u64);
        for (sample, told) in samples.iter().zip(run[12..].chunks(12)) {
            assert_eq!(number(&told[..4]), u64::from(sample.duration));
            assert_eq!(number(&told[4..8]), u64::from(sample.size));
            let depends = number(&told[8..]) & 0x1_0000 != 0;
            assert_eq!(depends, !sample.is_key);
        }
    }
}

#[test]
fn a_chunk_of_more_than_four_gigabytes_has_a_long_length() {
    let sample = Sample {
        size: u32::MAX,
        duration: 1,
        is_key: true,
    };
    for (samples, n) in [(&[sample][..], 16), (&[sample; 3], 16)] {
        let head = chunk_head(1, 0, samples);
        let mdat = &head[head.len() - n..];
        let n_bytes = u64::from(u32::MAX) * samples.len() as u64 + 16;
        assert_eq!(mdat[..8], [0, 0, 0, 1, b'm', b'd', b'a', b't']);
        assert_eq!(number(&mdat[8..]), n_bytes);
        let run = content(&head[..head.len() - n], "/moof/traf/trun").unwrap();
        assert_eq!(number(&run[8..12]), head.len() as u64);
    }
}

#[test]
fn the_end_of_a_file_says_where_key_frames_are() {
    let fragments = [(0, 700), (180_000, 0x1_0000_0000)].map(|(decode_time, offset)| Fragment {
        decode_time,
        offset,
    });
    let end = index(&fragments);
    let table = content(&end, "/mfra/tfra").unwrap();
    assert_eq!((table[0], number(&table[12..16])), (1, 2));
    for (fragment, told) in fragments.iter().zip(table[16..].chunks(19)) {
        assert_eq!(number(&told[..8]), fragment.decode_time);
        assert_eq!(number(&told[8..16]), fragment.offset);
    }
    let length = content(&end, "/mfra/mfro").unwrap();
    assert_eq!(number(&length[4..]), end.len() as u64);
    assert_eq!(number(&end[end.len() - 4..]), end.len() as u64);
}

#[test]
fn a_filling_ends_a_block_wherever_the_stream_is() {
    for n_bytes in 1..=2 * BLOCK {
        let n = missing(n_bytes);
        assert_eq!((n_bytes + n) % BLOCK, 0, "{n_bytes}");
        if n == 0 {
            assert_eq!(n_bytes % BLOCK, 0);
            continue;
        }
        let filling = filling(n);
        assert_eq!(filling.len() as u64, n);
        let mut found = Vec::new();
        boxes(&filling, "", &mut found);
        let [(name, content)] = &found[..] else {
            panic!("{n_bytes}: one box");
        };
        assert_eq!((&name[..], content.len() as u64), ("/free", n - 8));
    }
}
