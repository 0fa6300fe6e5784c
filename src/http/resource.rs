//! The operations of plain nouns, written once. A noun that needs one rule more leaves the generic and writes its
//! operations by hand; the generic grows no options.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::answer::Whole;
use super::caller::ByAgent;
use super::failure::Failure;
use crate::app::Tag;
use crate::db::{Db, Tx};
use crate::error::Result;

/// A noun that agents only look up: a whole list, in its order.
pub trait Lookup: Send + Sync + 'static {
    /// Where the list is, below the base of the API.
    const PATH: &'static str;
    /// The group of operations it belongs to.
    const TAG: Tag;
    /// The operation's name, summary and description in the document.
    const OPERATION: (&'static str, &'static str, &'static str);

    /// What an item is.
    type View: Type + Serialize + Send + 'static;

    /// The whole list.
    ///
    /// # Errors
    /// What SQLite says.
    fn list(tx: &Tx<'_>) -> Result<Vec<Self::View>>;
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
    async fn list(&self, _me: ByAgent) -> Result<Whole<R::View>, Failure> {
        Ok(self.0.read(|tx| Whole::new(&R::list(tx)?))?)
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
