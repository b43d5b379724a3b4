//! What serves: this program, a bare warp stream, a raw write loop, each in a process of its own.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use mantel::{
    Config,
    bench::{FrameNo, Framing, Next, Now, serve_frames},
};
use mantel_shared::UnixMillis;

use crate::{FRAME_BYTES, Result};

/// What serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Server {
    /// One thread that writes each frame to each socket: as little as the kernel allows.
    Raw,
    /// `warp::reply::stream` with nothing around it.
    Warp,
    /// This program: hub, output, net.
    Mantel,
    /// All of this program, with the pictures that it draws itself.
    Gallery,
}

impl Server {
    pub const ALL: [Self; 4] = [Self::Raw, Self::Warp, Self::Mantel, Self::Gallery];
}

/// A server process, ended with the benchmark.
pub struct Running(Child);

impl Running {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(server: Server, fps: u32) -> Result<(Running, SocketAddr)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--serve", &format!("{server:?}"), "--fps", &fps.to_string()])
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let out = child.stdout.take().ok_or("no stdout")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
    Ok((Running(child), line.trim().parse()?))
}

/// JPEGs by their size alone: nobody here looks into them.
fn jpegs() -> Vec<Bytes> {
    (0..8u8)
        .map(|n| Bytes::from(vec![n; FRAME_BYTES]))
        .collect()
}

pub fn serve(server: Server, fps: u32) -> Result<()> {
    // A benchmark that dies must not leave its server behind.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let period = Duration::from_secs(1) / fps;
    if server == Server::Raw {
        return serve_raw(&listener, period);
    }
    listener.set_nonblocking(true)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            match server {
                Server::Warp => serve_warp(listener, period).await,
                Server::Gallery => serve_gallery(listener, fps).await,
                Server::Raw | Server::Mantel => serve_mantel(listener, period).await,
            }
        })
}

fn serve_raw(listener: &TcpListener, period: Duration) -> Result<()> {
    listener.set_nonblocking(true)?;
    let (framing, jpegs) = (Framing::default(), jpegs());
    let frames: Vec<_> = jpegs
        .iter()
        .map(|jpeg| framing.frame(FrameNo(0), Default::default(), Default::default(), jpeg))
        .collect();
    let mut viewers: Vec<TcpStream> = Vec::new();
    let mut due = Instant::now();
    for frame in frames.iter().cycle() {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            let _ = stream.read(&mut [0; 4096])?;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n")?;
            viewers.push(stream);
        }
        viewers.retain_mut(|stream| write_parts(stream, &frame.head, &frame.body).is_ok());
        due += period;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn write_parts(stream: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let mut slices = [std::io::IoSlice::new(head), std::io::IoSlice::new(body)];
    let mut slices = &mut slices[..];
    while !slices.is_empty() {
        let n = stream.write_vectored(slices)?;
        std::io::IoSlice::advance_slices(&mut slices, n);
    }
    Ok(())
}

async fn serve_warp(listener: tokio::net::TcpListener, period: Duration) -> Result<()> {
    use futures_util::StreamExt;
    use warp::Filter;
    let (framing, jpegs) = (Framing::default(), jpegs());
    let frames: Vec<Bytes> = jpegs
        .iter()
        .map(|jpeg| {
            let frame = framing.frame(FrameNo(0), Default::default(), Default::default(), jpeg);
            [frame.head, frame.body].concat().into()
        })
        .collect();
    let (sender, receiver) = tokio::sync::watch::channel(frames[0].clone());
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(period);
        for frame in frames.iter().cycle() {
            tick.tick().await;
            sender.send_replace(frame.clone());
        }
    });
    let route = warp::path("stream").map(move || {
        let parts = futures_util::stream::unfold(receiver.clone(), |mut receiver| async move {
            receiver.changed().await.ok()?;
            let frame = receiver.borrow_and_update().clone();
            Some((frame, receiver))
        });
        warp::reply::stream(sync_wrapper::SyncStream::new(
            parts.map(Ok::<_, std::convert::Infallible>),
        ))
    });
    warp::serve(route).incoming(listener).run().await;
    Ok(())
}

async fn serve_mantel(listener: tokio::net::TcpListener, period: Duration) -> Result<()> {
    let config = Config::from_args(["--data-dir", "/nonexistent"])?;
    let (framing, jpegs) = (Framing::default(), jpegs());
    let (framing, jpegs) = (Arc::new(framing), Arc::new(jpegs));
    serve_frames(config, listener, move |feed| {
        let (framing, jpegs) = (framing.clone(), jpegs.clone());
        async move {
            let mut tick = tokio::time::interval(period);
            // Made a tick ahead of its moment, as a gallery's frames are.
            let frame = |no: u64| {
                let jpeg = &jpegs[no as usize % jpegs.len()];
                let at = unix_millis(SystemTime::now() + period);
                Arc::new(framing.frame(FrameNo(no), at, Default::default(), jpeg))
            };
            // Framing is part of what a real producer pays for each frame.
            let mut next = frame(1);
            for no in 2.. {
                tick.tick().await;
                let current = std::mem::replace(&mut next, frame(no));
                feed.motion.publish(Now {
                    current,
                    next: Next::Known(next.clone()),
                });
            }
        }
    })
    .await?;
    Ok(())
}

/// Slides of ten seconds, of which one is a crossfade, in the default size.
async fn serve_gallery(listener: tokio::net::TcpListener, fps: u32) -> Result<()> {
    let fps = fps.to_string();
    let line = [
        "--interval",
        "10s",
        "--transition",
        "1s",
        "--fps",
        &fps,
        "--data-dir",
        "/nonexistent",
    ];
    mantel::run(Config::from_args(line)?, listener, std::future::pending()).await?;
    Ok(())
}

fn unix_millis(at: SystemTime) -> UnixMillis {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(since.as_millis() as u64)
}
