//! Connections that go on as something else than HTTP: as a WebSocket.
//!
//! hyper hands a connection back when an answer has switched its protocol; the accept loop gives it to whoever gave that
//! answer. Neither knows what is spoken then.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::locked::locked;

/// A connection's bytes, both ways.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A talk that follows an answer, with the bytes that have come already.
type Next = Box<dyn FnOnce(Box<dyn Wire>, Bytes) -> BoxFuture<'static, ()> + Send>;

/// The switch of one connection.
#[derive(Clone, Default)]
pub struct Switch(Arc<Mutex<Option<Next>>>);

impl Switch {
    /// Has `next` go on with the connection once the answer is sent that switches its protocol.
    pub fn to(
        &self,
        next: impl FnOnce(Box<dyn Wire>, Bytes) -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        *locked(&self.0) = Some(Box::new(next));
    }

    pub(super) fn taken(&self) -> Option<Next> {
        locked(&self.0).take()
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Switch")
    }
}
