//! Parameter sets: the facts of real ones, every truncation, and those that say nothing about waiting.

use mantel_media::annexb::{Nal, NalKind, Splitter, Unit, split};
use mantel_media::avc::{
    AvcErrorKind, Colour, ParameterSets, Restriction, Sps, Timing, avcc, coloured, is_b_slice,
    restricted, timed, with_colour, with_restriction, with_timing,
};
use proptest::prelude::*;

pub(crate) const LIVE: &[u8] = include_bytes!("../samples/x264-live.h264");
const SLICES: &[u8] = include_bytes!("../samples/x264-slices.h264");

/// Baseline, no colours; High 1080p in BT.709 with B-frames; Main in full range, no B-frames; interlaced
/// with an HRD; 4:2:2 in ten bits; 4:4:4; no colour at all. All by x264.
const REAL: [&str; 7] = [
    "6742c00cd901419f9f011000000300100000030320f142a480",
    "67640028acd940780227e5c05a808080a0000003002000000781e30632c0",
    "674d401fd900fc1279623016c800001f480007530478c19240",
    "6764001eacd940b424d8088000000300800000193020007a12000f427261807c50a658",
    "677a000db6cd941519e222f011000003000100000300320f142996",
    "67f4000d91964054678f8dc044000003000400000300ca3c50a920",
    "6764000df2c80a8cf1f1b80b64000003000400000300c83c50a920",
];

pub(crate) fn from_hex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

pub(crate) fn units(stream: &[u8]) -> Vec<Unit> {
    let (mut splitter, mut rest) = (Splitter::new(1 << 20), stream);
    let mut units: Vec<_> = std::iter::from_fn(|| splitter.next(&mut rest).unwrap()).collect();
    units.extend(splitter.flush());
    units
}

/// The numbers in the words of ffprobe 5.1: profile_idc, level, width, height, pix_fmt's chroma and bits,
/// has_b_frames, the three colours, full range, progressive.
type Row = (
    &'static str,
    (u16, u16),
    (u8, u8),
    u32,
    (u8, u8, u8, bool),
    bool,
);

#[test]
fn real_heads_say_what_ffprobe_says() {
    const UNSAID: (u8, u8, u8, bool) = (2, 2, 2, false);
    let rows: [Row; 7] = [
        ("avc1.42C00C", (320, 180), (1, 8), 0, UNSAID, true),
        (
            "avc1.640028",
            (1920, 1080),
            (1, 8),
            2,
            (1, 1, 1, false),
            true,
        ),
        ("avc1.4D401F", (1000, 562), (1, 8), 0, (2, 2, 2, true), true),
        ("avc1.64001E", (720, 576), (1, 8), 2, UNSAID, false),
        ("avc1.7A000D", (322, 182), (2, 10), 2, UNSAID, true),
        ("avc1.F4000D", (322, 180), (3, 8), 0, UNSAID, true),
        // Shown as 4:2:0 by ffprobe, which adds the grey.
        // No colour at all; ffprobe shows it as 4:2:0.
        ("avc1.64000D", (322, 180), (0, 8), 0, (2, 2, 2, true), true),
    ];
    for (hex, (codec, size, samples, n_reordered, colour, progressive)) in REAL.iter().zip(rows) {
        let sps = Sps::parse(&from_hex(hex)).unwrap();
        assert_eq!(sps.codec_string(), codec);
        assert_eq!((sps.width, sps.height), size, "{codec}");
        assert_eq!((sps.chroma, sps.luma_bits), samples, "{codec}");
        assert_eq!(sps.chroma_bits, sps.luma_bits, "{codec}");
        assert_eq!(sps.n_reordered(), Some(n_reordered), "{codec}");
        let Colour {
            primaries,
            transfer,
            matrix,
            is_full_range,
        } = sps.colour;
        assert_eq!(
            (primaries, transfer, matrix, is_full_range),
            colour,
            "{codec}"
        );
        assert_eq!(sps.is_progressive, progressive, "{codec}");
    }
    let film = Sps::parse(&from_hex(REAL[2])).unwrap().timing;
    let (n_units, time_scale) = (1001, 60_000);
    assert_eq!(
        film,
        Some(Timing {
            n_units,
            time_scale
        })
    );
}

#[test]
fn every_truncation_of_a_head_is_an_error_and_so_is_every_other_unit() {
    for hex in REAL {
        let nal = from_hex(hex);
        for end in 0..nal.len() {
            let error = Sps::parse(&nal[..end]).unwrap_err();
            let kind = if end == 0 {
                AvcErrorKind::NotAnSps
            } else {
                AvcErrorKind::CutOff
            };
            assert_eq!(error.kind, kind, "{hex} cut at {end}");
            assert!(with_restriction(&nal[..end]).is_err());
        }
        for header in (0..=0xff).filter(|header| header & 0x9f != 7) {
            let other = [&[header], &nal[1..]].concat();
            assert_eq!(Sps::parse(&other).unwrap_err().kind, AvcErrorKind::NotAnSps);
        }
        assert!(Sps::parse(&[&nal[..], &[0xff; 5000]].concat()).is_err());
    }
}

#[test]
fn heads_that_say_they_reorder_are_refused_and_others_kept() {
    for hex in REAL {
        let nal = from_hex(hex);
        match Sps::parse(&nal).unwrap().n_reordered() {
            Some(0) => assert_eq!(with_restriction(&nal).unwrap(), nal),
            n => {
                let kind = with_restriction(&nal).unwrap_err().kind;
                assert_eq!(kind, AvcErrorKind::Reorders(n.unwrap()));
            }
        }
    }
}

#[test]
fn slices_tell_whether_there_are_b_frames() {
    let kinds = |stream| split(stream).map(is_b_slice).collect::<Vec<_>>();
    assert!(!kinds(LIVE).contains(&true));
    assert!(kinds(SLICES).contains(&true));
    let cut = |nal: &[u8]| is_b_slice(Nal::new(nal).unwrap());
    assert!(!cut(&[0x41]) && !cut(&[0x41, 0]) && !cut(&[0x67, 0xa0, 0x80]));
    // first_mb_in_slice 0 and slice_type 1 in five bits, and one more for the end.
    assert!(cut(&[0x01, 0b1010_1000]));
}

#[test]
fn a_stream_has_its_sets_in_its_key_frames() {
    let units = units(LIVE);
    let sets = ParameterSets::of(&units[0]).unwrap().unwrap();
    assert_eq!(ParameterSets::of(&units[1]), Ok(None));
    assert_eq!(ParameterSets::of(&units[2]), Ok(Some(sets.clone())));
    let pps = sets.pps().next().unwrap();
    assert_eq!((sets.head().width, sets.pps().count()), (64, 1));
    let record = avcc(sets.sps(), pps).unwrap();
    let n = sets.sps().len();
    let tail = [&[1, 0, u8::try_from(pps.len()).unwrap()], pps].concat();
    assert_eq!(record[..6], [1, 0x42, 0xc0, sets.head().level, 0xff, 0xe1]);
    assert_eq!(record[6..8], [0, u8::try_from(n).unwrap()]);
    assert_eq!(record[8..8 + n], *sets.sps());
    assert_eq!(record[8 + n..], tail);
    let bad = |pps: &[&[u8]]| ParameterSets::new(sets.sps(), pps.iter().copied()).unwrap_err();
    for pps in [
        &[][..],
        &[&[][..]],
        &[sets.sps()],
        &[pps; 256],
        &[&[0x68; 70_000][..]],
    ] {
        assert_eq!(bad(pps).kind, AvcErrorKind::BadPps);
    }
}

#[test]
fn higher_profiles_have_their_samples_in_the_record() {
    let pps = from_hex("68ebe3cb3002c0");
    let tail = |hex| {
        let record = avcc(&from_hex(hex), &pps).unwrap();
        record[record.len() - 4..].to_vec()
    };
    assert_eq!(tail(REAL[1]), [0xfd, 0xf8, 0xf8, 0]);
    assert_eq!(tail(REAL[4]), [0xfe, 0xfa, 0xfa, 0]);
    assert_eq!(tail(REAL[5]), [0xff, 0xf8, 0xf8, 0]);
}

/// An SPS field by field, written as a string of bits, as the specification's tables have it.
#[derive(Clone, Debug)]
struct Plan {
    profile: u8,
    samples: (u8, u8, Vec<Option<Vec<i8>>>),
    order: (u32, Vec<i32>),
    n_ref_frames: u32,
    size: (u32, u32),
    is_progressive: bool,
    crop: Option<[u32; 4]>,
    vui: Option<PlanVui>,
}

#[derive(Clone, Debug)]
struct PlanVui {
    sar: Option<u8>,
    signal: Option<(bool, Option<[u8; 3]>)>,
    located: bool,
    timing: Option<(u32, u32)>,
    hrds: [Option<Vec<u32>>; 2],
    restriction: Option<(u32, u32)>,
}

fn u(bits: &mut String, n: usize, value: impl Into<u64>) {
    bits.push_str(&format!("{:0n$b}", value.into()));
}

fn ue(bits: &mut String, value: u32) {
    let code = format!("{:b}", u64::from(value) + 1);
    bits.push_str(&"0".repeat(code.len() - 1));
    bits.push_str(&code);
}

fn se(bits: &mut String, value: i32) {
    let size = value.unsigned_abs() * 2;
    ue(bits, if value > 0 { size - 1 } else { size });
}

fn flag(bits: &mut String, value: bool) {
    u(bits, 1, value);
}

impl Plan {
    fn is_high(&self) -> bool {
        self.profile >= 100
    }

    fn chroma(&self) -> u8 {
        if self.is_high() { self.samples.0 } else { 1 }
    }

    fn nal(&self) -> Vec<u8> {
        let mut bits = String::new();
        let b = &mut bits;
        u(b, 24, u64::from(self.profile) << 16 | 30);
        ue(b, 0);
        if self.is_high() {
            let (chroma, more, lists) = &self.samples;
            ue(b, u32::from(*chroma));
            if *chroma == 3 {
                flag(b, false);
            }
            ue(b, u32::from(*more));
            ue(b, u32::from(*more));
            flag(b, false);
            flag(b, !lists.is_empty());
            let n = if lists.is_empty() {
                0
            } else if *chroma == 3 {
                12
            } else {
                8
            };
            for list in 0..n {
                let deltas = lists.get(list).cloned().flatten();
                flag(b, deltas.is_some());
                let Some(deltas) = deltas else { continue };
                let (mut last, mut deltas) = (8_i32, deltas.into_iter());
                for _ in 0..if list < 6 { 16 } else { 64 } {
                    let delta = i32::from(deltas.next().unwrap_or(0));
                    se(b, delta);
                    last = (last + delta + 256) % 256;
                    if last == 0 {
                        break;
                    }
                }
            }
        }
        ue(b, 4);
        ue(b, self.order.0);
        match self.order.0 {
            0 => ue(b, 2),
            1 => {
                flag(b, true);
                se(b, -3);
                se(b, i32::MAX / 2);
                ue(b, self.order.1.len() as u32);
                self.order.1.iter().for_each(|&offset| se(b, offset));
            }
            _ => {}
        }
        ue(b, self.n_ref_frames);
        flag(b, false);
        ue(b, self.size.0 - 1);
        ue(b, self.size.1 - 1);
        flag(b, self.is_progressive);
        if !self.is_progressive {
            flag(b, true);
        }
        flag(b, true);
        flag(b, self.crop.is_some());
        self.crop.into_iter().flatten().for_each(|n| ue(b, n));
        flag(b, self.vui.is_some());
        if let Some(vui) = &self.vui {
            vui.write(b);
        }
        b.push('1');
        while !b.len().is_multiple_of(8) {
            b.push('0');
        }
        let bytes = b.as_bytes().chunks(8);
        let bytes = bytes
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect::<Vec<_>>();
        let mut nal = vec![0x67];
        for byte in bytes {
            if byte <= 3 && nal.ends_with(&[0, 0]) {
                nal.push(3);
            }
            nal.push(byte);
        }
        nal
    }

    fn size(&self) -> (u32, u32) {
        let fields = if self.is_progressive { 1 } else { 2 };
        let (x, y) = match self.chroma() {
            1 => (2, 2 * fields),
            2 => (2, fields),
            _ => (1, fields),
        };
        let [left, right, top, bottom] = self.crop.unwrap_or_default();
        (
            self.size.0 * 16 - (left + right) * x,
            self.size.1 * fields * 16 - (top + bottom) * y,
        )
    }
}

impl PlanVui {
    fn write(&self, b: &mut String) {
        flag(b, self.sar.is_some());
        if let Some(sar) = self.sar {
            u(b, 8, sar);
            if sar == 255 {
                u(b, 32, 0x0004_0003_u32);
            }
        }
        u(b, 2, 2_u8 + u8::from(self.located)); // overscan
        flag(b, self.signal.is_some());
        if let Some((full, colours)) = self.signal {
            u(b, 3, 5_u8);
            flag(b, full);
            flag(b, colours.is_some());
            colours.into_iter().flatten().for_each(|n| u(b, 8, n));
        }
        flag(b, self.located);
        if self.located {
            ue(b, 1);
            ue(b, 5);
        }
        flag(b, self.timing.is_some());
        if let Some((n_units, time_scale)) = self.timing {
            u(b, 32, n_units);
            u(b, 32, time_scale);
            flag(b, true);
        }
        for hrd in &self.hrds {
            flag(b, hrd.is_some());
            if let Some(rates) = hrd {
                ue(b, rates.len() as u32 - 1);
                u(b, 8, 0x11_u8);
                for &rate in rates {
                    ue(b, rate);
                    ue(b, rate);
                    flag(b, false);
                }
                u(b, 20, 0x7_ffff_u32);
            }
        }
        if self.hrds.iter().any(Option::is_some) {
            flag(b, false);
        }
        flag(b, true);
        flag(b, self.restriction.is_some());
        if let Some((n_reordered, n_buffered)) = self.restriction {
            flag(b, true);
            [0, 0, 11, 11, n_reordered, n_buffered]
                .into_iter()
                .for_each(|n| ue(b, n));
        }
    }
}

fn plan_vui() -> impl Strategy<Value = PlanVui> {
    let hrd = || prop::option::of(prop::collection::vec(0..u32::MAX, 1..=32));
    (
        prop::option::of(prop_oneof![Just(1_u8), Just(255)]),
        prop::option::of((any::<bool>(), prop::option::of(any::<[u8; 3]>()))),
        any::<bool>(),
        prop::option::of((0..3_u32, prop_oneof![Just(0_u32), Just(50), any::<u32>()])),
        [hrd(), hrd()],
        prop::option::of((0..=4_u32, 4..=16_u32)),
    )
        .prop_map(
            |(sar, signal, located, timing, hrds, restriction)| PlanVui {
                sar,
                signal,
                located,
                timing,
                hrds,
                restriction,
            },
        )
}

fn plan() -> impl Strategy<Value = Plan> {
    let list = prop::option::of(prop::collection::vec(any::<i8>(), 0..64));
    (
        prop::sample::select(vec![66_u8, 77, 88, 100, 110, 122, 244, 118]),
        (0..=3_u8, 0..=6_u8, prop::collection::vec(list, 0..=12)),
        (0..=2_u32, prop::collection::vec(-70_000..70_000, 0..=255)),
        0..=16_u32,
        (1..=255_u32, 1..=100_u32),
        any::<bool>(),
        prop::option::of([0..=1_u32, 0..=2, 0..=1, 0..=2]),
        prop::option::of(plan_vui()),
    )
        .prop_map(
            |(profile, samples, order, n_ref_frames, size, is_progressive, crop, vui)| Plan {
                profile,
                samples,
                order,
                n_ref_frames,
                size,
                is_progressive,
                crop,
                vui,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn heads_are_read_as_they_were_written_and_rewritten_with_nothing_else_changed(plan in plan()) {
        let nal = plan.nal();
        prop_assume!(nal.len() <= 4096);
        let sps = Sps::parse(&nal).unwrap();
        prop_assert_eq!((u32::from(sps.width), u32::from(sps.height)), plan.size());
        prop_assert_eq!(sps.chroma, plan.chroma());
        prop_assert_eq!(u32::from(sps.n_ref_frames), plan.n_ref_frames);
        let vui = plan.vui.as_ref();
        let (full, colours) = vui.and_then(|vui| vui.signal).unwrap_or_default();
        let [primaries, transfer, matrix] = colours.unwrap_or([2; 3]);
        prop_assert_eq!(sps.colour, Colour { primaries, transfer, matrix, is_full_range: full });
        let timing = vui.and_then(|vui| vui.timing).filter(|&(a, b)| a > 0 && b > 0);
        prop_assert_eq!(sps.timing.map(|timing| (timing.n_units, timing.time_scale)), timing);
        let said = vui.and_then(|vui| vui.restriction);
        prop_assert_eq!(
            sps.restriction,
            said.map(|(n_reordered, n_buffered)| Restriction { n_reordered, n_buffered })
        );

        let timing = Timing { n_units: 1, time_scale: 50 };
        let coloured = with_colour(&nal, Colour::BT709).unwrap();
        let is_named = vui.is_some_and(|vui| vui.signal.is_some_and(|(_, named)| named.is_some()));
        let colour = match is_named {
            true => sps.colour,
            false => Colour { is_full_range: full, ..Colour::BT709 },
        };
        prop_assert_eq!(&Sps::parse(&coloured).unwrap(), &Sps { colour, ..sps.clone() });
        prop_assert_eq!(with_colour(&coloured, Colour::BT601).unwrap(), coloured.clone());
        let timed = with_timing(&nal, timing).unwrap();
        let told = vui.is_some().then(|| sps.timing.unwrap_or(timing));
        prop_assert_eq!(&Sps::parse(&timed).unwrap(), &Sps { timing: told, ..sps.clone() });
        prop_assert_eq!(with_timing(&timed, timing).unwrap(), timed.clone());

        match with_restriction(&nal) {
            Ok(rewritten) => {
                prop_assert!(said.is_none_or(|(n_reordered, _)| n_reordered == 0));
                let again = Sps::parse(&rewritten).unwrap();
                prop_assert_eq!(again.n_reordered(), Some(0));
                let n_buffered = said.map_or(plan.n_ref_frames, |(_, n)| n);
                let restriction = Some(Restriction { n_reordered: 0, n_buffered });
                prop_assert_eq!(&again, &Sps { restriction, ..sps });
                prop_assert_eq!(with_restriction(&rewritten).unwrap(), rewritten.clone());
                // Nothing in it that a splitter would take for an end.
                let framed = [&b"\0\0\0\x01"[..], &rewritten, b"\0\0\0\x01\x68\xce"].concat();
                prop_assert_eq!(split(&framed).next().unwrap().bytes(), &rewritten[..]);
            }
            Err(error) => {
                prop_assert_eq!(error.kind, AvcErrorKind::Reorders(said.unwrap().0));
            }
        }
        for end in (0..nal.len()).rev().step_by(1 + nal.len() / 64) {
            prop_assert!(Sps::parse(&nal[..end]).is_err(), "cut at {}", end);
        }
    }

    #[test]
    fn damaged_heads_are_an_error_or_a_head(which in 0..REAL.len(), at in 1..200_usize, byte in any::<u8>()) {
        let mut nal = from_hex(REAL[which]);
        let at = at % (nal.len() - 1) + 1;
        nal[at] = byte;
        if let Ok(sps) = Sps::parse(&nal) {
            prop_assert!(sps.width > 0 && sps.height > 0);
        }
    }
}

/// The head of an encoder that tells no more than it has to: Baseline, of so many macroblocks, one reference, no VUI.
fn bare(size: (u32, u32)) -> Vec<u8> {
    let plan = Plan {
        profile: 66,
        samples: (1, 0, Vec::new()),
        order: (0, Vec::new()),
        n_ref_frames: 1,
        size,
        is_progressive: true,
        crop: None,
        vui: None,
    };
    plan.nal()
}

#[test]
fn a_unit_that_is_passed_through_says_so_and_is_else_the_same() {
    let sps = bare((4, 3));
    assert_eq!(Sps::parse(&sps).unwrap().n_reordered(), None);
    let nals = [&sps[..], &[0x68, 0xce], &[0x65, 0x88, 0x80]];
    let unit = Unit::new(nals.into_iter().filter_map(Nal::new));
    let told = restricted(&unit).unwrap();
    let kinds: Vec<_> = told.nals().map(Nal::kind).collect();
    assert_eq!(kinds, [NalKind::Sps, NalKind::Pps, NalKind::IdrSlice]);
    assert!(told.nals().skip(1).eq(unit.nals().skip(1)));
    let sets = ParameterSets::of(&told).unwrap().unwrap();
    assert_eq!(sets.head().n_reordered(), Some(0));
    let before = ParameterSets::of(&unit).unwrap().unwrap();
    assert_eq!(before.restricted().unwrap(), sets);
    let timing = Timing {
        n_units: 1,
        time_scale: 40,
    };
    let named = coloured(&told, |sps| (sps.width == 64).then_some(Colour::BT709)).unwrap();
    let sets = ParameterSets::of(&named).unwrap().unwrap();
    assert_eq!(sets.head().colour, Colour::BT709);
    assert_eq!(
        coloured(&told, |sps| (sps.width != 64).then_some(Colour::BT709)).unwrap(),
        told
    );
    let timed = timed(&told, timing).unwrap();
    assert!(timed.nals().skip(1).eq(unit.nals().skip(1)));
    let sets = ParameterSets::of(&timed).unwrap().unwrap();
    assert_eq!(sets.head().timing, Some(timing));
}

#[test]
fn sizes_beyond_every_level_and_croppings_to_nothing_are_refused() {
    let plan = |size, crop| Plan {
        profile: 66,
        samples: (1, 0, Vec::new()),
        order: (2, Vec::new()),
        n_ref_frames: 1,
        size,
        is_progressive: false,
        crop,
        vui: None,
    };
    let kind = |size, crop| Sps::parse(&plan(size, crop).nal()).map_err(|error| error.kind);
    assert_eq!(kind((1055, 528), None), Err(AvcErrorKind::BadSize));
    assert_eq!(kind((400, 400), None), Err(AvcErrorKind::BadSize));
    let field = AvcErrorKind::OutOfRange("pic_width_in_mbs_minus1");
    assert_eq!(kind((1056, 1), None), Err(field));
    assert_eq!(kind((2, 2), Some([8, 8, 0, 0])), Err(AvcErrorKind::BadSize));
    let field = AvcErrorKind::OutOfRange("frame_crop_offset");
    assert_eq!(kind((2, 2), Some([0, 0, 0, u32::MAX - 1])), Err(field));
    let narrow = kind((2, 2), Some([8, 7, 0, 0])).unwrap();
    assert_eq!((narrow.width, narrow.n_reordered()), (2, Some(0)));
}
