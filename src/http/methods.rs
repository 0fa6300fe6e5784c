//! The methods of one path.

use std::collections::HashMap;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

use super::failure::Failure;

/// The methods of one path. HEAD is GET without the body, OPTIONS tells which there are, others are 405.
pub struct Methods<E> {
    // Four at most: looked through sooner than a hash is made.
    methods: Vec<(Method, E)>,
    allow: HeaderValue,
}

impl<E> Methods<E> {
    /// The methods there are.
    pub fn new(methods: HashMap<Method, E>) -> Self {
        let order = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
        let mut allow: Vec<&str> =
            order.iter().filter(|m| methods.contains_key(m)).map(Method::as_str).collect();
        if methods.contains_key(&Method::GET) {
            allow.insert(1, "HEAD");
        }
        allow.push("OPTIONS");
        let allow =
            HeaderValue::try_from(allow.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"));
        Self { methods: methods.into_iter().collect(), allow }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Methods<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        if let Some((_, endpoint)) = self.methods.iter().find(|(own, _)| own == method) {
            return endpoint.call(request).await;
        }
        if request.method() == Method::OPTIONS {
            let allowed =
                Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, self.allow.clone());
            return Ok(allowed.finish());
        }
        Err(Failure::method_not_allowed().with(header::ALLOW, self.allow.clone()).into())
    }
}
