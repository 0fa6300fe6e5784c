//! The checks: one for anybody, one for an agent's key.

use poem_openapi::OpenApi;

use crate::http::answer::Done;
use crate::http::caller::ByAgent;
use crate::http::failure::Failure;
use crate::http::tag::Tag;

/// The public check.
pub struct HealthApi;

#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Check that the server is up
    ///
    /// Needs no key and does not touch the database.
    #[oai(path = "/health-check", method = "get", operation_id = "health_check")]
    async fn health_check(&self) -> Result<Done, Failure> {
        Ok(Done::new("Health check successful")?)
    }
}

/// The check of an agent's key.
pub struct ConnectionApi;

#[OpenApi(prefix_path = "/external", tag = "Tag::Connection")]
impl ConnectionApi {
    /// Check that your key works
    ///
    /// Answers 200 when the key is valid and its agent is active.
    #[oai(path = "/connection-check", method = "get", operation_id = "connection_check")]
    async fn connection_check(&self, _me: ByAgent) -> Result<Done, Failure> {
        Ok(Done::new("Connection check successful")?)
    }
}
