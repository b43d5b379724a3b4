//! Streams of H.264: no cut makes a difference, limits hold, and what is written is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_media::annexb::{AnnexbError, MAX_UNIT_NALS, Nal, Splitter, Unit, split};
use mantel_media::{avc, ts};

type Outcome = (Vec<Unit>, Vec<AnnexbError>, u64);

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut splitter = Splitter::new(300);
    let (mut units, mut errors) = (Vec::new(), Vec::new());
    for mut chunk in chunks {
        loop {
            match splitter.next(&mut chunk) {
                Ok(Some(unit)) => units.push(unit),
                Ok(None) => break,
                Err(error) => errors.push(error),
            }
        }
        assert!(chunk.is_empty());
    }
    units.extend(splitter.flush());
    (units, errors, splitter.n_skipped_bytes())
}

fuzz_target!(|stream: &[u8]| {
    let whole = read(std::iter::once(stream));
    assert_eq!(read(stream.chunks(1)), whole);
    assert_eq!(read(stream.chunks(7)), whole);
    let mut muxer = ts::Muxer::new();
    for unit in &whole.0 {
        assert!(unit.has_picture() && unit.annexb().len() <= 300);
        assert!(unit.nals().count() <= MAX_UNIT_NALS);
        assert!(unit.nals().eq(split(unit.annexb())));
        let n_bytes: usize = unit.nals().map(|nal| 4 + nal.bytes().len()).sum();
        assert!(unit.sample().len() <= n_bytes);
        let packets = muxer.write(unit.annexb(), 0, unit.is_key());
        assert!(packets.len() > n_bytes && packets.len() % ts::PACKET_BYTES == 0);
        // Neither panics, whatever is in it.
        let _ = avc::ParameterSets::of(unit);
        if let Ok(told) = avc::restricted(unit) {
            assert_eq!(told.nals().count(), unit.nals().count());
        }
    }
    for nal in split(stream) {
        assert!(Nal::new(nal.bytes()).is_some());
        let _ = avc::is_b_slice(nal);
    }
});
