//! The stand-in for WebRTC in a program that is built without it.

use std::net::{IpAddr, SocketAddr};

use mantel_media::avc::Profile;
use tokio::net::TcpStream;

use super::{Answer, Reached, Refused, Talk, Untaken};

const WHY: &str = "it was built without";

/// An offer, of which none can be read here.
#[derive(Debug)]
pub struct Offer(());

impl Offer {
    /// See the WebRTC of other builds.
    ///
    /// # Errors
    /// Always.
    pub fn to_be_sent(_: &str) -> Result<Self, Refused> {
        Err(Refused::Without(WHY))
    }

    /// See the WebRTC of other builds.
    ///
    /// # Errors
    /// Always.
    pub fn to_send(_: &str) -> Result<Self, Refused> {
        Err(Refused::Without(WHY))
    }

    /// See the WebRTC of other builds.
    pub fn profile(&self) -> Profile {
        Profile::Baseline
    }
}

/// No peers.
#[derive(Debug)]
pub struct Peers(());

impl Peers {
    /// No peers.
    pub fn start(_: &[SocketAddr], _: Vec<SocketAddr>) -> Self {
        Self(())
    }

    /// Ends a connection.
    pub async fn carry(&self, _: TcpStream) {}

    /// Answers nothing.
    ///
    /// # Errors
    /// Always.
    pub fn answer(
        &self,
        _: Offer,
        _: Option<IpAddr>,
        _: &Reached,
        _: impl Talk,
    ) -> Result<Answer, Refused> {
        Err(Refused::Without(WHY))
    }

    /// Takes nothing.
    ///
    /// # Errors
    /// Always.
    pub fn trickle(&self, _: &str, _: &str, _: &str) -> Result<(), Untaken> {
        Err(Untaken::NoSession)
    }

    /// No.
    pub fn has(&self, _: &str) -> bool {
        false
    }

    /// Ends nothing.
    ///
    /// # Errors
    /// Always.
    pub fn end(&self, _: &str) -> Result<(), Untaken> {
        Err(Untaken::NoSession)
    }
}
