//! HLS: queries and names of strangers, and playlists of windows into which anything is put.

#![no_main]

#[path = "../../tests/it/playlist.rs"]
mod playlist;

use libfuzzer_sys::fuzz_target;
use mantel_media::hls::{Name, Prefix, Wish};

fuzz_target!(
    |case: (&str, u64, (u32, u32, u8, u16), Vec<playlist::Op>)| {
        let (text, random, (target_secs, part_target, n_segments, max_bytes), ops) = case;
        let prefix = Prefix::new(random);
        if let Some(name) = Name::parse(&prefix, text) {
            assert_eq!(name.to_text(&prefix), text);
        }
        let named = format!("{}-{text}", prefix.as_str());
        if let Some(name) = Name::parse(&prefix, &named) {
            assert_eq!(name.to_text(&prefix), named);
        }
        if let Ok(wish) = Wish::parse(text) {
            assert!(wish.extra.len() <= 1024);
            assert!(!wish.extra.contains(['"', '\r', '\n', '#', ' ', '<']));
            assert!(wish.part.is_none() || wish.msn.is_some());
            // What is copied is copied as it is, and holds nothing of the specification's own.
            let again = Wish::parse(&wish.extra).unwrap();
            assert_eq!((again.msn, &again.extra), (None, &wish.extra));
        }
        let n_ops = ops.len().min(200);
        let setup = (target_secs, part_target % 200_000, n_segments, max_bytes);
        playlist::run(setup, &ops[..n_ops]);
    }
);
