//! Listeners: the TCP and unix sockets from which connections come, bound here or handed over by
//! systemd.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use super::visitor::Peer;
use crate::config::Listen;

/// The limit of connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// The sockets from which connections come. Unix sockets that were bound here are removed on drop.
#[derive(Debug, Default)]
pub struct Listeners {
    all: Vec<Listener>,
    /// The listener that is asked first, another one each time, so that a busy one starves no
    /// other.
    first: usize,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        /// The socket's file, removed when this is dropped.
        _file: Option<SocketFile>,
    },
}

/// Why a listener can't be had, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address or a path can't be listened on.
    #[error("{0}")]
    Bind(String),
    /// A descriptor that systemd handed over is no socket to listen on.
    #[error("socket {0} of LISTEN_FDS can't be listened on: {1}")]
    Inherited(usize, io::Error),
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self {
            all: vec![Listener::Tcp(listener)],
            first: 0,
        }
    }
}

impl Listeners {
    /// Listens on all of `wanted`.
    ///
    /// # Errors
    /// One of them can't be had; the error says which, and what to do.
    pub fn bind(wanted: &[Listen]) -> Result<Self, ListenError> {
        let mut listeners = Self::default();
        for one in wanted {
            let listener = match one {
                Listen::Tcp(address) => bind_tcp(*address, wanted)
                    .map(Listener::Tcp)
                    .map_err(|error| ListenError::Bind(why_not(*address, &error)))?,
                #[cfg(unix)]
                Listen::Unix(path) => bind_unix(path).map_err(|error| {
                    ListenError::Bind(format!("can't listen on {one}: {error}"))
                })?,
                #[cfg(not(unix))]
                Listen::Unix(_) => {
                    let why = format!("can't listen on {one}: this system has no unix sockets");
                    return Err(ListenError::Bind(why));
                }
            };
            listeners.all.push(listener);
        }
        Ok(listeners)
    }

    /// The sockets that systemd opened for us (`LISTEN_FDS`), often none.
    ///
    /// # Errors
    /// One of them is no socket to listen on.
    pub fn inherited() -> Result<Self, ListenError> {
        let mut listeners = Self::default();
        let mut handed = listenfd::ListenFd::from_env();
        for i in 0..handed.len() {
            let failed = |error| ListenError::Inherited(i, error);
            let listener = match handed.take_tcp_listener(i) {
                Ok(None) => continue,
                Ok(Some(listener)) => {
                    listener.set_nonblocking(true).map_err(failed)?;
                    Listener::Tcp(TcpListener::from_std(listener).map_err(failed)?)
                }
                #[cfg(unix)]
                Err(_) => {
                    let Some(listener) = handed.take_unix_listener(i).map_err(failed)? else {
                        continue;
                    };
                    listener.set_nonblocking(true).map_err(failed)?;
                    Listener::Unix {
                        listener: UnixListener::from_std(listener).map_err(failed)?,
                        _file: None,
                    }
                }
                #[cfg(not(unix))]
                Err(error) => return Err(failed(error)),
            };
            listeners.all.push(listener);
        }
        Ok(listeners)
    }

    /// Whether there is nowhere to listen.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds the listeners of `others`.
    pub fn append(&mut self, mut others: Self) {
        self.all.append(&mut others.all);
    }

    /// The addresses and paths listened on, with the ports that the system chose for port 0.
    pub fn addresses(&self) -> Vec<Listen> {
        let address = |listener: &Listener| match listener {
            Listener::Tcp(listener) => listener.local_addr().ok().map(Listen::Tcp),
            #[cfg(unix)]
            Listener::Unix { listener, .. } => {
                let address = listener.local_addr().ok()?;
                Some(Listen::Unix(address.as_pathname()?.to_owned()))
            }
        };
        self.all.iter().filter_map(address).collect()
    }

    /// Waits for the next connection of any listener.
    pub(super) async fn accept(&mut self) -> io::Result<(Socket, Peer)> {
        poll_fn(|cx| {
            for i in 0..self.all.len() {
                let at = (self.first + i) % self.all.len();
                if let Poll::Ready(accepted) = self.all[at].poll_accept(cx) {
                    self.first = at + 1;
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        })
        .await
    }
}

impl Listener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, Peer)>> {
        match self {
            Self::Tcp(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, peer)| (Socket::Tcp(stream), Peer::Tcp(peer))),
            #[cfg(unix)]
            Self::Unix { listener, .. } => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| (Socket::Unix(stream), Peer::Unix)),
        }
    }
}

fn bind_tcp(address: SocketAddr, wanted: &[Listen]) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A server that starts again must not wait for the connections of its last run.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // [::] takes IPv4 along, unless another listener is to have that port there.
        let is_taken = wanted.iter().any(|other| {
            matches!(other, Listen::Tcp(other) if other.is_ipv4() && other.port() == address.port() && other.port() != 0)
        });
        socket.set_only_v6(is_taken)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn why_not(listen: SocketAddr, error: &io::Error) -> String {
    let (ip, port) = (listen.ip(), listen.port());
    let with = |port: u16| SocketAddr::new(ip, port);
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is in use by another program; stop that one, or choose another port: --listen {} takes a free one",
            with(0)
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not listen on port {port}; choose one from 1024 up, like --listen {}",
            with(8080)
        ),
        io::ErrorKind::AddrNotAvailable => {
            let all = if ip.is_ipv4() { "0.0.0.0" } else { "[::]" };
            format!("this machine has no address {ip}; --listen {all}:{port} listens on all it has")
        }
        _ => format!("can't listen on {listen}: {error}"),
    }
}

/// The file of a socket that was bound here.
#[derive(Debug)]
#[cfg(unix)]
struct SocketFile {
    path: PathBuf,
    id: Option<(u64, u64)>,
}

#[cfg(unix)]
impl SocketFile {
    #[expect(
        clippy::disallowed_methods,
        reason = "a socket's file is looked at when it is bound and removed when it is dropped"
    )]
    fn id(path: &std::path::Path) -> Option<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }
}

#[cfg(unix)]
impl Drop for SocketFile {
    #[expect(
        clippy::disallowed_methods,
        reason = "a socket's file is looked at when it is bound and removed when it is dropped"
    )]
    fn drop(&mut self) {
        // Another program may have put a socket of its own in the place of ours.
        if self.id.is_some() && Self::id(&self.path) == self.id {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "a socket's file is looked at when it is bound and removed when it is dropped"
)]
fn bind_unix(path: &std::path::Path) -> io::Result<Listener> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::other("there is a file that is no socket"));
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                // Nobody listens there: the file is left over from a program that was killed.
                std::fs::remove_file(path)?;
            }
            _ => return Err(io::Error::other("another program listens there")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        id: SocketFile::id(path),
    };
    // For a proxy, which is let in by its group.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(Listener::Unix {
        listener,
        _file: Some(file),
    })
}

/// A connection's socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn unix(path: &std::path::Path) -> Result<Listeners, ListenError> {
        Listeners::bind(&[Listen::Unix(path.to_owned())])
    }

    #[tokio::test]
    async fn both_families_share_a_port() {
        let free = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let both = ["0.0.0.0", "[::]"].map(|ip| format!("{ip}:{port}").parse().unwrap());
        match Listeners::bind(&both) {
            Ok(listeners) => assert_eq!(listeners.addresses(), both),
            // This machine has no IPv6, or the port was taken meanwhile.
            Err(error) => eprintln!("LEFT OUT: {error}"),
        }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mantel.sock");
        // Dropping the std listener leaves the file.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listeners = unix(&path).unwrap();
        assert_eq!(listeners.addresses(), [Listen::Unix(path.clone())]);
        let error = unix(&path).unwrap_err().to_string();
        assert!(error.contains("another program listens there"), "{error}");
        drop(listeners);
        assert!(!path.exists());
        std::fs::write(&path, "a letter").unwrap();
        assert!(unix(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"a letter");
    }

    #[tokio::test]
    async fn each_of_several_is_accepted_from() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mantel.sock");
        let mut listeners = unix(&path).unwrap();
        let tcp = bind_tcp("127.0.0.1:0".parse().unwrap(), &[]).unwrap();
        let address = tcp.local_addr().unwrap();
        listeners.append(tcp.into());
        let _busy = (
            TcpStream::connect(address).await.unwrap(),
            TcpStream::connect(address).await.unwrap(),
        );
        let _local = UnixStream::connect(&path).await.unwrap();
        let mut n_local = 0;
        for _ in 0..3 {
            let (_, peer) = listeners.accept().await.unwrap();
            n_local += u32::from(peer == Peer::Unix);
        }
        assert_eq!(n_local, 1);
    }
}
