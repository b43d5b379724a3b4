//! Streams that leave as they came: only what came leaves, and a key frame has heads that are read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mantel_media::annexb::{Splitter, Unit};
use mantel_media::avc::{ParameterSets, Through};

fn slices(unit: &Unit) -> Vec<&[u8]> {
    let slices = unit.nals().filter(|nal| nal.kind().is_slice());
    slices.map(|nal| nal.bytes()).collect()
}

fuzz_target!(|stream: &[u8]| {
    let (mut splitter, mut input) = (Splitter::new(4096), stream);
    let mut through = Through::default();
    let mut take = |came: Unit| {
        let Ok(left) = through.take(&came) else {
            assert!(through.sets().is_none());
            return;
        };
        assert_eq!(slices(&left), slices(&came));
        let told = ParameterSets::of(&left).unwrap();
        assert_eq!(told.is_some(), came.is_key());
        if let Some(told) = told {
            assert_eq!(told.head().n_reordered(), Some(0));
            assert_eq!(through.sets(), Some(&told));
        }
    };
    loop {
        match splitter.next(&mut input) {
            Ok(Some(unit)) => take(unit),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    splitter.flush().into_iter().for_each(&mut take);
});
