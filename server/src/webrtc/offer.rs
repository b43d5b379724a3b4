//! Offers: what a peer proposes, read and judged before anything is kept for it. Pure.

use mantel_media::avc::Profile;
use str0m::{change::SdpOffer, format::CodecConfig};

use super::{
    MAX_SDP, Refused,
    codecs::{self, Way},
};

/// A peer's offer.
#[derive(Debug)]
pub struct Offer {
    pub(super) sdp: SdpOffer,
    /// The peer's user fragment.
    pub(super) fragment: Option<String>,
    /// The way that its video goes.
    pub(super) way: Way,
    profile: Profile,
}

impl Offer {
    /// The offer in `text` to be sent video.
    ///
    /// # Errors
    /// It is none, has no video that can be sent, or no H.264.
    pub fn to_be_sent(text: &str) -> Result<Self, Refused> {
        Self::read(text, Way::Sent, |direction| {
            !matches!(direction, "sendonly" | "inactive")
        })
    }

    /// The offer in `text` to send video.
    ///
    /// # Errors
    /// It is none, has no video that can be taken, or no H.264.
    pub fn to_send(text: &str) -> Result<Self, Refused> {
        Self::read(text, Way::Taken, |direction| {
            !matches!(direction, "recvonly" | "inactive")
        })
    }

    /// The highest profile of H.264 that the peer takes: it takes those below it as well.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    fn read(text: &str, way: Way, goes: impl Fn(&str) -> bool) -> Result<Self, Refused> {
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
        let ours = codecs::config(way);
        let mut videos: Vec<_> = videos(text, &ours).collect();
        videos.retain(|video| goes(video.direction));
        if videos.is_empty() {
            return Err(Refused::NoVideo(match way {
                Way::Sent => "sent",
                Way::Taken => "taken",
            }));
        }
        // Of several, each takes it.
        let profile = videos.iter().filter_map(|video| video.profile).min();
        let profile = profile.ok_or(Refused::NoH264)?;
        let mut lines = text.lines().map(str::trim_end);
        let fragment = lines.find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        Ok(Self {
            sdp,
            fragment: fragment.map(str::to_owned),
            way,
            profile,
        })
    }
}

/// A media description of video, as far as it is judged.
struct Video<'a> {
    direction: &'a str,
    /// The highest one of H.264 in packets of any size.
    profile: Option<Profile>,
}

fn videos<'a>(text: &'a str, ours: &CodecConfig) -> impl Iterator<Item = Video<'a>> {
    // What stands before the first one holds for all that say nothing themselves.
    let mut sections = text.split("\nm=");
    let session = direction(sections.next().unwrap_or("")).unwrap_or("sendrecv");
    sections
        .filter(|section| section.starts_with("video "))
        .map(move |section| Video {
            direction: direction(section).unwrap_or(session),
            profile: highest(section, ours),
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

/// The highest profile of a section's H.264, of those that an answer can have.
fn highest(section: &str, ours: &CodecConfig) -> Option<Profile> {
    attributes(section)
        .filter_map(|line| line.strip_prefix("rtpmap:")?.split_once(' '))
        .filter(|(_, codec)| codec.trim().eq_ignore_ascii_case("H264/90000"))
        .filter_map(|(payload, _)| {
            let parameters: Vec<_> = attributes(section)
                .filter_map(|line| line.strip_prefix("fmtp:")?.split_once(' '))
                .filter(|(of, _)| *of == payload)
                .map(|(_, parameters)| parameters)
                .collect();
            codecs::offered(ours, &parameters.join(";"))
        })
        .max()
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

    /// The offer with these payload types of H.264, from 103 on: the packets' mode, profile and level of each.
    fn with(types: &[&str]) -> String {
        let at = OFFER.find("a=rtpmap:103").unwrap();
        let mut offer = OFFER[..at].to_owned();
        for (payload, said) in (103..).zip(types) {
            let (mode, id) = said.split_once(' ').unwrap();
            offer = offer.replace("\r\nc=IN", &format!(" {payload}\r\nc=IN"));
            offer += &format!(
                "a=rtpmap:{payload} H264/90000\r\na=fmtp:{payload} \
                 level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={id}\r\n"
            );
        }
        offer
    }

    /// The profiles that the engine answers with, each with its payload type.
    fn answered(offer: Offer) -> Vec<String> {
        let crypto = std::sync::Arc::new(str0m::crypto::from_feature_flags());
        let mut config = str0m::RtcConfig::new().set_crypto_provider(crypto);
        *config.codec_config() = codecs::config(offer.way);
        #[expect(clippy::disallowed_methods, reason = "the engine asks when it began")]
        let mut rtc = config.build(std::time::Instant::now());
        let answer = rtc.sdp_api().accept_offer(offer.sdp).unwrap();
        let answer = answer.to_sdp_string();
        let lines = answer.lines().filter_map(|line| {
            let (payload, told) = line.strip_prefix("a=fmtp:")?.split_once(' ')?;
            let (_, id) = told.split_once("profile-level-id=")?;
            Some(format!("{payload} {}", &id[..4]))
        });
        lines.collect()
    }

    #[test]
    fn an_answer_keeps_every_profile_that_is_offered() {
        let kept = |types: &[&str]| {
            let offer = Offer::to_be_sent(&with(types)).unwrap();
            (offer.profile(), answered(offer))
        };
        let chromium = [
            "1 42001f", "0 42001f", "1 42e01f", "0 42e01f", "1 4d001f", "0 4d001f", "1 f4001f",
            "0 f4001f",
        ];
        let expected = ["105 42e0", "103 4200", "107 4d00", "109 f400"].map(str::to_owned);
        assert_eq!(kept(&chromium), (Profile::High444, expected.to_vec()));
        let firefox = ["1 42e01f", "0 42e01f"];
        let expected = vec!["103 42e0".to_owned()];
        assert_eq!(kept(&firefox), (Profile::Baseline, expected));
        let safari = ["1 640c1f", "1 42e01f"];
        let expected = ["104 42e0", "103 640c"].map(str::to_owned);
        assert_eq!(kept(&safari), (Profile::High, expected.to_vec()));
        let hardware = ["1 42e034", "1 4d0034", "1 640034"];
        let expected = ["103 42e0", "104 4d00", "105 6400"].map(str::to_owned);
        assert_eq!(kept(&hardware), (Profile::High, expected.to_vec()));
        // What the packets of a mode can't have is none.
        assert_eq!(kept(&["0 64001f", "1 42e01f"]).0, Profile::Baseline);
        let none = Offer::to_be_sent(&with(&["0 64001f", "1 7a001f"]));
        assert_eq!(none.err(), Some(Refused::NoH264));
        // Who sends is not asked for 4:4:4.
        let sends = with(&chromium).replace("recvonly", "sendonly");
        let offer = Offer::to_send(&sends).unwrap();
        assert_eq!(offer.profile(), Profile::Main);
        assert!(!answered(offer).iter().any(|one| one.ends_with("f400")));
    }

    #[test]
    fn of_several_videos_that_go_each_takes_what_is_sent() {
        let offer = with(&["1 64001f"]);
        let at = offer.find("m=video").unwrap();
        let second = |id: &str, direction: &str| {
            let (head, video) = offer.split_at(at);
            let more = video.replace("64001f", id).replace("recvonly", direction);
            let two = format!("{head}{video}{}", more.replace("mid:0", "mid:1"));
            Offer::to_be_sent(&two).unwrap().profile()
        };
        assert_eq!(second("64001f", "recvonly"), Profile::High);
        assert_eq!(second("42e01f", "recvonly"), Profile::Baseline);
        assert_eq!(second("42e01f", "sendonly"), Profile::High);
    }

    #[test]
    fn no_cut_or_changed_offer_panics() {
        let offers = [OFFER, &with(&["1 42001f", "1 4d001f", "1 f4001f"])];
        for offer in offers {
            for end in 0..offer.len() {
                let _ = Offer::to_be_sent(&offer[..end]);
            }
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
