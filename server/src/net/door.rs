//! What stands between a connection and the routes: each request passes here, and is given its
//! visitor.

use std::{convert::Infallible, pin::Pin};

use http::Request;
use hyper::{body::Incoming, service::Service};
use tower_service::Service as _;
use warp::{filters::BoxedFilter, reply::Response};

use super::visitor::Visitor;

/// One connection's door.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) routes: BoxedFilter<(Response,)>,
    pub(super) visitor: Visitor,
}

impl Service<Request<Incoming>> for Door {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.visitor.clone());
        let answer = warp::service(self.routes.clone()).call(request);
        Box::pin(answer)
    }
}
