//! A request's visitor: what the endpoints may know of the other end.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use tokio::sync::watch;

use super::{cut::Cut, switch::Switch};
use crate::rights::{Need, Rights};

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP peer; behind a trusted proxy, the client that the proxy names, with port 0.
    Tcp(SocketAddr),
    /// A process on this machine, through a unix socket.
    Unix,
}

impl Peer {
    /// The peer's address, if it has one.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip().to_canonical()),
            Self::Unix => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) if address.port() == 0 => address.ip().to_canonical().fmt(f),
            Self::Tcp(address) => {
                SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(f)
            }
            Self::Unix => f.write_str("unix socket"),
        }
    }
}

/// The two ends of a connection, and what ends it.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    pub(super) peer: Peer,
    /// The end here, of TCP.
    pub(super) local: Option<SocketAddr>,
    pub(super) cut: Cut,
}

/// A secret, which no log shows.
#[derive(Clone)]
pub struct Hidden(pub Arc<str>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A visitor, in the extensions of every request that is let in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// From where.
    pub peer: Peer,
    /// The user's or the token's name; `None` where nobody has to say who they are.
    pub name: Option<Arc<str>>,
    /// The connection's end here, of TCP.
    pub local: Option<SocketAddr>,
    /// The address and port that were asked for, where they are digits.
    pub asked: Option<SocketAddr>,
    /// Whether the bytes are encrypted on the way to the client.
    pub is_secure: bool,
    /// Whether a page of another site asks, by somebody's browser: it is told nothing that depends on
    /// what the house has.
    pub is_foreign: bool,
    /// Ends its connection.
    pub connection: Cut,
    /// The token that the address asked for had, for what answers with addresses that lead on from there.
    pub token: Option<Hidden>,
    /// Where it wants to go on with the connection as a WebSocket, to send pictures.
    pub switch: Option<Switch>,
    membership: Membership,
}

impl Visitor {
    pub(super) fn new(peer: Peer, is_secure: bool, member: &Member) -> Self {
        Self {
            peer,
            name: member.name.clone(),
            local: None,
            asked: None,
            is_secure,
            is_foreign: false,
            connection: Cut::default(),
            token: None,
            switch: None,
            membership: member.membership(),
        }
    }

    /// This visitor, asked for by a page of another site or not.
    pub(super) fn of_site(self, is_foreign: bool) -> Self {
        Self { is_foreign, ..self }
    }

    /// This visitor on this connection.
    pub(super) fn on(self, ends: &Ends) -> Self {
        Self {
            connection: ends.cut.clone(),
            local: ends.local,
            ..self
        }
    }

    /// This visitor, who asked for this address.
    pub(super) fn asking(self, asked: Option<SocketAddr>) -> Self {
        Self { asked, ..self }
    }

    /// This visitor, by an address with this token.
    pub(super) fn by(self, token: Option<String>) -> Self {
        let token = token.map(|token| Hidden(token.into()));
        Self { token, ..self }
    }

    /// This visitor, who may go on with the connection by another protocol.
    pub(super) fn switching(self, switch: Option<Switch>) -> Self {
        Self { switch, ..self }
    }

    /// Whether the token was revoked, or the user removed, by which this visitor came in.
    #[cfg(test)]
    pub fn is_gone(&self) -> bool {
        self.membership.0.has_changed().is_err()
    }

    /// Done when the token is revoked, or the user removed, by which this visitor came in: a stream ends
    /// then. Borrows nothing.
    pub fn gone(&self) -> impl Future<Output = ()> + Send + Sync + 'static {
        let mut membership = self.membership.0.clone();
        // Nothing is ever sent: the sender's end is the message.
        async move { while membership.changed().await.is_ok() {} }
    }
}

/// Held by each visitor; over when its [`Member`] is dropped.
#[derive(Clone, Debug)]
struct Membership(watch::Receiver<()>);

/// A member: a user, a token, or everyone where nobody has to say who they are. Dropping
/// it sends away whoever came in as this.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Option<Arc<str>>,
    pub(super) rights: Rights,
    end: watch::Sender<()>,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("nobody"))
    }
}

impl Member {
    pub(super) fn new(name: Option<Arc<str>>, rights: Rights) -> Self {
        Self {
            name,
            rights,
            end: watch::Sender::new(()),
        }
    }

    fn membership(&self) -> Membership {
        Membership(self.end.subscribe())
    }
}

/// Another machine, that asks on behalf of its own visitors.
#[derive(Debug)]
pub struct Machine(Member);

impl Machine {
    /// A machine of this name with these rights.
    pub fn new(name: &str, rights: Rights) -> Self {
        Self(Member::new(Some(name.into()), rights))
    }

    /// Whether its rights are enough.
    pub fn may(&self, need: &Need) -> bool {
        self.0.rights.allow(need)
    }

    /// The visitor of this name that it asks for.
    pub fn visitor(&self, name: Option<String>) -> Visitor {
        let visitor = Visitor::new(Peer::Unix, true, &self.0);
        Visitor {
            name: name.map(Into::into),
            ..visitor
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_visitor_is_gone_when_its_member_is() {
        let member = Member::new(Some("tv".into()), Rights::SCREEN);
        let visitor = Visitor::new(Peer::Unix, false, &member);
        assert!(!visitor.is_gone());
        assert!(visitor.gone().now_or_never().is_none());
        drop(member);
        assert!(visitor.is_gone());
        assert!(visitor.gone().now_or_never().is_some());
    }
}
