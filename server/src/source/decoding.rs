//! Where a photo is decoded: a JPEG here, inside the fence that catches panics; all other kinds in a process of their own,
//! where there is one. Decides, and does neither itself.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    sync::OnceLock,
    time::Duration,
};

use super::{
    child::{Decoders, Film, Plan, Trouble},
    confine,
    film::Outcome,
    gallery::LoadError,
    wire::{Pieces, Wish},
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
        Some(Place::Processes(decoders)) if is_strange(bytes) => {
            Ok(decoders.decode(bytes, limits, wish)?)
        }
        _ => decode_here(bytes, limits, wish),
    }
}

/// Decodes the file that `open` opens and whose length it tells. One that a process of its own decodes is not held here
/// besides.
///
/// # Errors
/// It can't be read; or see [`decode`].
pub(crate) fn decode_file(
    open: impl Fn() -> Result<(File, u64), LoadError>,
    limits: &DecodeLimits,
    wish: Wish,
) -> Result<Pixels, LoadError> {
    let (mut file, n_bytes) = open()?;
    let first = piece(&mut file, n_bytes.min(PIECE_BYTES))?;
    match PLACE.get() {
        Some(Place::Processes(decoders)) if is_strange(&first) => {
            let mut begun = Some((first, file, n_bytes));
            let read = || {
                let (first, mut file, n_bytes) = match begun.take() {
                    Some(begun) => begun,
                    None => {
                        let (mut file, n_bytes) = open()?;
                        (piece(&mut file, n_bytes.min(PIECE_BYTES))?, file, n_bytes)
                    }
                };
                pieces(first, &mut file, n_bytes)
            };
            decoders.decode_pieces(read, limits, wish)
        }
        _ => decode_here(&whole(first, &mut file, n_bytes)?, limits, wish),
    }
}

/// The bytes of a file that are given to a process at a time. What is so large the system takes back at once (`heap`).
const PIECE_BYTES: u64 = 1 << 20;

/// The file that began with `first`, in pieces. The limit holds where it is growing, too.
fn pieces(
    first: Vec<u8>,
    file: &mut impl Read,
    n_bytes: u64,
) -> Result<Pieces<'static>, LoadError> {
    let mut left = n_bytes.saturating_sub(first.len() as u64);
    let mut all: Pieces = vec![first.into()];
    while left > 0 {
        let next = piece(file, left.min(PIECE_BYTES))?;
        if next.is_empty() {
            break;
        }
        left -= next.len() as u64;
        all.push(next.into());
    }
    Ok(all)
}

/// The file that began with `first`, in one.
fn whole(first: Vec<u8>, file: &mut impl Read, n_bytes: u64) -> Result<Vec<u8>, LoadError> {
    let left = n_bytes.saturating_sub(first.len() as u64);
    let mut all = first;
    reserve(&mut all, left)?;
    let read = file.take(left).read_to_end(&mut all);
    read.map(|_| all).map_err(LoadError::Read)
}

/// The next bytes of a file, as many as there are.
fn piece(file: &mut impl Read, n_bytes: u64) -> Result<Vec<u8>, LoadError> {
    whole(Vec::new(), file, n_bytes)
}

/// Takes memory for more bytes. Without any the program would end; so it is a moment that passes.
fn reserve(bytes: &mut Vec<u8>, n_more: u64) -> Result<(), LoadError> {
    bytes
        .try_reserve_exact(usize::try_from(n_more).unwrap_or(usize::MAX))
        .map_err(|_| LoadError::Read(io::ErrorKind::OutOfMemory.into()))
}

fn decode_here(bytes: &[u8], limits: &DecodeLimits, wish: Wish) -> Result<Pixels, LoadError> {
    Ok(match wish {
        Wish::Whole => render::decode_whole(bytes, limits)?,
        Wish::Fitted(slot) => render::decode_fitted(bytes, limits, slot)?,
    })
}

impl From<Trouble> for LoadError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Photo(error) => error.into(),
            Trouble::NoDecoder(error) => Self::Read(error),
        }
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
    fn a_file_is_read_whole_in_pieces_or_in_one() {
        let length = PIECE_BYTES as usize;
        for n in [
            0,
            1,
            length - 1,
            length,
            length + 1,
            2 * length,
            2 * length + 7,
        ] {
            let bytes: Vec<u8> = (0..=250).cycle().take(n).collect();
            // As long as it was said to be, shorter by now, and longer.
            for told in [n, n + 1, n + 3 * length, n.saturating_sub(1), n / 2] {
                let there = &bytes[..n.min(told)];
                let told = told as u64;
                let mut file = &bytes[..];
                let first = piece(&mut file, told.min(PIECE_BYTES)).unwrap();
                let mut rest = file;
                let all = pieces(first.clone(), &mut rest, told).unwrap();
                assert!(all.concat() == there, "{n} of {told}");
                assert!(all.iter().all(|piece| piece.len() <= length));
                assert!(
                    whole(first, &mut file, told).unwrap() == there,
                    "{n} of {told}"
                );
            }
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
