//! One session: the engine of a peer's connection, driven by packets, time, and what the peer is to be sent.

#![expect(
    clippy::disallowed_methods,
    reason = "the engine is told the time at which something happens to it"
)]

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use mantel_media::avc::Profile;
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::{Bitrate, BweKind},
    media::{Frequency, KeyframeRequestKind, MediaKind, MediaTime, Mid},
    net::Receive,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    Talk, candidates, codecs,
    limits::TO_CONNECT,
    ways::{Entrance, Packet},
};
use crate::hub::{StreamTime, Unit};

/// A peer of which nothing comes for so long is gone: it checks every few seconds (RFC 7675).
const SILENCE: Duration = Duration::from_secs(15);
/// The bits a second that a network is taken for at first. What a house has carries more, which is found out within a
/// second; with more to begin with, a thin one loses most of the first key frame.
pub(super) const FIRST_BITRATE: u64 = 4_000_000;

/// Something that a session is told.
#[derive(Debug)]
pub(super) enum Order {
    /// The peer can be reached there, too.
    Candidate(Box<Candidate>),
    End,
}

/// A session that is to begin.
pub(super) struct Session<T> {
    pub(super) rtc: Rtc,
    pub(super) entrance: Entrance,
    pub(super) packets: mpsc::Receiver<Packet>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) talk: T,
}

/// A peer is asked for a key frame no more often than this.
const KEY_SPAN: Duration = Duration::from_millis(500);

/// How far a session has come.
#[derive(Default)]
struct Stage {
    /// When a key frame was asked for.
    asked_at: Option<Instant>,
    is_connected: bool,
    is_over: bool,
    /// The bits a second that were wished for last.
    wished: u64,
    /// Where the video goes.
    track: Option<Mid>,
    /// The addresses here at which the peer was heard.
    heard_at: HashSet<(bool, SocketAddr)>,
}

/// The next thing that happens.
enum Next {
    Packet(Packet),
    Time,
    Unit(Option<Arc<Unit>>),
    Order(Order),
}

impl<T: Talk> Session<T> {
    /// Drives the session to its end; `connected` is called when the peer is.
    pub(super) async fn run(mut self, connected: impl FnOnce()) {
        let result = self.drive(connected).await;
        if let Err(error) = result {
            tracing::debug!(%error, "a session of WebRTC ended");
        }
        // The peer hears of it, where it still can.
        if self.rtc.close().is_ok() {
            let mut ignored = Stage::default();
            let _ = self.drain(&mut ignored);
        }
        self.talk.over().await;
    }

    async fn drive(&mut self, connected: impl FnOnce()) -> Result<(), RtcError> {
        let mut connected = Some(connected);
        let began = Instant::now();
        let mut heard = began;
        let mut stage = Stage::default();
        let mut clock = StreamTime::default();
        loop {
            let due = self.drain(&mut stage)?;
            if !self.rtc.is_alive() || stage.is_over {
                return Ok(());
            }
            if stage.is_connected
                && let Some(connected) = connected.take()
            {
                connected();
            }
            let silent = if stage.is_connected {
                heard + SILENCE
            } else {
                began + TO_CONNECT
            };
            if Instant::now() >= silent {
                return Ok(());
            }
            let track = stage.track.filter(|_| stage.is_connected);
            let next = tokio::select! {
                biased;
                packet = self.packets.recv() => packet.map_or(Next::Order(Order::End), Next::Packet),
                order = self.orders.recv() => Next::Order(order.unwrap_or(Order::End)),
                unit = self.talk.next(), if stage.is_connected => Next::Unit(unit),
                () = sleep_until(due.min(silent)) => Next::Time,
            };
            match next {
                Next::Packet(packet) => {
                    if self.receive(&packet, &mut stage)? {
                        heard = packet.at;
                    }
                }
                Next::Order(Order::Candidate(candidate)) => {
                    self.rtc.add_remote_candidate(*candidate);
                }
                Next::Order(Order::End) | Next::Unit(None) => return Ok(()),
                Next::Time => self
                    .rtc
                    .handle_input(Input::Timeout(Instant::now().into_std()))?,
                Next::Unit(Some(unit)) => {
                    if let Some(track) = track {
                        self.send(track, &unit, &mut clock)?;
                        self.wish(&mut stage);
                    }
                }
            }
        }
    }

    /// Takes a packet. False: it is nothing, or nobody's who knows the session.
    fn receive(&mut self, packet: &Packet, stage: &mut Stage) -> Result<bool, RtcError> {
        let Packet { by, to, bytes, at } = packet;
        let Ok(received) = Receive::new(by.protocol(), by.from, *to, bytes) else {
            return Ok(false);
        };
        let input = Input::Receive(at.into_std(), received);
        if !self.rtc.accepts(&input) {
            return Ok(false);
        }
        self.entrance.take(*by);
        // The peer has found an address of this machine that it was not told of.
        let here = if by.is_tcp {
            candidates::tcp_host(*to)
        } else {
            Candidate::host(*to, "udp").ok()
        };
        if let Some(here) = here
            && stage.heard_at.insert((by.is_tcp, *to))
        {
            self.rtc.add_local_candidate(here);
            self.drain(stage)?;
        }
        self.rtc.handle_input(input)?;
        Ok(true)
    }

    fn send(&mut self, mid: Mid, unit: &Unit, clock: &mut StreamTime) -> Result<(), RtcError> {
        let at = clock.of(unit);
        let Some(writer) = self.rtc.writer(mid) else {
            return Ok(());
        };
        let needed = unit.start.sets.profile().unwrap_or(Profile::High444);
        let Some(pt) = codecs::best(writer.payload_params(), needed) else {
            return Ok(());
        };
        let time = MediaTime::new(at, Frequency::NINETY_KHZ);
        let data: &[u8] = &unit.annexb;
        // Each frame is shown as soon as it is there: what is on now counts, not how evenly it moves.
        let writer = writer.playout_delay(MediaTime::ZERO, MediaTime::ZERO);
        writer.write(pt, Instant::now().into_std(), time, data)?;
        self.talk.sent(unit);
        Ok(())
    }

    /// Tells the engine how many bits a second the network should carry, where they are others.
    fn wish(&mut self, stage: &mut Stage) {
        let wished = self.talk.wished();
        if std::mem::replace(&mut stage.wished, wished) != wished {
            self.rtc
                .bwe()
                .set_bitrate(Bitrate::ZERO, Bitrate::bps(wished));
        }
    }

    /// Takes what the engine has to say, up to when it wants to be asked again.
    fn drain(&mut self, stage: &mut Stage) -> Result<Instant, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at.into()),
                Output::Transmit(transmit) => self.entrance.ways().send(&transmit),
                Output::Event(event) => self.hear(event, stage),
            }
        }
    }

    fn hear(&mut self, event: Event, stage: &mut Stage) {
        match event {
            Event::Connected => {
                stage.is_connected = true;
                self.wish(stage);
            }
            Event::MediaAdded(media)
                if media.kind == MediaKind::Video && media.direction.is_sending() =>
            {
                stage.track.get_or_insert(media.mid);
            }
            Event::MediaData(data) => {
                let needs_key = self
                    .talk
                    .came(&data.data, data.is_keyframe(), !data.contiguous);
                let may_ask = stage
                    .asked_at
                    .is_none_or(|asked| asked.elapsed() >= KEY_SPAN);
                if needs_key
                    && may_ask
                    && let Some(mut writer) = self.rtc.writer(data.mid)
                    && writer.is_request_keyframe_possible(KeyframeRequestKind::Pli)
                {
                    stage.asked_at = Some(Instant::now());
                    let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
                }
            }
            Event::KeyframeRequest(_) => self.talk.want_key(),
            Event::EgressBitrateEstimate(
                BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. },
            ) => self.talk.has_room(estimate.as_u64()),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                stage.is_over = true;
            }
            _ => {}
        }
    }
}
