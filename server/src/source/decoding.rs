//! Where a photo is decoded: a JPEG here, inside the fence that catches panics; all other kinds in a process of their own,
//! where there is one. Decides, and does neither itself.

use std::{ffi::OsString, io, sync::OnceLock, time::Duration};

use super::{
    child::{Decoders, Film, Plan, Trouble},
    confine,
    film::Outcome,
    gallery::LoadError,
    wire::Wish,
};
use crate::render::{self, DecodeLimits, Kind, Pixels};

/// The word on the command line, and how many seconds follow it, by which the program becomes a decoder.
const COMMAND: &str = "decode";
/// The word by which it becomes a decoder of video.
const FILM_COMMAND: &str = "decode-film";
/// Processor time that a picture of video may take in its process.
const FILM_SECONDS: u64 = 5;
/// Processor time that a photo may take in its process.
const SECONDS: u64 = 30;

/// The whole program's: there is one set of processes, whoever wants a picture.
static PLACE: OnceLock<Place> = OnceLock::new();

/// Where pictures are decoded that are no JPEGs.
#[derive(Debug)]
enum Place {
    Processes(Decoders),
    /// Here, for a reason.
    Inside(String),
}

/// Whether the program was started to be a decoder: then it is one until it is no longer needed, and that was all.
pub fn ran_as_decoder(line: impl IntoIterator<Item = OsString>) -> Option<io::Result<()>> {
    let line: Vec<OsString> = line.into_iter().collect();
    match line.as_slice() {
        [command, seconds] if command == COMMAND => {
            let seconds = seconds.to_str()?.strip_prefix("--seconds=")?.parse().ok()?;
            Some(confine::run(seconds))
        }
        [command] if command == FILM_COMMAND => Some(confine::run_film(FILM_SECONDS)),
        _ => None,
    }
}

/// Starts processes for decoders, unless they are not wanted. Done once, by the program; whoever uses the library
/// without decodes inside.
pub fn start(wanted: bool) {
    let place = if !wanted {
        Place::Inside("switched off".into())
    } else if cfg!(not(target_os = "linux")) {
        Place::Inside("not on this system".into())
    } else {
        match plan().and_then(Decoders::start) {
            Ok(decoders) => Place::Processes(decoders),
            Err(error) => {
                tracing::warn!(%error, "decoders can't have a process of their own; they run inside the server");
                Place::Inside(format!("no process can be started: {error}"))
            }
        }
    };
    let _ = PLACE.set(place);
}

/// Starts the decoder of a stream of H.264, where pictures that are no JPEGs are decoded; `came` is told what becomes of
/// each unit.
///
/// # Errors
/// It can't be started.
pub(crate) fn film(came: impl FnMut(Outcome) + Send + 'static) -> io::Result<Film> {
    let plan = match PLACE.get() {
        Some(Place::Processes(_)) => Some(Plan {
            arguments: vec![FILM_COMMAND.into()],
            ..plan()?
        }),
        _ => None,
    };
    Film::start(plan, came)
}

fn plan() -> io::Result<Plan> {
    // The file that runs, also when another one has taken its name.
    let program = if cfg!(target_os = "linux") {
        "/proc/self/exe".into()
    } else {
        std::env::current_exe()?
    };
    Ok(Plan {
        program,
        arguments: vec![COMMAND.into(), format!("--seconds={SECONDS}").into()],
        n_processes: 2,
        // By the clock: a busy machine is no fault of the photo's.
        time: Duration::from_secs(SECONDS * 4),
        idle: Duration::from_secs(30),
    })
}

/// Where pictures but JPEGs are decoded, and what is to be said about it.
pub(crate) fn told() -> (&'static str, String) {
    match PLACE.get() {
        None => ("inside", "not started".into()),
        Some(Place::Inside(why)) => ("inside", why.clone()),
        Some(Place::Processes(decoders)) => {
            let confined = decoders.confined();
            let parts = [
                (confined.limits, "resource limits"),
                (confined.calls, "seccomp"),
            ];
            let parts: Vec<_> = parts
                .iter()
                .filter(|part| part.0)
                .map(|part| part.1)
                .collect();
            let parts = if parts.is_empty() {
                "nothing".into()
            } else {
                parts.join(", ")
            };
            ("process", format!("confined by {parts}"))
        }
    }
}

/// Decodes a whole file's bytes.
///
/// # Errors
/// [`LoadError::Decode`] where the photo is to blame, [`LoadError::Read`] where no process can be had now.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits, wish: Wish) -> Result<Pixels, LoadError> {
    match PLACE.get() {
        Some(Place::Processes(decoders)) if is_strange(bytes) => decoders
            .decode(bytes, limits, wish)
            .map_err(|trouble| match trouble {
                Trouble::Photo(error) => error.into(),
                Trouble::NoDecoder(error) => LoadError::Read(error),
            }),
        _ => Ok(match wish {
            Wish::Whole => render::decode_whole(bytes, limits)?,
            Wish::Fitted(slot) => render::decode_fitted(bytes, limits, slot)?,
        }),
    }
}

/// Anything but a JPEG, whose decoder has the least `unsafe` and most of the work.
fn is_strange(bytes: &[u8]) -> bool {
    render::probe(bytes).is_some_and(|probe| probe.kind != Kind::Jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Picture;

    #[test]
    fn only_the_exact_line_makes_a_decoder() {
        for line in [
            vec![],
            vec!["decode"],
            vec!["decode", "photos"],
            vec!["decode", "--seconds=x"],
            vec!["decode", "--seconds=3", "more"],
            vec!["photos", "--seconds=3"],
        ] {
            let line = line.into_iter().map(OsString::from);
            assert!(ran_as_decoder(line).is_none());
        }
    }

    #[test]
    fn a_library_decodes_inside() {
        let picture = Picture::filled(32, 16, [9, 90, 40]);
        let jpeg = render::encode(&picture, render::Quality::default()).unwrap();
        assert!(!is_strange(&jpeg));
        assert!(is_strange(b"\x89PNG\r\n\x1a\n"));
        let decoded = decode(&jpeg, &DecodeLimits::default(), Wish::Whole).unwrap();
        assert_eq!(decoded.picture.size(), picture.size());
        assert_eq!(told().0, "inside");
    }
}
