//! The terms of being let in: the accept loop and the door of each connection go by them.
//!
//! Made from the configuration, and made anew when that is read again; opens no socket.

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use http::Method;
use tokio::net::TcpStream;
use warp::{filters::BoxedFilter, reply::Response};

use super::{
    guard::{Guard, GuardError, TokenFile},
    host,
    limits::{self, ConnectionCounts},
    tls::{Keys, TlsError},
};
use crate::{
    blocking::Blocking,
    config::{Access, Config, Limits},
    rights::Need,
};

/// The judge of what a request of this method, path and query takes.
pub type Needs = Arc<dyn Fn(&Method, &str, &str) -> Need + Send + Sync>;

/// A taker of connections that carry packets, each behind its length, and no HTTP.
pub(super) type Packets = Arc<dyn Fn(TcpStream) -> BoxFuture<'static, ()> + Send + Sync>;

/// The terms by which the accept loop and the door go.
#[derive(Clone)]
pub struct Accept {
    pub(super) routes: BoxedFilter<(Response,)>,
    pub(super) needs: Needs,
    pub(super) counts: Arc<ConnectionCounts>,
    pub(super) limits: Limits,
    pub(super) access: Access,
    /// The names that this machine has by itself.
    pub(super) names: Arc<Vec<String>>,
    pub(super) guard: Arc<Guard>,
    pub(super) packets: Option<Packets>,
    keys: Option<Keys>,
    /// Where our own certificate is kept: where it was found at the start.
    state_dir: Option<PathBuf>,
}

/// Why nobody can be let in. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The guard can't be had: its files are wrong.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The keys can't be had: certificate or key are wrong.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Accept {
    /// Lets in whom `config` lets in; `routes` answer them, and `needs` says what a request of this method,
    /// path and query takes. Reads files: called before anything is served.
    ///
    /// # Errors
    /// Passwords, tokens or certificates can't be read.
    pub fn new(
        config: &Config,
        routes: BoxedFilter<(Response,)>,
        needs: Needs,
        counts: Arc<ConnectionCounts>,
    ) -> Result<Self, AcceptError> {
        let access = config.access.clone();
        let state_dir = config.dirs.state.clone();
        let index_dir = config.dirs.index.as_deref();
        let tokens = state_dir
            .as_deref()
            .map(|dir| TokenFile::of(dir, index_dir));
        Ok(Self {
            routes,
            needs,
            counts,
            limits: config.limits,
            names: Arc::new(host::own_names()),
            guard: Arc::new(Guard::new(
                access.password_file.clone(),
                access.users.clone(),
                tokens,
            )?),
            keys: Keys::new(Blocking::here(), &access.tls, state_dir.as_deref())?,
            packets: None,
            state_dir,
            access,
        })
    }

    /// These terms, with connections that begin with the length of a packet handed to `packets`.
    pub fn with_packets(self, packets: Packets) -> Self {
        Self {
            packets: Some(packets),
            ..self
        }
    }

    /// The terms with the limits, names, origins, proxies and certificates of `config`. The files of
    /// passwords and tokens are followed anyway.
    pub(super) fn reloaded(
        &self,
        blocking: Blocking,
        config: &Config,
    ) -> Result<Self, AcceptError> {
        let keys = Keys::new(blocking, &config.access.tls, self.state_dir.as_deref())?;
        tracing::info!("the configuration and the certificates were read again");
        Ok(Self {
            limits: config.limits,
            access: config.access.clone(),
            keys,
            ..self.clone()
        })
    }

    /// The keys by which connections are encrypted, if they are.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    /// Whether this address is answered at all.
    pub(super) fn answers(&self, ip: IpAddr) -> bool {
        self.access.public || !self.guard.is_open() || limits::is_of_the_house(ip)
    }

    pub(super) fn is_trusted(&self, ip: IpAddr) -> bool {
        self.access.trusted_proxies.contains(&ip)
    }
}

impl std::fmt::Debug for Accept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accept")
            .field("limits", &self.limits)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
