//! One of ffmpeg's encoders, as a process beside the server: a picture goes in, its unit comes out before the next one goes in. It has its own
//! control of the rate, which x264's is as good as ours, and a graphics processor knows no other. One that ends is an error like
//! any other: the film begins anew, with a key frame.

mod flv;
mod mkv;
#[cfg(test)]
mod tests;

use std::{
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use super::{
    encoder::{Encoder, EncoderError, Shape},
    rate::Qp,
};
use crate::{
    render::Planes,
    rendition::FfmpegEncoder,
    source::child::{Ending, Line, Piped},
};
use flv::Units;

/// How long a picture may take; the first one waits for the program to start.
const WITHIN: Duration = Duration::from_secs(10);

/// A process that encodes.
pub(super) struct Ffmpeg {
    process: Piped,
    units: Receiver<Vec<u8>>,
    encoder: FfmpegEncoder,
    /// The time of the last picture, in milliseconds.
    last: Option<u64>,
}

impl Ffmpeg {
    pub(super) fn open(encoder: FfmpegEncoder, shape: &Shape) -> Result<Self, EncoderError> {
        let (process, stdout) =
            Piped::start(&line(encoder, shape)).map_err(|ending| failed(encoder, &ending, ""))?;
        process.give(mkv::head(shape.size, shape.fps));
        let (tell, units) = mpsc::sync_channel(4);
        thread::Builder::new()
            .name("encoder".into())
            .spawn(move || {
                let mut read = Units::new(std::io::BufReader::new(stdout));
                // It ends with the process, or when nobody listens.
                while let Ok(unit) = read.next() {
                    if tell.send(unit).is_err() {
                        return;
                    }
                }
            })
            .map_err(|error| EncoderError::Failed(error.to_string()))?;
        Ok(Self {
            process,
            units,
            encoder,
            last: None,
        })
    }
}

impl Encoder for Ffmpeg {
    fn encode(
        &mut self,
        picture: &Planes,
        at: u64,
        key: bool,
        _: Qp,
    ) -> Result<Vec<u8>, EncoderError> {
        // Odd times are key frames, by the expression that it was given; times only grow. The first picture is one anyway, and
        // ffmpeg counts from its time, which is even.
        let even = (at / 90) & !1;
        let millis = self
            .last
            .map_or(even, |last| even.max((last & !1) + 2) + u64::from(key));
        self.last = Some(millis);
        self.process.give(mkv::picture(picture, millis));
        match self.units.recv_timeout(WITHIN) {
            Ok(unit) => Ok(unit),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seconds = WITHIN.as_secs();
                Err(EncoderError::Failed(format!(
                    "{} brings no picture within {seconds} s",
                    self.encoder.name()
                )))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let (ending, said) = self.process.end();
                Err(failed(self.encoder, &ending, &said))
            }
        }
    }
}

fn failed(encoder: FfmpegEncoder, ending: &Ending, said: &str) -> EncoderError {
    let name = encoder.name();
    EncoderError::Failed(match ending {
        Ending::NotFound => {
            "ffmpeg is not installed: on Debian `sudo apt install ffmpeg`, or take --encoder openh264".into()
        }
        Ending::NotStarted(reason) => format!("ffmpeg can't be started: {reason}"),
        Ending::Signal(signal) => format!("ffmpeg with {name} was ended by signal {signal}"),
        Ending::Status(_) if said.is_empty() => format!("ffmpeg with {name} ended"),
        Ending::Status(_) => format!("ffmpeg with {name} ended: {said}"),
    })
}

fn line(encoder: FfmpegEncoder, shape: &Shape) -> Line {
    let bits = shape.bits_per_second.to_string();
    // x264 is told the clock's rate by ffmpeg 5, whatever the pictures' is.
    let x264 = format!("fps={}", shape.fps);
    let mut words = vec!["-nostdin", "-hide_banner", "-loglevel", "error"];
    if encoder == FfmpegEncoder::Vaapi {
        words.extend(["-vaapi_device", "/dev/dri/renderD128"]);
    }
    // Nothing is to be found out before the first picture is encoded.
    words.extend([
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        "-fpsprobesize",
        "0",
    ]);
    words.extend([
        "-protocol_whitelist",
        "pipe",
        "-f",
        "matroska",
        "-i",
        "pipe:0",
        "-an",
    ]);
    if encoder == FfmpegEncoder::Vaapi {
        words.extend(["-vf", "format=nv12,hwupload"]);
    }
    words.extend(["-fps_mode", "passthrough", "-enc_time_base", "1/1000"]);
    words.extend(["-force_key_frames", "expr:mod(round(t*1000),2)"]);
    words.extend(["-c:v", encoder.name(), "-bf", "0", "-g", "100000"]);
    // A steady quality below a most where there is such a thing.
    words.extend(match encoder {
        FfmpegEncoder::X264 => vec![
            "-preset",
            "superfast",
            "-tune",
            "zerolatency",
            "-profile:v",
            "baseline",
            "-forced-idr",
            "1",
            "-sc_threshold",
            "0",
            "-threads",
            "1",
            "-crf",
            "23",
            "-x264-params",
            &x264,
        ],
        FfmpegEncoder::Vaapi => vec!["-profile:v", "constrained_baseline", "-b:v", &bits],
        FfmpegEncoder::V4l2M2m => vec!["-b:v", &bits],
        FfmpegEncoder::Nvenc => vec![
            "-preset",
            "p2",
            "-tune",
            "ull",
            "-delay",
            "0",
            "-profile:v",
            "baseline",
            "-forced-idr",
            "1",
            "-b:v",
            &bits,
        ],
    });
    words.extend(["-maxrate", &bits, "-bufsize", &bits]);
    words.extend([
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-colorspace",
        "bt709",
    ]);
    words.extend(["-color_range", "tv", "-flush_packets", "1"]);
    words.extend(["-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1"]);
    Line {
        program: "ffmpeg".into(),
        arguments: words.into_iter().map(Into::into).collect(),
        input: Vec::new(),
    }
}
