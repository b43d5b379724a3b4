//! Transport streams: taken apart packet by packet, they are what went in.

use mantel_media::ts::{LEAD, Muxer, PACKET_BYTES};

use crate::avc::{LIVE, units};

/// A packet as the specification's tables have it.
struct Packet<'a> {
    pid: u16,
    is_first: bool,
    counter: u8,
    /// Flags and the clock of its adaptation field.
    field: Option<(u8, Option<u64>)>,
    content: &'a [u8],
}

fn packets(stream: &[u8]) -> Vec<Packet<'_>> {
    assert_eq!(stream.len() % PACKET_BYTES, 0);
    let packets = stream.chunks(188).map(|bytes| {
        assert_eq!((bytes[0], bytes[1] & 0xa0, bytes[3] & 0xc0), (0x47, 0, 0));
        let kind = bytes[3] >> 4;
        assert!(kind == 1 || kind == 3, "every packet has content");
        let mut content = &bytes[4..];
        let mut field = None;
        if kind == 3 {
            let n = usize::from(content[0]);
            assert!(n <= 182);
            let flags = content[1..=n].first().copied().unwrap_or(0);
            let mut n_used = n.min(1);
            let clock = (flags & 0x10 != 0).then(|| {
                n_used += 6;
                let six = content[2..8].iter();
                let all = six.fold(0, |sum, &byte| sum << 8 | u64::from(byte));
                assert_eq!(
                    all & 0x7fff,
                    0x7e00,
                    "reserved bits are set, the extension is 0"
                );
                all >> 15
            });
            assert!(content[1 + n_used..=n].iter().all(|&byte| byte == 0xff));
            field = Some((flags, clock));
            content = &content[1 + n..];
        }
        assert!(!content.is_empty());
        Packet {
            pid: u16::from(bytes[1] & 0x1f) << 8 | u16::from(bytes[2]),
            is_first: bytes[1] & 0x40 != 0,
            counter: bytes[3] & 0xf,
            field,
            content,
        }
    });
    packets.collect()
}

/// The PTS and the bytes behind the head of the packetised elementary stream in `packets`.
fn picture(packets: &[Packet<'_>]) -> (u64, Vec<u8>) {
    let firsts: Vec<_> = packets.iter().map(|packet| packet.is_first).collect();
    assert!(firsts[0] && !firsts[1..].contains(&true));
    let bytes = packets
        .iter()
        .map(|packet| packet.content)
        .collect::<Vec<_>>();
    let bytes = bytes.concat();
    assert_eq!(bytes[..4], [0, 0, 1, 0xe0]);
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let n_behind = bytes.len() - 6;
    assert_eq!(length, if n_behind < 1 << 16 { n_behind } else { 0 });
    assert_eq!(bytes[6..9], [0x84, 0x80, 5]);
    let [a, b, c, d, e] = [9, 10, 11, 12, 13].map(|at| u64::from(bytes[at]));
    assert_eq!((a & 0xf1, c & 1, e & 1), (0x21, 1, 1));
    let pts = (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1;
    (pts, bytes[14..].to_vec())
}

const DELIMITER: &[u8] = b"\0\0\0\x01\x09\xf0";
const WRAP: u64 = 1 << 33;

#[test]
fn units_of_every_length_come_out_as_they_went_in() {
    let mut muxer = Muxer::new();
    let mut counter = 0;
    for n in (0..600).chain(65_510..65_530) {
        let unit = vec![7; n];
        let pts = WRAP - LEAD - 300 + n as u64;
        let stream = muxer.write(&unit, pts, false);
        let packets = packets(&stream);
        // No packet more than it takes.
        assert_eq!(packets.len(), (n + 20 + 8).div_ceil(184), "{n}");
        let (told, content) = picture(&packets);
        assert_eq!(told, (pts + LEAD) % WRAP);
        assert_eq!(content, [DELIMITER, &unit].concat(), "{n}");
        assert_eq!(packets[0].field, Some((0x10, Some(pts % WRAP))));
        for packet in packets {
            assert_eq!((packet.pid, packet.counter), (0x100, counter));
            counter = (counter + 1) % 16;
        }
    }
}

#[test]
fn tables_stand_before_each_key_frame() {
    let mut muxer = Muxer::new();
    let units = units(LIVE);
    for round in 0..40_u8 {
        for (at, unit) in units.iter().enumerate() {
            let stream = muxer.write(unit.annexb(), 0, unit.is_key());
            let packets = packets(&stream);
            let pids: Vec<_> = packets.iter().map(|packet| packet.pid).collect();
            let n_tables = if unit.is_key() { 2 } else { 0 };
            assert_eq!(pids[..n_tables], [0, 0x1000][..n_tables]);
            assert!(pids[n_tables..].iter().all(|&pid| pid == 0x100));
            let (_, content) = picture(&packets[n_tables..]);
            assert_eq!(content, [DELIMITER, unit.annexb()].concat());
            let flags = packets[n_tables].field.unwrap().0;
            assert_eq!(flags & 0x40 != 0, unit.is_key());
            if !unit.is_key() {
                continue;
            }
            let nth = round * 2 + u8::from(at > 0);
            for (table, wanted) in packets.iter().zip([PAT, PMT]) {
                assert_eq!(table.counter, nth % 16);
                assert!(table.is_first);
                let (table, rest) = table.content.split_at(wanted.len());
                assert_eq!(table, wanted);
                assert!(rest.iter().all(|&byte| byte == 0xff));
            }
        }
    }
}

/// As `ffmpeg -f mpegts` writes them, but for its numbers of the stream and the programme's descriptors.
const PAT: &[u8] = b"\0\0\xb0\x0d\0\x01\xc1\0\0\0\x01\xf0\0\x2a\xb1\x04\xb2";
const PMT: &[u8] = b"\0\x02\xb0\x12\0\x01\xc1\0\0\xe1\0\xf0\0\x1b\xe1\0\xf0\0\x15\xbd\x4d\x56";

#[test]
fn a_delimiter_that_is_there_is_not_written_twice() {
    let unit = b"\0\0\0\x01\x09\x10\0\0\0\x01\x65\x88";
    let stream = Muxer::new().write(unit, 5, false);
    let (pts, content) = picture(&packets(&stream));
    assert_eq!((pts, &content[..]), (5 + LEAD, &unit[..]));
}
