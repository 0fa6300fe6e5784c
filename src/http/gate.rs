//! The gate in front of every operation: who calls, how often, and whether the request has the shape that the document
//! shows. All of it is driven by what the operation declares, so the document and the check cannot differ, and all of it
//! happens before a handler's parameters are parsed.
//!
//! The order of refusals: 413 by length, 401, 403 of type and scope, 429, 415, 413, 400, 422 of shape. 404 and 405 of the
//! route come before, 404 of the row and what follows come from the rules.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use percent_encoding::percent_decode_str;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderName, HeaderValue, Method, header};
use poem::{Endpoint, Request, Response, Route};
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaOperation, MetaParamIn, Registry};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answer::{self, Pages};
use super::body;
use super::bounds::Bounds;
use super::caller::{EXTERNAL, INTERNAL};
use super::failure::Failure;
use super::json::{self, Malformed};
use super::limit::{Buckets, Standing, neighbourhood};
use super::load::Load;
use super::methods::Methods;
use super::metrics::{self, Metrics};
use super::once::Running;
use super::shape::Shape;
use super::trace::{Asked, Trace};
use crate::api_key::uses::Uses;
use crate::auth::key::KeyType;
use crate::auth::{self, Caller, Known, Refusal};
use crate::db::{Db, Reading};
use crate::error::Check;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What the gate needs and shares between operations.
pub struct Shared {
    /// The database.
    pub db: Arc<Db>,
    /// Who holds the keys that are in use.
    pub known: Known,
    /// How often each key may call.
    pub calls: Buckets<i64>,
    /// How often each address may fail to authenticate.
    pub failures: Buckets<IpAddr>,
    /// How many bytes a body may have.
    pub max_body: usize,
    /// How long a body may take.
    pub bounds: Arc<Bounds>,
    /// How much is worked on at once.
    pub load: Arc<Load>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The requests with an idempotency key that run now.
    pub running: Arc<Running>,
    /// When keys were used.
    pub uses: Arc<Uses>,
}

/// What an operation declares.
struct Operation {
    need: Option<(KeyType, Option<&'static str>)>,
    params: Vec<Param>,
    body: Option<Shape>,
    method: Method,
}

struct Param {
    name: String,
    place: MetaParamIn,
    required: bool,
    shape: Shape,
}

/// One operation with its gate.
struct Guarded {
    operation: Operation,
    inner: BoxEndpoint<'static>,
    shared: Arc<Shared>,
    /// Where in the path each path parameter stands.
    places: Vec<(String, usize)>,
    /// What is counted about it.
    counts: Arc<metrics::Operation>,
}

/// Mounts every operation of an API under `base`, each behind its gate.
///
/// # Panics
/// When an operation is not in its own metadata (a hidden one would be public) or a schema is unusable: at start.
pub fn mount<T: OpenApi>(route: Route, base: &str, api: T, shared: &Arc<Shared>) -> Route {
    let mut registry = Registry::new();
    T::register(&mut registry);
    let mut operations: HashMap<(String, Method), MetaOperation> = HashMap::new();
    for path in T::meta().into_iter().flat_map(|api| api.paths) {
        for operation in path.operations {
            let twice = operations.insert((plain(&path.path), operation.method.clone()), operation);
            assert!(twice.is_none(), "two operations on {}", path.path);
        }
    }
    let templates: HashMap<String, String> =
        T::meta().into_iter().flat_map(|api| api.paths).map(|path| (plain(&path.path), path.path)).collect();
    let mut table = HashMap::new();
    api.add_routes(&mut table);
    table.into_iter().fold(route, |route, (path, methods)| {
        let template = format!("{base}{}", templates[&plain(&path)]);
        let guarded = methods.into_iter().map(|(method, inner)| {
            let meta = operations
                .remove(&(plain(&path), method.clone()))
                .unwrap_or_else(|| panic!("{method} {path} has no metadata"));
            let counts = shared.metrics.operation(meta.operation_id.unwrap_or(meta.method.as_str()));
            let operation = Operation::compile(&registry, meta);
            let places = places(&template);
            let guarded = Guarded { operation, inner, shared: Arc::clone(shared), places, counts };
            (method, guarded)
        });
        route.at(format!("{base}{path}"), Methods::new(guarded.collect()))
    })
}

/// A path with its parameters unnamed: `/tickets/{id}` and `/tickets/:param0` are the same.
fn plain(path: &str) -> String {
    let plain = path.split('/').map(|part| if part.starts_with([':', '{']) { "{}" } else { part });
    plain.collect::<Vec<_>>().join("/")
}

fn places(template: &str) -> Vec<(String, usize)> {
    let named = |(n, part): (usize, &str)| {
        part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).map(|name| (name.to_owned(), n))
    };
    template.split('/').enumerate().filter_map(named).collect()
}

impl Operation {
    fn compile(registry: &Registry, meta: MetaOperation) -> Self {
        let need = meta.security.first().map(|need| {
            let scope = |name: &str| need.get(name).map(|scopes| scopes.first().copied());
            match (scope(EXTERNAL), scope(INTERNAL)) {
                (Some(_), _) => (KeyType::External, None),
                (_, Some(scope)) => {
                    assert!(scope.is_some(), "{:?} names no scope", meta.operation_id);
                    (KeyType::Internal, scope)
                }
                _ => panic!("{:?} has an unknown security scheme", meta.operation_id),
            }
        });
        let params = meta.params.iter().map(|param| Param {
            name: param.name.clone(),
            place: param.in_type,
            required: param.required,
            shape: Shape::compile(registry, &param.schema),
        });
        let body = meta.request.and_then(|request| request.content.into_iter().next());
        Self {
            need,
            params: params.collect(),
            body: body.map(|content| Shape::compile(registry, &content.schema)),
            method: meta.method,
        }
    }

    /// Whether it has parameters behind a question mark.
    fn has_query(&self) -> bool {
        self.params.iter().any(|param| param.place == MetaParamIn::Query)
    }

    /// What tells a body from another, where repeats are told from other requests. A fast hash of a password is as good as
    /// the password to whoever finds it.
    fn fingerprint(&self, raw: &[u8], body: Option<&Value>) -> [u8; 32] {
        if self.method != Method::POST {
            return [0; 32];
        }
        let told = self.body.as_ref().zip(body).and_then(|(shape, body)| shape.without_secrets(body));
        told.map_or_else(|| Sha256::digest(raw), |told| Sha256::digest(told.to_string())).into()
    }
}

impl Endpoint for Guarded {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(trace) = request.data::<Arc<Trace>>() {
            // It is set once: a request passes one gate.
            let _ = trace.operation.set(Arc::clone(&self.counts));
        }
        let mut standing = None;
        let answer = self.answer(request, &mut standing).await;
        let mut response = answer.unwrap_or_else(Failure::respond);
        if let Some(standing) = standing {
            response.headers_mut().extend(Standing::fields(standing, "key"));
        }
        Ok(response)
    }
}

impl Guarded {
    /// Asks the operation, if the request passes. `standing` is where its key stands under its limit, once that is known.
    async fn answer(&self, mut request: Request, standing: &mut Option<Standing>) -> poem::Result<Response> {
        let is_public = self.operation.need.is_none();
        let changes = !is_public && self.operation.method != Method::GET;
        let shed = |error| {
            self.shared.metrics.shed.add();
            Failure::from(error)
        };
        if !is_public && let Err(error) = self.shared.load.look(changes).await {
            // A body that is here already is taken off the line: the connection can be kept then, and a new one is dear.
            let _ = body::read(&mut request, self.shared.max_body, &self.shared.bounds).now_or_never();
            return Ok(shed(error).render());
        }
        self.refuse_long(&request)?;
        let (caller, reading) = self.identify(&request, standing)?;
        // Most requests have no body: what is needed to read one is not carried along by all.
        let raw = if self.reads_body(&request) {
            Box::pin(self.read_body(&mut request)).await?
        } else {
            Bytes::new()
        };
        // A read waits for nobody, so it would hold a place for as long as it has a processor, and say nothing of how much waits.
        let _place = if changes { Some(self.shared.load.enter().await.map_err(shed)?) } else { None };
        let body = match &self.operation.body {
            Some(_) => Some(json::parse(&raw).map_err(|why| match why {
                Malformed::Syntax => Failure::malformed(),
                Malformed::DuplicateKey => Failure::duplicate_key(),
            })?),
            None => None,
        };
        let query = decode_query(request.uri().query().unwrap_or_default());
        self.check(&request, &query, body.as_ref())?;
        let fingerprint = self.operation.fingerprint(&raw, body.as_ref());
        let asked = Asked { caller, body, fingerprint, running: Arc::clone(&self.shared.running) };
        if let Some(trace) = request.data::<Arc<Trace>>() {
            let _ = trace.asked.set(asked);
        }
        // Only what has parameters there is asked for pages, and looks for them.
        let address = self.operation.has_query().then(|| request.uri().clone());
        if address.is_some() {
            let pairs = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            request.extensions_mut().insert(poem_openapi::__private::UrlQuery(pairs));
        }
        let answer = self.inner.call(request);
        let mut response = match reading {
            Some(reading) => reading.then(answer).await?,
            None => answer.await?,
        };
        if let (Some(address), Some(pages)) = (address, response.data::<Pages>().copied())
            && let Ok(link) = HeaderValue::try_from(answer::links(address.path(), address.query(), pages))
        {
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }

    /// A body that says it is too long is not even begun to be read.
    fn refuse_long(&self, request: &Request) -> Result<(), Failure> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        match length {
            Some(length) if length > self.shared.max_body as u64 => Err(Failure::too_large().closing()),
            _ => Ok(()),
        }
    }

    /// Who calls, if the operation wants to know, and the snapshot in which it was looked up, if the operation only reads: its
    /// body is not waited for. Only who fails is counted by address: a valid key is never refused for what others at its
    /// address do.
    fn identify(
        &self,
        request: &Request,
        standing: &mut Option<Standing>,
    ) -> Result<(Option<Caller>, Option<Box<Reading>>), Failure> {
        let Some((kind, scope)) = self.operation.need else { return Ok((None, None)) };
        let trace = request.data::<Arc<Trace>>();
        let address = trace.map(|trace| trace.client);
        let failed = |failure: Failure| {
            self.shared.metrics.auth_failures.add();
            let limit =
                trace.map(|trace| self.shared.failures.take(neighbourhood(trace.client), trace.started));
            match limit {
                Some(Err(standing)) => Err(self.rate_limited("address", standing)),
                _ => Err(failure),
            }
        };
        let mut keys = request.headers().get_all(API_KEY).iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => return failed(Failure::missing_key()),
            (Some(_), Some(_)) => return Err(Failure::malformed()),
            (Some(key), None) => key.to_str().unwrap_or_default(),
        };
        if !auth::key::is_well_formed(key) {
            return failed(Failure::invalid_key());
        }
        let reading = self.shared.db.begin()?;
        let known = (&self.shared.known, reading.access());
        let caller = match reading.run(|tx| auth::authenticate(tx, known, key, address))? {
            Ok(caller) => caller,
            Err(Refusal::InvalidKey) => return failed(Failure::invalid_key()),
            Err(Refusal::AgentInactive) => return failed(Failure::agent_inactive()),
        };
        if let Some(trace) = trace {
            trace.key.store(caller.key_id(), Ordering::Relaxed);
        }
        self.shared.uses.note(caller.key_id(), reading.now());
        if caller.kind() != kind {
            return Err(Failure::wrong_key_type());
        }
        if let (Some(scope), Caller::Admin(admin)) = (scope, &caller)
            && !admin.has(scope)
        {
            return Err(Failure::forbidden_scope());
        }
        *standing = self
            .shared
            .calls
            .take(caller.key_id(), trace.map_or_else(Instant::now, |trace| trace.started))
            .map_err(|standing| self.rate_limited("key", standing))?;
        Ok((Some(caller), (self.operation.method == Method::GET).then_some(reading)))
    }

    fn rate_limited(&self, limit: &str, standing: Standing) -> Failure {
        self.shared.metrics.rate_limited.add();
        Failure::rate_limited(limit, standing)
    }

    /// Whether the operation has a body, or it is needed to tell a repeat from another request.
    fn reads_body(&self, request: &Request) -> bool {
        let is_told = || self.operation.method == Method::POST && request.header("idempotency-key").is_some();
        self.operation.body.is_some() || is_told()
    }

    /// The raw body.
    async fn read_body(&self, request: &mut Request) -> Result<Bytes, Failure> {
        if self.operation.body.is_some() && !body::is_json(request.header(header::CONTENT_TYPE)) {
            return Err(Failure::unsupported_media_type());
        }
        body::read(request, self.shared.max_body, &self.shared.bounds).await
    }

    /// Everything that is wrong with the shape of the request, together.
    fn check(
        &self,
        request: &Request,
        query: &[(String, Option<String>)],
        body: Option<&Value>,
    ) -> crate::error::Result<()> {
        let mut wrong = Check::default();
        for param in &self.operation.params {
            match param.place {
                MetaParamIn::Path => {
                    let place = self.places.iter().find(|(name, _)| *name == param.name).map(|(_, n)| *n);
                    let text = place.and_then(|n| request.uri().path().split('/').nth(n)).unwrap_or_default();
                    param.shape.check_parameter(text, &param.name, &mut wrong);
                }
                MetaParamIn::Query => check_query(param, query, &mut wrong),
                MetaParamIn::Header => check_header(param, request, &mut wrong),
                _ => {}
            }
        }
        if let (Some(shape), Some(body)) = (&self.operation.body, body) {
            shape.check(body, "", &mut wrong);
        }
        wrong.finish()
    }
}

fn check_query(param: &Param, query: &[(String, Option<String>)], wrong: &mut Check) {
    let mut values = query.iter().filter(|(name, _)| *name == param.name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) if param.required => wrong.add(&param.name, "is required"),
        (None, _) => {}
        (Some(_), Some(_)) => wrong.add(&param.name, "must be given once"),
        (Some(None), None) => wrong.add(&param.name, "must be UTF-8"),
        (Some(Some(text)), None) => param.shape.check_parameter(text, &param.name, wrong),
    }
}

fn check_header(param: &Param, request: &Request, wrong: &mut Check) {
    // If-Match and If-None-Match are lists, which may come in several lines and never fail a request by their form.
    if !param.name.eq_ignore_ascii_case("idempotency-key") {
        return;
    }
    let mut values = request.headers().get_all(&param.name).iter();
    match (values.next(), values.next()) {
        (None, _) => {}
        (Some(_), Some(_)) => wrong.add(&param.name, "must be given once"),
        (Some(value), None) => match value.to_str() {
            Ok(text) => param.shape.check_parameter(text, &param.name, wrong),
            Err(_) => wrong.add(&param.name, "must be printable ASCII"),
        },
    }
}

/// A query as names and values; a value that is not UTF-8 is none.
fn decode_query(query: &str) -> Vec<(String, Option<String>)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_decode_as_forms_do() {
        assert_eq!(
            decode_query("a=1+2&b=%FF&c&&d=%C3%BC"),
            [
                ("a".into(), Some("1 2".into())),
                ("b".into(), None),
                ("c".into(), Some(String::new())),
                ("d".into(), Some("ü".into()))
            ]
        );
    }
}
