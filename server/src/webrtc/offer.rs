//! Offers: what a peer proposes, read and judged before anything is kept for it. Pure.

use str0m::change::SdpOffer;

use super::{MAX_SDP, Refused};

/// A peer's offer.
#[derive(Debug)]
pub struct Offer {
    pub(super) sdp: SdpOffer,
    /// The peer's user fragment.
    pub(super) fragment: Option<String>,
}

impl Offer {
    /// The offer in `text` to be sent video.
    ///
    /// # Errors
    /// It is none, has no video that can be sent, or no H.264.
    pub fn to_be_sent(text: &str) -> Result<Self, Refused> {
        Self::read(text, "sent", |direction| {
            !matches!(direction, "sendonly" | "inactive")
        })
    }

    /// The offer in `text` to send video.
    ///
    /// # Errors
    /// It is none, has no video that can be taken, or no H.264.
    pub fn to_send(text: &str) -> Result<Self, Refused> {
        Self::read(text, "taken", |direction| {
            !matches!(direction, "recvonly" | "inactive")
        })
    }

    fn read(text: &str, what: &'static str, goes: impl Fn(&str) -> bool) -> Result<Self, Refused> {
        if text.len() > MAX_SDP {
            let why = format!("it is longer than {MAX_SDP} bytes");
            return Err(Refused::Unreadable(why));
        }
        if !text.starts_with("v=0") {
            let why = "a description of a session begins with v=0";
            return Err(Refused::Unreadable(why.into()));
        }
        let unreadable = |why: &dyn std::fmt::Display| {
            let why = why.to_string();
            let line = why.lines().next().unwrap_or("").chars().take(120).collect();
            Refused::Unreadable(line)
        };
        let sdp = SdpOffer::from_sdp_string(text).map_err(|error| unreadable(&error))?;
        let videos: Vec<_> = videos(text).collect();
        if !videos.iter().any(|video| goes(video.direction)) {
            return Err(Refused::NoVideo(what));
        }
        if !videos.iter().any(|video| video.has_h264) {
            return Err(Refused::NoH264);
        }
        let mut lines = text.lines().map(str::trim_end);
        let fragment = lines.find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        Ok(Self {
            sdp,
            fragment: fragment.map(str::to_owned),
        })
    }
}

/// A media description of video, as far as it is judged.
struct Video<'a> {
    direction: &'a str,
    has_h264: bool,
}

fn videos(text: &str) -> impl Iterator<Item = Video<'_>> {
    // What stands before the first one holds for all that say nothing themselves.
    let mut sections = text.split("\nm=");
    let session = direction(sections.next().unwrap_or("")).unwrap_or("sendrecv");
    sections
        .filter(|section| section.starts_with("video "))
        .map(move |section| Video {
            direction: direction(section).unwrap_or(session),
            has_h264: has_h264(section),
        })
}

fn direction(section: &str) -> Option<&str> {
    attributes(section)
        .find(|line| matches!(*line, "sendonly" | "recvonly" | "sendrecv" | "inactive"))
}

fn attributes(section: &str) -> impl Iterator<Item = &str> {
    section
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("a="))
}

/// Whether a payload type is H.264 in packets of any size.
fn has_h264(section: &str) -> bool {
    attributes(section)
        .filter_map(|line| line.strip_prefix("rtpmap:")?.split_once(' '))
        .filter(|(_, codec)| codec.to_ascii_uppercase().starts_with("H264/"))
        .any(|(payload, _)| {
            attributes(section)
                .filter_map(|line| line.strip_prefix("fmtp:")?.split_once(' '))
                .any(|(of, parameters)| {
                    of == payload
                        && parameters
                            .split(';')
                            .any(|one| one.trim() == "packetization-mode=1")
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 96 103\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n\
a=rtpmap:103 H264/90000\r\n\
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n";

    #[test]
    fn offers_are_judged_before_anything_is_kept() {
        Offer::to_be_sent(OFFER).unwrap();
        let judged = |from: &str, to: &str| Offer::to_be_sent(&OFFER.replace(from, to)).err();
        assert_eq!(judged("recvonly", "sendrecv"), None);
        let taken = |direction: &str| Offer::to_send(&OFFER.replace("recvonly", direction)).err();
        assert_eq!(taken("sendonly"), None);
        assert_eq!(taken("recvonly"), Some(Refused::NoVideo("taken")));
        assert_eq!(
            judged("recvonly", "sendonly"),
            Some(Refused::NoVideo("sent"))
        );
        assert_eq!(judged("m=video", "m=audio"), Some(Refused::NoVideo("sent")));
        assert_eq!(judged("H264", "H265"), Some(Refused::NoH264));
        assert_eq!(judged("mode=1", "mode=0"), Some(Refused::NoH264));
        assert!(matches!(
            judged("v=0", "v=zero"),
            Some(Refused::Unreadable(_))
        ));
        let long = OFFER.replace("s=-", &format!("s={}", "-".repeat(MAX_SDP)));
        assert!(matches!(
            Offer::to_be_sent(&long),
            Err(Refused::Unreadable(_))
        ));
    }

    #[test]
    fn no_cut_or_changed_offer_panics() {
        for end in 0..OFFER.len() {
            let _ = Offer::to_be_sent(&OFFER[..end]);
        }
        for at in 0..OFFER.len() {
            for byte in [b'\n', b'0', b' ', b'=', 0xC3] {
                let mut bytes = OFFER.as_bytes().to_vec();
                bytes[at] = byte;
                let _ = Offer::to_be_sent(&String::from_utf8_lossy(&bytes));
            }
        }
    }
}
