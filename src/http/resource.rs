//! The operations of plain nouns, written once. A noun that needs one rule more leaves the generic and writes its
//! operations by hand; the generic grows no options.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::param::{Path, Query};
use poem_openapi::registry::{MetaApi, MetaOperation, MetaParamIn, Registry};
use poem_openapi::types::Type;
use poem_openapi::{OAuthScopes, OpenApi};

use super::answer::{Created, Done, Listing, Reply, Whole};
use super::caller::{Body, ByAdmin, ByAgent, INTERNAL};
use super::failure::Failure;
use super::once::Once;
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::error::Result;
use crate::http::tag::{BASE, Tag};
use crate::noun::{self, Noun};
use crate::scalar::{Id, PageNumber, PerPage};
use crate::written::Written;

/// A noun that agents only look up: a whole list, in its order.
pub trait Lookup: Type + Send + Sync + Sized + 'static {
    /// Where the list is, below the base of the API.
    const PATH: &'static str;
    /// The group of operations it belongs to.
    const TAG: Tag;
    /// The operation's name, summary and description in the document.
    const OPERATION: (&'static str, &'static str, &'static str);

    /// The whole list.
    ///
    /// # Errors
    /// What SQLite says.
    fn list(tx: &Tx<'_>) -> Result<Written<Vec<Self>>>;
}

/// The operations of a noun that agents only look up.
pub struct Lookups<R>(Inner<R>);

struct Inner<R>(Arc<Db>, PhantomData<fn() -> R>);

impl<R> Lookups<R> {
    /// On this database.
    pub fn new(db: Arc<Db>) -> Self {
        Self(Inner(db, PhantomData))
    }
}

#[OpenApi(prefix_path = R::PATH, tag = "R::TAG")]
impl<R: Lookup> Inner<R> {
    /// List
    #[oai(path = "/", method = "get")]
    async fn list(&self, _me: ByAgent) -> Result<Whole<R>, Failure> {
        Ok(self.0.read(|tx| Whole::new(R::list(tx)?))?)
    }
}

/// The derived operations under the noun's own words: the derive takes only literals.
impl<R: Lookup> OpenApi for Lookups<R> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = Inner::<R>::meta();
        for operation in apis.iter_mut().flat_map(|api| &mut api.paths).flat_map(|path| &mut path.operations)
        {
            let (name, summary, description) = R::OPERATION;
            operation.operation_id = Some(name);
            operation.summary = Some(summary);
            operation.description = Some(description);
        }
        apis
    }

    fn register(registry: &mut Registry) {
        Inner::<R>::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(table);
    }
}

/// A noun that administrators keep, and where.
pub trait Resource: Noun + Type + Send + Sync + 'static {
    /// Where the list is, below the base of the API.
    const PATH: &'static str;
    /// The group of operations it belongs to.
    const TAG: Tag;
    /// What a key needs to list, create, read, update and delete.
    const SCOPES: [Scope; 5];
    /// What the document says about it.
    const WORDS: Words;
}

/// What the document says about a plain noun beyond what holds for all of them.
pub struct Words {
    /// What one of them is called.
    pub one: &'static str,
    /// What several are called.
    pub many: &'static str,
    /// The order of the list.
    pub order: &'static str,
    /// What to know before creating one.
    pub create: &'static str,
    /// What to know before changing one.
    pub update: &'static str,
    /// What deleting one does to others.
    pub delete: &'static str,
}

/// How many items a page has when the request does not say.
pub const PER_PAGE: i64 = 15;

/// Where a new thing can be read, for `Location`.
pub fn location(path: &str, id: i64) -> Option<String> {
    Some(format!("{BASE}{path}/{id}"))
}

/// The five operations of a plain noun.
pub struct Crud<R>(CrudOf<R>);

struct CrudOf<R>(Arc<Db>, PhantomData<fn() -> R>);

impl<R> Crud<R> {
    /// On this database.
    pub fn new(db: Arc<Db>) -> Self {
        Self(CrudOf(db, PhantomData))
    }
}

#[OpenApi(prefix_path = R::PATH, tag = "R::TAG")]
impl<R: Resource> CrudOf<R> {
    /// List
    #[oai(path = "/", method = "get")]
    async fn list(
        &self,
        _me: ByAdmin,
        page: Query<Option<PageNumber>>,
        /// How many items a page has, 1 to 200; 15 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<R>, Failure> {
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        Ok(self.0.read(|tx| Listing::new(R::list(tx, paging)?))?)
    }

    /// Create
    #[oai(path = "/", method = "post")]
    async fn create(
        &self,
        ByAdmin(me): ByAdmin,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<R::New>,
    ) -> Result<Created<R>, Failure> {
        let once = once.begin()?;
        let job = move |tx: &Tx<'_>| {
            once.run(tx, || {
                let created: R = noun::create(tx, &me.actor(), body.0)?;
                Created::new(&created, location(R::PATH, created.id()))
            })
        };
        Ok(self.0.write(job).await?)
    }

    /// Get
    #[oai(path = "/:id", method = "get")]
    async fn get(
        &self,
        _me: ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Reply<R>, Failure> {
        Ok(self.0.read(|tx| Reply::new(&noun::find::<R>(tx, id.0.0)?))?)
    }

    /// Update
    #[oai(path = "/:id", method = "put")]
    async fn update(
        &self,
        ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
        body: Body<R::Patch>,
    ) -> Result<Reply<R>, Failure> {
        let job = move |tx: &Tx<'_>| Reply::new(&noun::update::<R>(tx, &me.actor(), id.0.0, body.0)?);
        Ok(self.0.write(job).await?)
    }

    /// Delete
    #[oai(path = "/:id", method = "delete")]
    async fn delete(
        &self,
        ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Done, Failure> {
        let job = move |tx: &Tx<'_>| {
            noun::delete::<R>(tx, &me.actor(), id.0.0)?;
            Done::new("Deleted")
        };
        Ok(self.0.write(job).await?)
    }
}

/// The derived operations under the noun's own words and scopes: the derive takes only literals.
impl<R: Resource> OpenApi for Crud<R> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = CrudOf::<R>::meta();
        let operations = apis.iter_mut().flat_map(|api| &mut api.paths).flat_map(|path| &mut path.operations);
        for operation in operations {
            R::WORDS.put(operation, &R::SCOPES);
        }
        apis
    }

    fn register(registry: &mut Registry) {
        CrudOf::<R>::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(table);
    }
}

impl Words {
    /// Puts these words, and the scope, on an operation. They live as long as the program: a hundred short strings.
    fn put(&self, operation: &mut MetaOperation, scopes: &[Scope; 5]) {
        let (one, many) = (self.one, self.many);
        let lists = !operation.params.iter().any(|param| param.in_type == MetaParamIn::Path);
        let (verb, scope, text) = match operation.method {
            Method::GET if lists => ("list", 0, self.order.to_owned() + " 15 a page."),
            Method::POST => ("create", 1, format!("Returns the {one}. {}", self.create)),
            Method::GET => ("get", 2, format!("One {one} by its id.")),
            Method::PUT => (
                "update",
                3,
                format!("Changes the fields that are sent and leaves the others alone. {}", self.update),
            ),
            _ => ("delete", 4, self.delete.to_owned()),
        };
        let (noun, title) =
            if verb == "list" { (many, many.to_owned()) } else { (one, format!("{} {one}", article(one))) };
        let mut summary = format!("{verb} {title}");
        summary[..1].make_ascii_uppercase();
        operation.operation_id = Some(format!("admin_{verb}_{}", noun.replace(' ', "_")).leak());
        operation.summary = Some(summary.leak());
        operation.description = Some(text.trim().to_owned().leak());
        operation.security = vec![HashMap::from([(INTERNAL, vec![scopes[scope].name()])])];
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
