//! What was on a screen, and when: by the X server's own pixels, by Chromium's screencast, or by the
//! files that a player writes of what it shows. The pages themselves hold nothing but the picture.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    clients::{Client, require},
    pixels::{Picture, Rgb},
    process::Process,
};

/// The colour in the middle of a screen at an instant, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting {
    pub(crate) at: i64,
    pub(crate) colour: Rgb,
}

/// Whoever knows what a screen showed.
pub(crate) trait Witness {
    /// Everything seen so far, in order; may wait a moment for more.
    fn sightings(&mut self) -> Vec<Sighting>;
}

/// The wall clock, in Unix milliseconds, as the server's own moments are.
pub(crate) fn now() -> i64 {
    millis(SystemTime::now())
}

fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A screen of its own for programs with windows.
pub(crate) struct Display {
    name: String,
    _process: Process,
}

/// Of the screen, in pixels.
pub(crate) const SCREEN: (u32, u32) = (800, 600);

impl Display {
    /// Starts an X server without hardware; `None`, said loudly, where it is missing.
    pub(crate) fn start() -> Option<Self> {
        let programs = require(Client::Xvfb)?;
        let (width, height) = SCREEN;
        let mut command = Command::new(&programs[0]);
        command
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{width}x{height}x24"));
        let mut process = Process::start(command);
        let number =
            process.await_line("a display's number", |line| line.trim().parse::<u32>().ok());
        Some(Self {
            name: format!(":{number}"),
            _process: process,
        })
    }

    /// What programs find it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Watches a patch around a point, fifty times a second.
    pub(crate) fn watch(&self, x: u32, y: u32) -> Option<Watch> {
        Watch::start(&self.name, x, y)
    }
}

/// ffmpeg, reading a patch of an X screen; an instant is when its pixels had come here, which is
/// later than they were there by a frame or two, never earlier.
pub(crate) struct Watch {
    child: Child,
    seen: Arc<Mutex<Vec<Sighting>>>,
}

impl Watch {
    fn start(display: &str, x: u32, y: u32) -> Option<Self> {
        let programs = require(Client::Ffmpeg)?;
        let mut command = Command::new(&programs[0]);
        command
            .args(["-v", "quiet", "-nostdin", "-probesize", "32"])
            .args(["-f", "x11grab", "-draw_mouse", "0", "-framerate", "50"])
            .args(["-video_size", "16x16"])
            .args(["-grab_x", &x.to_string(), "-grab_y", &y.to_string()])
            .args(["-i", display])
            .args(["-fps_mode", "passthrough", "-flush_packets", "1"])
            .args(["-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("ffmpeg to start");
        let mut pipe = child.stdout.take().expect("a pipe");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            let mut patch = [0; 16 * 16 * 3];
            while pipe.read_exact(&mut patch).is_ok() {
                let mut sum = [0_u32; 3];
                for pixel in patch.chunks_exact(3) {
                    for (total, value) in sum.iter_mut().zip(pixel) {
                        *total += u32::from(*value);
                    }
                }
                let colour = Rgb(sum.map(|total| u8::try_from(total / 256).unwrap_or(u8::MAX)));
                let mut log = log.lock().expect("no reader panics");
                log.push(Sighting { at: now(), colour });
            }
        });
        Some(Self { child, seen })
    }
}

impl Witness for Watch {
    fn sightings(&mut self) -> Vec<Sighting> {
        thread::sleep(std::time::Duration::from_millis(50));
        self.seen.lock().expect("no reader panics").clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pictures that a player writes to a folder as it shows them; an instant is when a file was whole.
pub(crate) struct Files {
    folder: PathBuf,
    seen: Vec<Sighting>,
    known: Vec<PathBuf>,
}

impl Files {
    /// PNG files in `folder`, whose names grow.
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            seen: Vec::new(),
            known: Vec::new(),
        }
    }
}

impl Witness for Files {
    fn sightings(&mut self) -> Vec<Sighting> {
        thread::sleep(std::time::Duration::from_millis(100));
        let mut files: Vec<_> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|suffix| suffix == "png"))
            .filter(|path| !self.known.contains(path))
            .collect();
        files.sort();
        for path in files {
            let written = fs::metadata(&path).and_then(|file| file.modified());
            // One that is still being written is whole the next time.
            let (Ok(at), Ok(picture)) = (written, Picture::from_png_file(&path)) else {
                break;
            };
            self.seen.push(Sighting {
                at: millis(at),
                colour: picture.middle(),
            });
            self.known.push(path);
        }
        self.seen.clone()
    }
}
