//! The methods that addresses take, and the rights that these need.

use http::Method;

use crate::rights::Right;

/// The methods that an address takes, and what each needs.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// Looking, without any right.
    Asking,
    /// Looking.
    Looking,
    /// Looking, with this right.
    Inspecting(Right),
    /// Being asked what it is, and being sent an offer of WebRTC, with this right.
    Offering(Right),
    /// Being sent more of a session, or its end, by whoever knows its name.
    Session,
    /// Being sent something.
    Telling(Right),
    /// Being sent pictures, and having them taken off.
    Pushing,
    /// Looking, and being sent something to keep.
    Keeping,
    /// Looking, and forgetting.
    Forgetting,
}

impl Takes {
    pub(super) fn allow(self) -> &'static str {
        match self {
            Self::Asking | Self::Looking | Self::Inspecting(_) => "GET, HEAD, OPTIONS",
            Self::Offering(_) => "GET, HEAD, POST, OPTIONS",
            Self::Session => "GET, HEAD, PATCH, DELETE, OPTIONS",
            Self::Telling(_) => "POST, OPTIONS",
            Self::Pushing => "POST, PUT, DELETE, OPTIONS",
            Self::Keeping => "GET, HEAD, POST, OPTIONS",
            Self::Forgetting => "GET, HEAD, DELETE, OPTIONS",
        }
    }

    pub(super) fn takes(self, method: &Method) -> bool {
        match self {
            Self::Asking | Self::Looking | Self::Inspecting(_) => is_look(method),
            Self::Session => is_look(method) || is_of_session(method),
            Self::Telling(_) => *method == Method::POST,
            Self::Pushing => is_push(method),
            Self::Keeping | Self::Offering(_) => is_look(method) || *method == Method::POST,
            Self::Forgetting => is_look(method) || *method == Method::DELETE,
        }
    }

    /// The right that a method needs, taken or not; `None`: anyone may.
    pub(super) fn right(self, method: &Method) -> Option<Right> {
        match (self, method) {
            (Self::Asking, method) if is_look(method) => None,
            // Its name is a secret, and players don't send their token with it.
            (Self::Session, method) if is_look(method) || is_of_session(method) => None,
            (Self::Offering(right), &Method::POST) => Some(right),
            (Self::Inspecting(right), method) if is_look(method) => Some(right),
            (Self::Telling(right), &Method::POST) => Some(right),
            (Self::Pushing, method) if is_push(method) => Some(Right::Push),
            (_, method) if is_look(method) => Some(Right::Watch),
            _ => Some(Right::Control),
        }
    }
}

pub(super) fn is_look(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn is_of_session(method: &Method) -> bool {
    matches!(*method, Method::PATCH | Method::DELETE)
}

pub(super) fn is_push(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::DELETE)
}
