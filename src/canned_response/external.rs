//! The canned responses an agent can use.

use std::sync::Arc;

use poem_openapi::OpenApi;

use super::model::CannedResponse;
use super::store;
use crate::app::Tag;
use crate::db::Db;
use crate::http::answer::Whole;
use crate::http::caller::ByAgent;
use crate::http::failure::Failure;

/// The canned response operations of the External API.
pub struct CannedResponseApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::CannedResponses")]
impl CannedResponseApi {
    /// List canned responses
    ///
    /// All active ones, by `sort_order`, then title. Not paginated.
    #[oai(path = "/canned-responses", method = "get", operation_id = "list_canned_responses")]
    async fn list_canned_responses(&self, _me: ByAgent) -> Result<Whole<CannedResponse>, Failure> {
        Ok(self.0.read(|tx| Whole::new(&store::list_active(tx)?))?)
    }
}
