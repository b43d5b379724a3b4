//! What the server holds and how late it is while clients come and go, ask and hang up.
//!
//! ```text
//! cargo xtask bench strong                                         # all scenes; half an hour
//! cargo bench -p mantel --bench strong -- churn --minutes 5
//! cargo bench -p mantel --bench strong -- resets --photos ~/Pictures
//! ```
//!
//! Scenes: `churn` (four joins a second for 20 minutes, a fifth of them slow and a fifth never reading, snapshots in nine
//! sizes: resident memory beside memory in use), `resets` (400 snapshots at 4K whose connections are reset after 4 ms,
//! beside a viewer of `/bytes`), `requests` (16 clients ask 100,000 times for snapshots in 25 sizes), and
//! `decoder` (the largest file of each kind below `--photos`, decoded inside and in a process of its own).
//!
//! The server is all of this program, in a process of its own, with photos that are made for it or those of `--photos`;
//! with `--program` it is another build of it, which is not asked what is in use.
//! Loopback only; bounded in clients and time; the server ends with the benchmark. Linux only: it reads `/proc`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

mod clients;
mod decoder;
mod process;
mod scenes;

use std::{error::Error, path::PathBuf, time::Duration};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SCENES: [&str; 4] = ["churn", "resets", "requests", "decoder"];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    // The server's decoders are started from this binary, too.
    if let Some(done) = mantel::source::decoding::ran_as_decoder(std::env::args_os().skip(1)) {
        return Ok(done?);
    }
    if words.first().is_some_and(|word| word == "--serve") {
        return process::serve(&words[1..]);
    }
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)
    };
    let number = |name: &str, default: u64| value(name).map_or(Ok(default), |text| text.parse());
    let minutes = number("--minutes", 20)?.min(60);
    let n_requests = number("--requests", 100_000)?;

    let program = value("--program").map(PathBuf::from);
    let program = program.as_deref();
    let made = tempfile::tempdir()?;
    let photos = match value("--photos") {
        Some(folder) => PathBuf::from(folder),
        None => {
            process::make_photos(made.path())?;
            made.path().to_owned()
        }
    };
    let wants = |scene: &str| {
        let named = |scene: &str| words.iter().any(|word| word == scene);
        !SCENES.iter().any(|scene| named(scene)) || named(scene)
    };
    println!(
        "{} cores for both sides, photos of {}",
        std::thread::available_parallelism()?,
        photos.display()
    );
    if wants("resets") {
        scenes::resets(program, &photos)?;
    }
    if wants("requests") {
        scenes::requests(program, &photos, n_requests)?;
    }
    if wants("decoder") {
        decoder::compare(&photos)?;
    }
    if wants("churn") {
        scenes::churn(program, &photos, Duration::from_secs(60 * minutes))?;
    }
    Ok(())
}
