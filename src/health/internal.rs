//! Whether an administrator's key works.

use poem_openapi::OpenApi;

use crate::auth::scope::Scope;
use crate::http::answer::Done;
use crate::http::caller::ByAdmin;
use crate::http::failure::Failure;
use crate::http::tag::Tag;

/// The connection check of the Internal API.
pub struct AdminConnectionApi;

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminConnection")]
impl AdminConnectionApi {
    /// Check the connection
    ///
    /// Says that the server is there and the key opens the Internal API.
    #[oai(path = "/connection-check", method = "get", operation_id = "admin_check_connection")]
    async fn check_connection(
        &self,
        #[oai(scope = "Scope::ConnectionCheck")] _me: ByAdmin,
    ) -> Result<Done, Failure> {
        Ok(Done::new("Connection check successful")?)
    }
}
