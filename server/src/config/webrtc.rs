//! `--webrtc`, checked.

use std::str::FromStr;

/// Where WebRTC is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebRtc {
    /// Nowhere.
    Off,
    /// At the ports that are listened on: by UDP, and by TCP beside HTTP.
    #[default]
    Beside,
    /// At this port by UDP, and by TCP beside HTTP.
    Port(u16),
}

impl FromStr for WebRtc {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        match crate::typed::on_or_off(text) {
            Some(true) => return Ok(Self::Beside),
            Some(false) => return Ok(Self::Off),
            None => {}
        }
        match text.parse() {
            Ok(port) if port > 0 => Ok(Self::Port(port)),
            _ => Err("it has to be on, off, or a port for UDP from 1 to 65535"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_off_or_a_port() {
        assert_eq!("on".parse(), Ok(WebRtc::Beside));
        assert_eq!(" off ".parse(), Ok(WebRtc::Off));
        assert_eq!("8189".parse(), Ok(WebRtc::Port(8189)));
        for bad in ["", "0", "65536", "-1", "udp", "8189/udp"] {
            assert!(bad.parse::<WebRtc>().is_err(), "{bad}");
        }
    }
}
