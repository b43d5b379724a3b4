//! What it costs to send the same frames to many viewers, and what each of them gets.
//!
//! ```text
//! cargo xtask bench fanout                                  # all scenes
//! cargo bench -p mantel --bench fanout -- loads --viewers 500 --fps 12
//! cargo bench -p mantel --bench fanout -- --url http://127.0.0.1:8090/?action=stream --pid 4711
//! ```
//!
//! Scenes: `loads` (CPU per gigabyte beside a raw write loop and a bare warp stream, and the age of frames), `never`
//! (viewers that never read beside good ones), `joins` (from connect to the first whole frame), `slides` (a thousand
//! viewers of a crossfade). With `--url` and `--pid` another server is measured the same way.
//!
//! The server runs in a process of its own, so that only its CPU time is counted; the viewers read without copying
//! (MSG_TRUNC), so that they leave it the machine. Loopback only, and bounded in time: with two cores for both sides the
//! ratio to the raw loop says more than the milliseconds.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has a clock, files and processes of its own"
)]

mod figures;
mod scenes;
mod servers;
mod viewers;

use std::{error::Error, net::SocketAddr, time::Duration};

use scenes::Load;
use servers::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const FRAME_BYTES: usize = 350_000;

/// What was typed.
struct Words(Vec<String>);

impl Words {
    fn value(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number<T: std::str::FromStr>(&self, name: &str, default: T) -> Result<T>
    where
        T::Err: Error + 'static,
    {
        Ok(self.value(name).map_or(Ok(default), str::parse)?)
    }

    fn wants(&self, scene: &str) -> bool {
        let named = |scene: &&str| self.0.iter().any(|word| word == scene);
        !scenes::NAMES.iter().any(named) || named(&scene)
    }
}

fn main() -> Result<()> {
    let words = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words = Words(words);
    let fps = words.number("--fps", 30)?;
    if let Some(name) = words.value("--serve") {
        let server = Server::ALL
            .into_iter()
            .find(|server| format!("{server:?}") == name)
            .ok_or("--serve takes Raw, Warp, Mantel or Gallery")?;
        return servers::serve(server, fps);
    }
    let seconds = Duration::from_secs(words.number("--seconds", 6)?);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "Fan-out: {cores} cores for both sides, frames of {FRAME_BYTES} bytes, {seconds:?} each"
    );
    if let (Some(url), Some(pid)) = (words.value("--url"), words.value("--pid")) {
        let (addr, path) = split_url(url)?;
        let n_viewers = words.number("--viewers", 100)?;
        let load = Load { n_viewers, fps };
        return scenes::other(url, addr, path, pid.parse()?, load, seconds);
    }
    if words.wants("loads") {
        let loads = match words.value("--viewers") {
            Some(n_viewers) => vec![Load {
                n_viewers: n_viewers.parse()?,
                fps,
            }],
            None => [(10, 30), (100, 30), (500, 12)]
                .map(|(n_viewers, fps)| Load { n_viewers, fps })
                .to_vec(),
        };
        scenes::loads(&loads, seconds)?;
    }
    if words.wants("never") {
        scenes::never(seconds)?;
    }
    if words.wants("joins") {
        scenes::joins(words.number("--joins", 500)?)?;
    }
    if words.wants("slides") {
        scenes::slides(words.number("--viewers", 1000)?)?;
    }
    Ok(())
}

fn split_url(url: &str) -> Result<(SocketAddr, &str)> {
    let rest = url
        .strip_prefix("http://")
        .ok_or("the URL has to begin with http://")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let path = if at == rest.len() { "/" } else { &rest[at..] };
    Ok((rest[..at].parse()?, path))
}
