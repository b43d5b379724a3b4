//! How old live pictures are when viewers have them, and what they cost.
//!
//! ```text
//! cargo xtask bench live                                    # all scenes; some three minutes
//! cargo bench -p mantel --bench live -- push --seconds 30
//! cargo bench -p mantel --bench live -- slow --program target/release/mantel
//! ```
//!
//! Scenes: `push` (1080p at 30 fps to ten viewers, from before a picture's first byte is sent until a viewer has its last,
//! beside a bare loop that passes the same bytes on), `rate` (processor time at 60 fps), `crowd` (what a hundred viewers cost a
//! gigabyte, of a live channel and of the gallery), `relay` (what a second server
//! adds that shows the first one's pictures), `memory` (three channels and ten viewers beside none), `slow` (a viewer whose
//! link takes half of the rate).
//!
//! The server is a process of its own. Loopback only; bounded in viewers and time; it ends with the benchmark. Linux only:
//! it reads `/proc`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

mod ends;
mod raw;
mod scenes;
#[path = "../common/server.rs"]
mod server;

use std::{error::Error, path::PathBuf, time::Duration};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)
    };
    let seconds = value("--seconds").map_or(Ok(20), |text| text.parse())?;
    let seconds = Duration::from_secs(u64::min(seconds, 600));
    let program = value("--program").map_or(env!("CARGO_BIN_EXE_mantel").into(), PathBuf::from);
    let named = |scene: &str| words.iter().any(|word| word == scene);
    let wants = |scene: &str| !scenes::NAMES.into_iter().any(named) || named(scene);
    let picture = scenes::picture(1920, 1080)?;
    println!(
        "Live pictures: 1080p, {} bytes each, {seconds:?} a scene",
        picture.len()
    );
    if wants("push") {
        scenes::push(&program, &picture, seconds)?;
    }
    if wants("rate") {
        scenes::rate(&program, &picture, seconds)?;
    }
    if wants("crowd") {
        scenes::crowd(&program, &picture, seconds)?;
    }
    if wants("relay") {
        scenes::relay(&program, &picture, seconds)?;
    }
    if wants("memory") {
        scenes::memory(&program, &picture)?;
    }
    if wants("slow") {
        scenes::slow(&program, &picture, seconds)?;
    }
    Ok(())
}
