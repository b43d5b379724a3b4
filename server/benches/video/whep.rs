//! Viewers by WebRTC: they ask by WHEP, and count what comes.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

use super::Result;

/// Viewers, all moved on by one thread; they leave when it is dropped.
pub struct Crowd {
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    n_bytes: AtomicU64,
    n_connected: AtomicUsize,
    is_over: AtomicBool,
}

struct Peer {
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    due: Instant,
}

impl Crowd {
    /// Sends `n` offers, one after the other.
    pub fn join(at: SocketAddr, n: usize) -> Result<Self> {
        let counts = Arc::<Counts>::default();
        let (tell, told) = std::sync::mpsc::channel();
        let inside = counts.clone();
        let thread = thread::spawn(move || {
            let mut peers: Vec<Peer> = Vec::new();
            let mut buffer = vec![0; 2048];
            while !inside.is_over.load(Ordering::Relaxed) {
                if peers.len() < n {
                    match Peer::ask(at) {
                        Ok(peer) => peers.push(peer),
                        Err(error) => {
                            let _ = tell.send(Err(error));
                            return;
                        }
                    }
                    if peers.len() == n {
                        let _ = tell.send(Ok(()));
                    }
                }
                for peer in &mut peers {
                    peer.turn(&mut buffer, &inside);
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        told.recv_timeout(Duration::from_secs(60))??;
        Ok(Self {
            counts,
            thread: Some(thread),
        })
    }

    /// The bytes of video so far, of all.
    pub fn bytes(&self) -> u64 {
        self.counts.n_bytes.load(Ordering::Relaxed)
    }

    /// The viewers that have been connected.
    pub fn n_connected(&self) -> usize {
        self.counts.n_connected.load(Ordering::Relaxed)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.counts.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Peer {
    fn ask(at: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let here = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(here, "udp")?);
        let mut change = rtc.sdp_api();
        change.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = change.apply().ok_or("nothing is asked for")?;
        let answer = post(at, &offer.to_sdp_string())?;
        let answer = SdpAnswer::from_sdp_string(&answer)?;
        rtc.sdp_api().accept_answer(pending, answer)?;
        Ok(Self {
            rtc,
            socket,
            here,
            due: Instant::now(),
        })
    }

    /// Takes what has come and sends what is due.
    fn turn(&mut self, buffer: &mut [u8], counts: &Counts) {
        while let Ok((n, from)) = self.socket.recv_from(buffer) {
            let received = Receive::new(Protocol::Udp, from, self.here, &buffer[..n]);
            if let Ok(received) = received {
                let _ = self
                    .rtc
                    .handle_input(Input::Receive(Instant::now(), received));
                self.drain(counts);
            }
        }
        if Instant::now() >= self.due {
            let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
            self.drain(counts);
        }
    }

    fn drain(&mut self, counts: &Counts) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.due = at;
                    return;
                }
                Ok(Output::Transmit(packet)) => {
                    let _ = self.socket.send_to(&packet.contents, packet.destination);
                }
                Ok(Output::Event(Event::MediaData(data))) => {
                    counts
                        .n_bytes
                        .fetch_add(data.data.len() as u64, Ordering::Relaxed);
                }
                Ok(Output::Event(Event::Connected)) => {
                    counts.n_connected.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Output::Event(_)) => {}
                Err(_) => {
                    self.due = Instant::now() + Duration::from_secs(3600);
                    return;
                }
            }
        }
    }
}

/// The answer to an offer.
fn post(at: SocketAddr, offer: &str) -> Result<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "POST /whep/main HTTP/1.0\r\nHost: {at}\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}",
        offer.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.contains(" 201 ") {
        return Ok(body.to_owned());
    }
    Err(format!("an offer is answered by {answer}").into())
}
