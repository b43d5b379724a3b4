//! A client of other servers: connects by an address, asks, and gives the answer as it comes.
//!
//! HTTP 1.1 with or without TLS. Each step has its time-out, and no error tells a secret. What is asked for and what is made
//! of an answer is its user's business; so is trying again.

mod broker;
mod nats;
mod target;
mod trust;

use std::{error::Error as _, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OnceCell,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{blocking::Blocking, files};
pub use broker::Broker;
pub use nats::{NatsLogin, NatsServers};
pub use target::{Credentials, Target};
pub use trust::Trust;

/// How long a connection may take, with its TLS.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The limit of redirects that are followed.
const MAX_REDIRECTS: usize = 4;
/// How a server is told who asks.
const USER_AGENT: &str = concat!("Mantel/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer. One sentence that names no secret.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The host has no address, or nobody listens there.
    #[error("can't reach {at}: {}", files::plain(source))]
    Unreachable {
        /// The host and port.
        at: String,
        /// The system's error.
        source: io::Error,
    },
    /// The connection is not to be trusted, or the server speaks no TLS.
    #[error("{at} has no connection to be trusted: {why}")]
    Tls {
        /// The host and port.
        at: String,
        /// The reason, and what helps.
        why: String,
    },
    /// A step took too long.
    #[error("{at} takes too long to answer")]
    Slow {
        /// The host and port.
        at: String,
    },
    /// The connection ended, or what comes is not HTTP.
    #[error("{at} ends the connection: {why}")]
    Broken {
        /// The host and port.
        at: String,
        /// The reason.
        why: String,
    },
    /// A redirect leads to another host, or in a circle.
    #[error(
        "{at} sends its visitors elsewhere, which is not followed; give the address to which it leads"
    )]
    Elsewhere {
        /// The host and port.
        at: String,
    },
    /// The address holds what no request can.
    #[error("the address can't be asked for: {0}")]
    Address(http::Error),
}

/// A connection's bytes.
pub trait Bytewise: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Bytewise for T {}

/// A connection, by TLS or not.
pub type Wire = Box<dyn Bytewise>;

/// A client. Cheap to copy; what it has read of the system's certificates is shared.
#[derive(Clone)]
pub struct Client {
    trust: Trust,
    /// How long an answer's head may take from the request on, with the request's own body.
    answer_time: Duration,
    /// Read when it is first needed.
    tls: Arc<OnceCell<TlsConnector>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// A connection to one host, on which one request follows another. What is on its way ends when it is dropped.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// The host and port, for errors.
    at: String,
    host: String,
    authorization: Option<HeaderValue>,
    answer_time: Duration,
    /// Moves the bytes, until this is dropped.
    _driver: JoinSet<()>,
}

/// An answer: its head, and its body as it comes.
#[derive(Debug)]
pub struct Answer {
    /// The status and headers.
    pub head: response::Parts,
    body: Incoming,
    at: String,
}

/// An answer together with the connection on which it comes, both of which end when it is dropped.
#[derive(Debug)]
pub struct Download {
    /// The answer.
    pub answer: Answer,
    /// The address that gave it, behind redirects.
    pub target: Target,
    _connection: Connection,
}

impl Client {
    /// A client that believes certificates by `trust`, and waits so long for the head of each answer.
    pub fn new(trust: Trust, answer_time: Duration) -> Self {
        Self {
            trust,
            answer_time,
            tls: Arc::default(),
        }
    }

    /// Connects to the host of `target`, whose credentials all requests on the connection carry.
    ///
    /// # Errors
    /// Nobody is there, or nobody to be trusted.
    pub async fn connect(&self, target: &Target) -> Result<Connection, FetchError> {
        let at = at(target);
        let (sender, driver) = handshake(self.wire(target, &[b"http/1.1"]).await?, &at).await?;
        Ok(Connection {
            sender,
            host: target.authority(),
            authorization: target.authorization(),
            at,
            answer_time: self.answer_time,
            _driver: driver,
        })
    }

    /// Connects to the host of `target`, for a protocol that others speak; to a server with TLS `spoken` names it.
    ///
    /// # Errors
    /// Nobody is there, or nobody to be trusted.
    pub async fn wire(&self, target: &Target, spoken: &[&[u8]]) -> Result<Wire, FetchError> {
        let at = at(target);
        let slow = || FetchError::Slow { at: at.clone() };
        let address = (target.host(), target.port());
        let stream = timeout(CONNECT_TIME, TcpStream::connect(address)).await;
        let stream = stream.map_err(|_| slow())?;
        let stream = stream.map_err(|source| FetchError::Unreachable {
            at: at.clone(),
            source,
        })?;
        // What is sent is small, or whole.
        let _ = stream.set_nodelay(true);
        if !target.is_tls() {
            return Ok(Box::new(stream));
        }
        let failed = |why: String| FetchError::Tls {
            at: at.clone(),
            why,
        };
        let name = ServerName::try_from(target.host().to_owned())
            .map_err(|error| failed(error.to_string()))?;
        let connector = self.connector().await.map_err(failed)?;
        let spoken = spoken.iter().map(|name| name.to_vec()).collect();
        let shaken = connector.with_alpn(spoken).connect(name, stream);
        let shaken = timeout(CONNECT_TIME, shaken).await;
        let stream = shaken.map_err(|_| slow())?;
        let stream = stream.map_err(|error| failed(distrust(&error, self.trust)))?;
        Ok(Box::new(stream))
    }

    /// Gets what lies at `target`, whatever the answer's status; redirects are followed on the same host.
    ///
    /// # Errors
    /// There is no answer, or it leads elsewhere.
    pub async fn get(&self, target: &Target, headers: &HeaderMap) -> Result<Download, FetchError> {
        let mut target = target.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut connection = self.connect(&target).await?;
            let answer = connection
                .send(Method::GET, target.path(), headers.clone(), Bytes::new())
                .await?;
            let location = answer.head.headers.get(header::LOCATION);
            let location = location.filter(|_| answer.head.status.is_redirection());
            let Some(location) = location else {
                return Ok(Download {
                    answer,
                    target,
                    _connection: connection,
                });
            };
            let next = location.to_str().ok();
            let next = next.and_then(|location| target.redirected(location));
            let at = connection.at;
            target = next.ok_or(FetchError::Elsewhere { at })?;
        }
        let at = target.authority();
        Err(FetchError::Elsewhere { at })
    }

    async fn connector(&self) -> Result<TlsConnector, String> {
        let trust = self.trust;
        let made = self.tls.get_or_try_init(|| async move {
            let config = Blocking::run(move |blocking| trust.config(blocking)).await;
            let config = config.map_err(|_| "the system's certificates can't be read")??;
            Ok(TlsConnector::from(Arc::new(config)))
        });
        made.await.cloned()
    }
}

impl Connection {
    /// Asks for `path`, which has its query; `headers` come beside those that every request has.
    ///
    /// # Errors
    /// There is no answer. The connection can't be used any more.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, FetchError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut request = request.body(Full::new(body)).map_err(FetchError::Address)?;
        // Those that the caller gives take the place of the usual ones.
        request.headers_mut().extend(headers);
        let answered = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        let answered = timeout(self.answer_time, answered).await;
        let slow = |_| FetchError::Slow {
            at: self.at.clone(),
        };
        let answer = answered
            .map_err(slow)?
            .map_err(|error| broken(&self.at, &error))?;
        let (head, body) = answer.into_parts();
        Ok(Answer {
            head,
            body,
            at: self.at.clone(),
        })
    }

    /// Whether another request may be sent.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}

impl Answer {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> Option<Result<Bytes, FetchError>> {
        loop {
            match self.body.frame().await? {
                // Trailers say nothing here.
                Ok(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Some(Ok(bytes));
                    }
                }
                Err(error) => return Some(Err(broken(&self.at, &error))),
            }
        }
    }

    /// The whole body, read within `time`, as text of at most so many bytes.
    ///
    /// # Errors
    /// It is longer, takes longer, or ends early.
    pub async fn text(self, max_bytes: usize, time: Duration) -> Result<String, FetchError> {
        let at = self.at;
        let read = timeout(time, Limited::new(self.body, max_bytes).collect()).await;
        let read = read.map_err(|_| FetchError::Slow { at: at.clone() })?;
        let whole = read.map_err(|error| FetchError::Broken {
            at,
            why: error.to_string(),
        })?;
        Ok(String::from_utf8_lossy(&whole.to_bytes()).into_owned())
    }
}

async fn handshake<T>(
    stream: T,
    at: &str,
) -> Result<(SendRequest<Full<Bytes>>, JoinSet<()>), FetchError>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|error| broken(at, &error))?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        // Its error is that of the request that is on its way.
        let _ = connection.await;
    });
    Ok((sender, driver))
}

/// The host and port, for errors.
fn at(target: &Target) -> String {
    format!("{}:{}", bracketed(target.host()), target.port())
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// The reason of hyper's error: its source tells more than it does.
fn broken(at: &str, error: &hyper::Error) -> FetchError {
    let why = match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    FetchError::Broken {
        at: at.to_owned(),
        why,
    }
}

/// Why a handshake failed, with what helps.
fn distrust(error: &io::Error, trust: Trust) -> String {
    let inner = error.get_ref();
    let inner = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, trust) {
        (Some(rustls::Error::InvalidCertificate(_)), Trust::System) => format!(
            "{error}; for a certificate that the server made itself, give its fingerprint, which it prints when it starts"
        ),
        (Some(rustls::Error::InvalidCertificate(_)), Trust::Fingerprint(_)) => {
            "its certificate has another fingerprint".into()
        }
        (Some(rustls::Error::InvalidMessage(_)), _) => "it speaks no TLS; try http://".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
