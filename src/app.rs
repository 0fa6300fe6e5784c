//! The composition root: the only file that lists every API and mounts it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use poem::endpoint::{BoxEndpoint, make_sync};
use poem::http::{Method, StatusCode, header};
use poem::{EndpointExt, Response, Route};

use crate::activity::internal::AdminActivityApi;
use crate::agent::external::ProfileApi;
use crate::agent::internal::AdminAgentApi;
use crate::api_key::internal::AdminApiKeyApi;
use crate::api_key::uses::Uses;
use crate::auth::Known;
use crate::canned_response::model::{CannedResponse, CannedResponseItem};
use crate::category::model::Category;
use crate::custom_field::model::CustomField;
use crate::customer::internal::AdminCustomerApi;
use crate::db::Db;
use crate::department::model::{Department, DepartmentReference};
use crate::health::external::{ConnectionApi, HealthApi};
use crate::health::internal::AdminConnectionApi;
use crate::http::bounds::{Bounds, Proxies};
use crate::http::cors::Origins;
use crate::http::docs::{self, Demo, Page};
use crate::http::document::Document;
use crate::http::front::{Front, Outermost};
use crate::http::gate::{Shared, mount};
use crate::http::limit::Buckets;
use crate::http::load::Load;
use crate::http::methods::Methods;
use crate::http::metrics::Metrics;
use crate::http::resource::{Crud, Lookups};
use crate::http::serve::Serving;
use crate::http::tag::BASE;
use crate::knowledge::category::model::KnowledgeCategory;
use crate::knowledge::external::KnowledgeApi;
use crate::knowledge::model::KnowledgeArticle;
use crate::label::model::{Label, LabelReference};
use crate::message::external::MessageApi;
use crate::message::internal::AdminMessageApi;
use crate::notification::external::NotificationApi;
use crate::product::model::Product;
use crate::report::internal::AdminReportApi;
use crate::setting::internal::AdminSettingsApi;
use crate::ticket::external::TicketApi;
use crate::ticket::internal::AdminTicketApi;

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
    /// How long clients may take, and how much of the server they may hold.
    pub bounds: Arc<Bounds>,
    /// Whose word about a client's address counts.
    pub proxies: Proxies,
    /// Which other origins may call.
    pub origins: Origins,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Options {
    /// How a listener is served with these options.
    pub fn serving(&self) -> Serving {
        Serving {
            bounds: Arc::clone(&self.bounds),
            proxies: self.proxies.clone(),
            metrics: Arc::clone(&self.metrics),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rate_limit: 1200,
            auth_failure_limit: 300,
            max_body: 1024 * 1024,
            demo: None,
            bounds: Arc::default(),
            proxies: Proxies::default(),
            origins: Origins::default(),
            metrics: Arc::default(),
        }
    }
}

/// Every API, for mounting and for the document.
pub type Apis = (HealthApi, External, Internal);

/// The OpenAPI document of every API.
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::of::<Apis>);
    &DOCUMENT
}

/// What agents call.
pub type External = (
    ConnectionApi,
    TicketApi,
    MessageApi,
    Lookups<LabelReference>,
    Lookups<DepartmentReference>,
    Lookups<CannedResponseItem>,
    KnowledgeApi,
    ProfileApi,
    NotificationApi,
);

/// What administrators call.
pub type Internal = (
    AdminConnectionApi,
    (AdminTicketApi, AdminMessageApi),
    (Crud<Department>, Crud<Category>, Crud<Label>, Crud<Product>),
    (AdminCustomerApi, AdminAgentApi),
    (Crud<KnowledgeCategory>, Crud<KnowledgeArticle>, Crud<CannedResponse>, Crud<CustomField>),
    (AdminActivityApi, AdminReportApi, AdminSettingsApi, AdminApiKeyApi),
);

/// The whole server on a database. Whenever a key is used, `uses` notes it.
pub fn app(db: &Arc<Db>, options: &Options, uses: &Arc<Uses>) -> impl Outermost + 'static {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let load = Arc::new(Load::new(options.bounds.requests, options.bounds.turn, processors));
    let shared = Arc::new(Shared {
        db: Arc::clone(db),
        known: Known::default(),
        calls: Buckets::new(options.rate_limit),
        failures: Buckets::new(if options.rate_limit == 0 { 0 } else { options.auth_failure_limit }),
        max_body: options.max_body,
        bounds: Arc::clone(&options.bounds),
        load: Arc::clone(&load),
        metrics: Arc::clone(&options.metrics),
        running: Arc::default(),
        uses: Arc::clone(uses),
    });
    let of = || Arc::clone(db);
    let external: External = (
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
    let internal: Internal = (
        AdminConnectionApi,
        (AdminTicketApi(of()), AdminMessageApi(of())),
        (Crud::new(of()), Crud::new(of()), Crud::new(of()), Crud::new(of())),
        (AdminCustomerApi(of()), AdminAgentApi(of())),
        (Crud::new(of()), Crud::new(of()), Crud::new(of()), Crud::new(of())),
        (AdminActivityApi(of()), AdminReportApi(of()), AdminSettingsApi(of()), AdminApiKeyApi(of())),
    );
    let apis: Apis = (HealthApi, external, internal);
    let route = mount(Route::new(), BASE, apis, &shared);
    let home = make_sync(|_| {
        Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header(header::LOCATION, "/docs").finish()
    });
    let route = route.at("/", only_get(home.boxed()));
    let pages = docs::pages(document(), options.demo.clone());
    let route =
        pages.into_iter().fold(route, |route, (path, page)| route.at(path, only_get(page_endpoint(page))));
    Front {
        inner: route,
        limit: options.bounds.request,
        proxies: options.proxies.clone(),
        origins: options.origins.clone(),
        metrics: Arc::clone(&options.metrics),
        load,
        refusal: OnceLock::new(),
    }
}

fn page_endpoint(page: Page) -> BoxEndpoint<'static> {
    let page = Arc::new(page);
    make_sync(move |request| page.answer(&request)).boxed()
}

fn only_get(endpoint: BoxEndpoint<'static>) -> Methods<BoxEndpoint<'static>> {
    Methods::new(HashMap::from([(Method::GET, endpoint)]))
}
