//! What video costs: processor, memory and bytes, beside Motion JPEG and beside libx264.
//!
//! ```text
//! cargo xtask bench video                                   # all scenes; some nine minutes
//! cargo bench -p mantel --bench video -- hour --seconds 300
//! cargo bench -p mantel --bench video -- motion --program target/release/mantel
//! ```
//!
//! Scenes: `motion` (crossfades without a pause, 1080p, 25 a second, beside Motion JPEG and libx264), `still` (a slide that
//! stands), `crowd` (100 viewers of MP4 and of WebRTC), `outputs` (the memory of all outputs of a channel), `hour` (the
//! bytes of an hour of slides, beside Motion JPEG of the same likeness, by SSIM), `encoders` (libx264 beside openh264 at
//! equal bytes).
//!
//! The pictures are those that are built in. The server is a process of its own. Loopback only; bounded in viewers and
//! time; it ends with the benchmark. Linux only: it reads `/proc`. `hour` and `encoders` want ffmpeg.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

mod likeness;
mod scenes;
#[path = "../common/server.rs"]
mod server;
mod viewers;
mod whep;

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
    println!("Video: 1080p, {seconds:?} a scene");
    if wants("motion") {
        scenes::motion(&program, seconds)?;
    }
    if wants("still") {
        scenes::still(&program, seconds)?;
    }
    if wants("crowd") {
        scenes::crowd(&program, seconds)?;
    }
    if wants("outputs") {
        scenes::outputs(&program, seconds)?;
    }
    if wants("hour") {
        // Ten slides at least: pictures differ in what they take.
        scenes::hour(&program, seconds.max(Duration::from_secs(100)))?;
    }
    if wants("encoders") {
        scenes::encoders(&program, seconds.max(Duration::from_secs(50)))?;
    }
    Ok(())
}
