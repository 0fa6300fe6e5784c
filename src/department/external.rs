//! The departments an agent can filter tickets by.

use std::sync::Arc;

use poem_openapi::OpenApi;

use super::model::Department;
use super::store;
use crate::app::Tag;
use crate::db::Db;
use crate::http::answer::Whole;
use crate::http::caller::ByAgent;
use crate::http::failure::Failure;

/// The department operations of the External API.
pub struct DepartmentApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::Lookups")]
impl DepartmentApi {
    /// List departments
    ///
    /// The departments that `GET /tickets` can filter by: published ones, by `sort_order`, then name. Not paginated.
    #[oai(path = "/departments", method = "get", operation_id = "list_departments")]
    async fn list_departments(&self, _me: ByAgent) -> Result<Whole<Department>, Failure> {
        Ok(self.0.read(|tx| Whole::new(&store::list_published(tx)?))?)
    }
}
