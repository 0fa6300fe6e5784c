//! The labels an agent can put on tickets.

use std::sync::Arc;

use poem_openapi::OpenApi;

use super::model::Label;
use super::store;
use crate::app::Tag;
use crate::db::Db;
use crate::http::answer::Whole;
use crate::http::caller::ByAgent;
use crate::http::failure::Failure;

/// The label operations of the External API.
pub struct LabelApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::Lookups")]
impl LabelApi {
    /// List labels
    ///
    /// The labels that `PUT /tickets/{id}` takes: published ones, by `sort_order`, then name. Not paginated.
    #[oai(path = "/labels", method = "get", operation_id = "list_labels")]
    async fn list_labels(&self, _me: ByAgent) -> Result<Whole<Label>, Failure> {
        Ok(self.0.read(|tx| Whole::new(&store::list_published(tx)?))?)
    }
}
