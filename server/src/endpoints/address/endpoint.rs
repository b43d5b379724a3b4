//! The endpoints: the things that lie at addresses.

/// An endpoint: the thing that lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoints) enum Endpoint<'a> {
    /// The viewer page.
    Page,
    /// The page of this channel, asked for without its final slash.
    ToPage(&'a str),
    Stream,
    /// Video in this form.
    Video(Form),
    /// A playlist of HLS, or what it names.
    Hls(&'a str),
    /// Where offers of WebRTC are sent to, to be sent video.
    Whep,
    /// Where offers of WebRTC are sent to, to send video.
    Whip,
    /// A session that began by an offer.
    RtcSession(&'a str),
    Bytes,
    Snapshot,
    Status,
    Metrics,
    Screens,
    Control,
    /// Where pictures are sent to.
    Push,
    Channels,
    Report,
    Profiles,
    /// The settings kept under a screen's name.
    Profile(&'a str),
    /// The page with the settings of a screen's name.
    Screen(&'a str),
    Qr,
    Lists,
    /// The photos that a search finds.
    Photos,
    /// The albums, with covers.
    Albums,
    Skipped,
    /// The photos that somebody has hidden.
    Hidden,
    /// A small picture of a photo.
    Thumbnail(&'a str),
    /// The slides of the last hour.
    History,
    Time,
    Health,
    /// A file beside the page, if there is such a file.
    File(&'a str),
}

/// The form in which video is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoints) enum Form {
    /// Annex B of H.264, without any container.
    H264,
    /// MPEG-TS.
    Ts,
    /// Fragmented MP4.
    Mp4,
}
