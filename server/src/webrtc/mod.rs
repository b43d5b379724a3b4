//! WebRTC: peers that are sent video over UDP or TCP. Knows no HTTP, no pixels and no channels: whoever answers an offer
//! hands over a [`Talk`], which says what a peer is sent.

#![cfg_attr(
    not(feature = "webrtc"),
    allow(dead_code, reason = "without WebRTC no talk begins")
)]

#[cfg(feature = "webrtc")]
mod answer;
#[cfg(feature = "webrtc")]
mod candidates;
#[cfg(feature = "webrtc")]
mod codecs;
mod limits;
#[cfg(feature = "webrtc")]
mod offer;
#[cfg(feature = "webrtc")]
mod peers;
#[cfg(feature = "webrtc")]
mod session;
#[cfg(feature = "webrtc")]
mod sockets;
#[cfg(feature = "webrtc")]
mod stream;
#[cfg(feature = "webrtc")]
mod ways;
#[cfg(not(feature = "webrtc"))]
mod without;

use std::{net::SocketAddr, sync::Arc};

use mantel_media::avc::{ParameterSets, Profile};

use crate::hub::Unit;

#[cfg(feature = "webrtc")]
pub use self::{offer::Offer, peers::Peers};
#[cfg(not(feature = "webrtc"))]
pub use without::{Offer, Peers};

/// A description longer than this is none, in bytes: those of browsers have 2 to 10 KB.
pub const MAX_SDP: usize = 64 << 10;

/// The profile of H.264 that a peer has to take to be sent what these sets are of. `None`: no peer can be, since of several
/// sets for pictures the engine sends one.
pub fn needed(sets: &ParameterSets) -> Option<Profile> {
    sets.profile().filter(|_| sets.pps().count() == 1)
}

/// An answer to an offer, and the name of the session that begins by it.
#[derive(Debug)]
pub struct Answer {
    /// The session's name, which nobody can guess: whoever knows it may end the session.
    pub id: String,
    /// The entity tag of the session's candidates, quoted.
    pub tag: String,
    /// The description of what is sent, and where to.
    pub sdp: String,
}

/// The addresses by which a peer's offer has reached this server: it can be reached there again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The connection's end here.
    pub local: Option<SocketAddr>,
    /// The address and port that the client asked for: another one than ours behind a port forward.
    pub asked: Option<SocketAddr>,
}

/// Why an offer is not answered. One sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The offer can't be read.
    #[error("this is no offer of WebRTC: {0}")]
    Unreadable(String),
    /// No video can go that way.
    #[error("the offer has no video to be {0}: add a transceiver of video for that")]
    NoVideo(&'static str),
    /// The peer has no H.264.
    #[error(
        "the offer has no H.264 with packetization-mode=1 in the Baseline, Main or High profile, which is all that is spoken here; /stream.mp4 and /stream play without WebRTC"
    )]
    NoH264,
    /// The engine refused the offer.
    #[error("the offer can't be answered: {0}")]
    Unanswerable(String),
    /// Too many sessions are there already.
    #[error("as many sessions of WebRTC are open as this server allows; try again later")]
    Full,
    /// Too many offers of one address led to nothing.
    #[error(
        "too many offers of this address were not followed by a connection; try again in a minute"
    )]
    TooOften,
    /// There is no WebRTC here.
    #[error("this server has no WebRTC: {0}; /stream.mp4 and /stream play without")]
    Without(&'static str),
}

/// Why something sent to a session is not taken. One sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untaken {
    /// There is no such session (any more).
    #[error("there is no such session; it may have ended")]
    NoSession,
    /// The tag is another one.
    #[error("the session's tag is another one")]
    OtherTag,
    /// The peer wants to begin anew within the session.
    #[error("a session is not begun anew here: end it, and make another offer")]
    Restart,
    /// The fragment can't be read.
    #[error("this is no fragment of a description: it has neither credentials nor candidates")]
    Unreadable,
}

/// A talk with a peer: what it is sent, or what it sends, from a key frame on.
pub trait Talk: Send + 'static {
    /// A unit came from the peer, with start codes, and all that it builds upon unless it `is_gap`. Whether a key frame is
    /// needed to go on.
    fn came(&mut self, unit: &[u8], is_key: bool, is_gap: bool) -> bool {
        let _ = (unit, is_key, is_gap);
        false
    }

    /// The session is over: does what is left to do.
    fn over(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The bits a second that are to be sent at best; asked again with each unit.
    fn wished(&self) -> u64 {
        0
    }

    /// The network to the peer is thought to carry so many bits a second, from now on.
    fn has_room(&mut self, bits_per_second: u64) {
        let _ = bits_per_second;
    }

    /// Waits for the next unit; `None` when nothing more comes, or goes. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<Arc<Unit>>> + Send;

    /// A unit was handed to the network.
    fn sent(&mut self, unit: &Unit);

    /// The peer has lost something, and can go on with a key frame only.
    fn want_key(&mut self);
}
