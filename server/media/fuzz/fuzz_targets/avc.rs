//! Sequence parameter sets: one that is rewritten says the same and no more than that nothing waits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_media::annexb::split;
use mantel_media::avc::{
    AvcErrorKind, Colour, ParameterSets, Restriction, Sps, Timing, avcc, with_colour,
    with_restriction, with_timing,
};
use mantel_media::fmp4::{Track, init};

fuzz_target!(|rest: &[u8]| {
    let nal = [&[0x67], rest].concat();
    let Ok(sps) = Sps::parse(&nal) else {
        assert!(with_restriction(&nal).is_err());
        return;
    };
    assert!(sps.width > 0 && sps.height > 0);
    assert_eq!(sps.codec_string().len(), 11);
    let pps = [0x68, 0xce];
    let record = avcc(&nal, &pps).unwrap();
    assert!(record.ends_with(&pps) || !matches!(sps.profile, 66 | 77 | 88));
    let sets = ParameterSets::new(&nal, [&pps[..]]).unwrap();
    let track = Track {
        sets,
        duration: Some(1),
    };
    assert!(init(&track).len() > record.len());
    let coloured = Sps::parse(&with_colour(&nal, Colour::BT709).unwrap()).unwrap();
    assert_eq!(
        coloured,
        Sps {
            colour: coloured.colour,
            ..sps.clone()
        }
    );
    let timing = Timing {
        n_units: 1,
        time_scale: 50,
    };
    let timed = Sps::parse(&with_timing(&nal, timing).unwrap()).unwrap();
    let told = Sps {
        timing: timed.timing,
        ..sps.clone()
    };
    assert_eq!(timed, told);
    assert!(sps.timing.is_none() || sps == timed);
    match with_restriction(&nal) {
        Ok(told) => {
            let again = Sps::parse(&told).unwrap();
            assert_eq!(again.n_reordered(), Some(0));
            let n_buffered = sps
                .restriction
                .map_or(u32::from(sps.n_ref_frames), |said| said.n_buffered);
            let restriction = Some(Restriction {
                n_reordered: 0,
                n_buffered,
            });
            assert_eq!(again, Sps { restriction, ..sps });
            assert_eq!(with_restriction(&told).unwrap(), told);
            if told != nal {
                let framed = [&b"\0\0\0\x01"[..], &told, b"\0\0\0\x01\x68\xce"].concat();
                assert_eq!(split(&framed).next().unwrap().bytes(), told);
            }
        }
        Err(error) => assert!(matches!(error.kind, AvcErrorKind::Reorders(1..))),
    }
});
