//! How much of the server one connection, one address or one viewer may take: these options as typed,
//! and checked.

use std::time::Duration;

use super::{ConfigError, IceServer, WebRtc, bad, memory, millis, whole};
use crate::{
    rendition::{EncoderChoice, EncoderChoiceError},
    source::clips::ClipMode,
    typed,
};

/// How much one connection, or one address, may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once of one address; loopback, unix sockets and trusted proxies are exempt.
    pub max_connections_per_address: usize,
    /// Requests on one connection.
    pub max_requests: usize,
    /// Bytes of a request's head.
    pub max_head: usize,
    /// A request's head has to come within this.
    pub head_timeout: Duration,
    /// A request's body has to come within this.
    pub body_timeout: Duration,
    /// A peer that takes no byte for so long while there is something to send is cut off.
    pub stall_timeout: Duration,
}

/// [`Limits`], and what one viewer may cost the rest of the program, as typed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// How many connections are served at once [default: 2048].
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_MAX_CONNECTIONS"
    )]
    pub max_connections: Option<i64>,

    /// How many of them one address may have; this machine is exempt [default: 128].
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_MAX_CONNECTIONS_PER_ADDRESS"
    )]
    pub max_connections_per_address: Option<i64>,

    /// How many requests are answered on one connection before it is closed [default: 1000].
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_MAX_REQUESTS"
    )]
    pub max_requests: Option<i64>,

    /// The longest head of a request, 8192 to 65536; so much may wait unsent for a slow viewer, too
    /// [default: 8192].
    #[arg(
        long,
        value_name = "BYTES",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_MAX_HEAD"
    )]
    pub max_head: Option<i64>,

    /// The time in which a request's head has to come [default: 10s].
    #[arg(
        long,
        value_name = "DURATION",
        hide_short_help = true,
        env = "MANTEL_HEAD_TIMEOUT"
    )]
    pub head_timeout: Option<String>,

    /// The largest body of a POST [default: 16384].
    #[arg(
        long,
        value_name = "BYTES",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_MAX_BODY"
    )]
    pub max_body: Option<i64>,

    /// The time in which a request's body has to come [default: 10s].
    #[arg(
        long,
        value_name = "DURATION",
        hide_short_help = true,
        env = "MANTEL_BODY_TIMEOUT"
    )]
    pub body_timeout: Option<String>,

    /// How many different sizes and settings are produced at once; a viewer that asks for one more
    /// gets the nearest of them [default: 12].
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_MAX_RENDITIONS"
    )]
    pub max_renditions: Option<i64>,

    /// How much memory photos may take while they are decoded, all together; one that takes more
    /// by itself is skipped, with the reason [default: a quarter of the machine's or the
    /// container's, 96 to 1024].
    #[arg(
        long,
        value_name = "MIB",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_DECODE_MEMORY"
    )]
    pub decode_memory: Option<i64>,

    /// Decode all formats but JPEG in a process of its own, where a decoder can do no harm; on
    /// Linux [default: on].
    #[arg(
        long,
        value_name = "on|off",
        hide_short_help = true,
        env = "MANTEL_DECODER_PROCESS"
    )]
    pub decoder_process: Option<String>,

    /// Cut off a viewer that takes no byte for so long while there is something to send
    /// [default: 60s].
    #[arg(
        long,
        value_name = "DURATION",
        hide_short_help = true,
        env = "MANTEL_STALL_TIMEOUT"
    )]
    pub stall_timeout: Option<String>,

    /// How much memory old frames may take that slow viewers have not read yet; beyond that the slowest
    /// are cut off [default: 64].
    #[arg(
        long,
        value_name = "MIB",
        allow_negative_numbers = true,
        hide_short_help = true,
        env = "MANTEL_SLOW_VIEWER_MEMORY"
    )]
    pub slow_viewer_memory: Option<i64>,

    /// Give a viewer that can't keep up lower quality and fewer frames [default: on].
    #[arg(
        long,
        value_name = "on|off",
        hide_short_help = true,
        env = "MANTEL_STEP_DOWN"
    )]
    pub step_down: Option<String>,

    /// Most bits a second while something moves, such as 4M: quality falls to keep below [default: off].
    #[arg(
        long,
        value_name = "RATE",
        hide_short_help = true,
        env = "MANTEL_BITRATE"
    )]
    pub bitrate: Option<String>,

    /// The encoder of video: openh264, or one of ffmpeg's, such as ffmpeg:h264_vaapi [default: openh264].
    #[arg(
        long,
        value_name = "NAME",
        hide_short_help = true,
        env = "MANTEL_ENCODER"
    )]
    pub encoder: Option<String>,

    /// How videos in the folders are shown: a frame of each, moving, or not at all; takes ffmpeg [default: poster].
    #[arg(
        long,
        value_name = "poster|play|off",
        hide_short_help = true,
        env = "MANTEL_CLIPS"
    )]
    pub clips: Option<ClipMode>,

    /// For how long a video plays at most, 1s to 10m [default: 30s].
    #[arg(
        long,
        value_name = "DURATION",
        hide_short_help = true,
        env = "MANTEL_CLIP_LIMIT"
    )]
    pub clip_limit: Option<String>,

    /// Most time between two key frames in all video, 500ms to 10s [default: 2s, in HLS alone].
    #[arg(
        long,
        value_name = "DURATION",
        hide_short_help = true,
        env = "MANTEL_GOP"
    )]
    pub gop: Option<String>,

    /// WebRTC: on (at the server's own port, by UDP and TCP), off, or another port for UDP [default: on].
    #[arg(
        long,
        value_name = "on|off|PORT",
        hide_short_help = true,
        env = "MANTEL_WEBRTC"
    )]
    pub webrtc: Option<String>,

    /// Tell viewers of WebRTC of a STUN or TURN server, like `turn:turn.example.org USER PASSWORD`; may be given several
    /// times. Not needed within the house.
    #[arg(
        long,
        value_name = "SERVER",
        value_delimiter = ',',
        hide_short_help = true,
        env = "MANTEL_ICE_SERVER"
    )]
    pub ice_server: Vec<String>,
}

/// The limits of [`LimitArgs`] that the rest of the program needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    pub(super) max_body: u64,
    pub(super) max_renditions: usize,
    pub(super) decode_memory_bytes: u64,
    pub(super) slow_viewer_bytes: usize,
    pub(super) decoder_process: bool,
    pub(super) step_down: bool,
    pub(super) webrtc: WebRtc,
}

impl LimitArgs {
    /// Joins typed options with those of the configuration file, which give way one by one.
    pub(super) fn over(self, file: Self) -> Self {
        Self {
            max_connections: self.max_connections.or(file.max_connections),
            max_connections_per_address: self
                .max_connections_per_address
                .or(file.max_connections_per_address),
            max_requests: self.max_requests.or(file.max_requests),
            max_head: self.max_head.or(file.max_head),
            head_timeout: self.head_timeout.or(file.head_timeout),
            max_body: self.max_body.or(file.max_body),
            body_timeout: self.body_timeout.or(file.body_timeout),
            max_renditions: self.max_renditions.or(file.max_renditions),
            decode_memory: self.decode_memory.or(file.decode_memory),
            decoder_process: self.decoder_process.or(file.decoder_process),
            stall_timeout: self.stall_timeout.or(file.stall_timeout),
            slow_viewer_memory: self.slow_viewer_memory.or(file.slow_viewer_memory),
            step_down: self.step_down.or(file.step_down),
            bitrate: self.bitrate.or(file.bitrate),
            gop: self.gop.or(file.gop),
            encoder: self.encoder.or(file.encoder),
            clips: self.clips.or(file.clips),
            clip_limit: self.clip_limit.or(file.clip_limit),
            webrtc: self.webrtc.or(file.webrtc),
            ice_server: if self.ice_server.is_empty() {
                file.ice_server
            } else {
                self.ice_server
            },
        }
    }

    /// The encoder that is wished for.
    pub(super) fn encoder(&self) -> Result<EncoderChoice, ConfigError> {
        let read = |text: &str| {
            text.parse()
                .map_err(|error: EncoderChoiceError| bad("--encoder", text, error))
        };
        self.encoder
            .as_deref()
            .map_or(Ok(EncoderChoice::default()), read)
    }

    /// The servers that viewers of WebRTC are told of.
    pub(super) fn ice_servers(&self) -> Result<Vec<IceServer>, ConfigError> {
        let read = |text: &String| {
            // It may have a password.
            let shown = text.split_ascii_whitespace().next().unwrap_or_default();
            text.parse()
                .map_err(|why: &str| bad("--ice-server", shown, why))
        };
        self.ice_server.iter().map(read).collect()
    }

    /// For how long a clip plays at most, in milliseconds.
    pub(super) fn clip_millis(&self) -> Result<u32, ConfigError> {
        let Some(text) = self.clip_limit.as_deref() else {
            return Ok(30_000);
        };
        match millis("--clip-limit", text)? {
            millis @ 1_000..=600_000 => Ok(millis as u32),
            _ => Err(bad("--clip-limit", text, "it has to be 1s to 10m")),
        }
    }

    pub(super) fn checked(&self) -> Result<(Limits, Costs), ConfigError> {
        let limits = Limits {
            max_connections: whole(
                "--max-connections",
                self.max_connections,
                2048,
                1..=1_000_000,
            )?,
            max_connections_per_address: whole(
                "--max-connections-per-address",
                self.max_connections_per_address,
                128,
                1..=1_000_000,
            )?,
            max_requests: whole("--max-requests", self.max_requests, 1000, 1..=1_000_000_000)?,
            // 8192 is hyper's smallest buffer; a browser's head takes an eighth of it.
            max_head: whole("--max-head", self.max_head, 8192, 8192..=65_536)?,
            head_timeout: span("--head-timeout", self.head_timeout.as_deref(), 10_000)?,
            body_timeout: span("--body-timeout", self.body_timeout.as_deref(), 10_000)?,
            stall_timeout: span("--stall-timeout", self.stall_timeout.as_deref(), 60_000)?,
        };
        let own = memory::for_decoding(memory::of_machine());
        let mib = whole("--decode-memory", self.decode_memory, own, 16..=1 << 20)?;
        let costs = Costs {
            max_body: whole("--max-body", self.max_body, 16 * 1024, 1024..=1 << 30)? as u64,
            max_renditions: whole("--max-renditions", self.max_renditions, 12, 1..=1000)?,
            decode_memory_bytes: (mib as u64) << 20,
            slow_viewer_bytes: whole(
                "--slow-viewer-memory",
                self.slow_viewer_memory,
                64,
                1..=1 << 20,
            )? << 20,
            decoder_process: self.decoder_process.as_deref().map_or(Ok(true), |text| {
                typed::on_or_off(text)
                    .ok_or_else(|| bad("--decoder-process", text, "it has to be on or off"))
            })?,
            step_down: self.step_down.as_deref().map_or(Ok(true), |text| {
                typed::on_or_off(text)
                    .ok_or_else(|| bad("--step-down", text, "it has to be on or off"))
            })?,
            webrtc: self
                .webrtc
                .as_deref()
                .map_or(Ok(WebRtc::default()), |text| {
                    text.parse().map_err(|why: &str| bad("--webrtc", text, why))
                })?,
        };
        Ok((limits, costs))
    }
}

fn span(option: &'static str, text: Option<&str>, default: u64) -> Result<Duration, ConfigError> {
    let Some(text) = text else {
        return Ok(Duration::from_millis(default));
    };
    match millis(option, text)? {
        ..100 => Err(bad(option, text, "it has to be at least 100ms")),
        millis => Ok(Duration::from_millis(millis)),
    }
}
