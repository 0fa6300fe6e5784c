//! The composition root: the only file that lists every API and mounts it.

use std::collections::HashMap;
use std::sync::Arc;

use poem::endpoint::{BoxEndpoint, make_sync};
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, Response, Route};
use poem_openapi::Tags;

use crate::agent::external::ProfileApi;
use crate::canned_response::model::CannedResponse;
use crate::db::Db;
use crate::department::model::Department;
use crate::health::external::{ConnectionApi, HealthApi};
use crate::http::docs::{self, Demo, Page};
use crate::http::front::Front;
use crate::http::gate::{Methods, Shared, mount};
use crate::http::limit::Buckets;
use crate::http::resource::Lookups;
use crate::knowledge::external::KnowledgeApi;
use crate::label::model::Label;
use crate::message::external::MessageApi;
use crate::notification::external::NotificationApi;
use crate::ticket::external::TicketApi;

/// Where the API is.
pub const BASE: &str = "/api/v1";

/// The groups of operations in the document.
#[derive(Tags)]
pub enum Tag {
    /// Whether the server is there. Needs no key.
    Health,
    /// External API: whether your key works.
    Connection,
    /// External API: your desk at a glance.
    Dashboard,
    /// External API: the tickets you see.
    Tickets,
    /// External API: the conversations under them.
    Messages,
    /// External API: the ids of labels and departments.
    Lookups,
    /// External API: answers written once, used often.
    #[oai(rename = "Canned responses")]
    CannedResponses,
    /// External API: what has been written down already.
    #[oai(rename = "Knowledge base")]
    KnowledgeBase,
    /// External API: yourself.
    Profile,
    /// External API: what you are told.
    Notifications,
}

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often each key may call, a minute; 0 is no limit.
    pub rate_limit: u32,
    /// How often each address may fail to authenticate, a minute; 0 is no limit.
    pub auth_failure_limit: u32,
    /// How many bytes a body may have.
    pub max_body: usize,
    /// The sample agent whose key Swagger UI opens with, on a sample database.
    pub demo: Option<Demo>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rate_limit: 1200, auth_failure_limit: 300, max_body: 1024 * 1024, demo: None }
    }
}

/// Every API, for mounting and for the document.
pub type Apis = (
    HealthApi,
    ConnectionApi,
    TicketApi,
    MessageApi,
    Lookups<Label>,
    Lookups<Department>,
    Lookups<CannedResponse>,
    KnowledgeApi,
    ProfileApi,
    NotificationApi,
);

/// The whole server on a database.
pub fn app(db: &Arc<Db>, options: &Options) -> impl Endpoint<Output = Response> + 'static {
    let shared = Arc::new(Shared {
        db: Arc::clone(db),
        calls: Buckets::new(options.rate_limit),
        failures: Buckets::new(if options.rate_limit == 0 { 0 } else { options.auth_failure_limit }),
        max_body: options.max_body,
        running: Arc::default(),
    });
    let of = || Arc::clone(db);
    let apis: Apis = (
        HealthApi,
        ConnectionApi,
        TicketApi(of()),
        MessageApi(of()),
        Lookups::new(of()),
        Lookups::new(of()),
        Lookups::new(of()),
        KnowledgeApi(of()),
        ProfileApi(of()),
        NotificationApi(of()),
    );
    let route = mount(Route::new(), BASE, apis, &shared);
    let home = make_sync(|_| {
        Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header(header::LOCATION, "/docs").finish()
    });
    let route = route.at("/", only_get(home.boxed()));
    let pages = docs::pages(options.demo.clone());
    Front(pages.into_iter().fold(route, |route, (path, page)| route.at(path, only_get(page_endpoint(page)))))
}

fn page_endpoint(page: Page) -> BoxEndpoint<'static> {
    let page = Arc::new(page);
    make_sync(move |request| page.answer(&request)).boxed()
}

fn only_get(endpoint: BoxEndpoint<'static>) -> Methods<BoxEndpoint<'static>> {
    Methods::new(HashMap::from([(Method::GET, endpoint)]))
}
