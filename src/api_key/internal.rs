//! The administrator's API keys.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{ApiKey, ApiKeyPatch, IssuedApiKey, NewApiKey};
use super::rules::Giver;
use super::{rules, store};
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::http::answer::{Created, Done, Listing, Reply};
use crate::http::caller::{Body, ByAdmin};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::resource::{PER_PAGE, location};
use crate::http::tag::Tag;
use crate::scalar::{Id, PageNumber, PerPage};

/// The API keys of the Internal API.
pub struct AdminApiKeyApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminApiKeys")]
impl AdminApiKeyApi {
    /// List API keys
    ///
    /// Newest first, revoked and expired ones included; never a key itself. 15 a page.
    #[oai(path = "/api-keys", method = "get", operation_id = "admin_list_api_keys")]
    async fn list_api_keys(
        &self,
        #[oai(scope = "Scope::ApiKeysList")] _me: ByAdmin,
        page: Query<Option<PageNumber>>,
        /// How many keys a page has, 1 to 200; 15 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<ApiKey>, Failure> {
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        Ok(self.0.read(|tx| Listing::new(store::list(tx, paging)?))?)
    }

    /// Create an API key
    ///
    /// Returns the API key with the text that goes into `X-API-KEY`, under `key`: this once, since only its SHA-256 is kept;
    /// a replayed creation has null there. A key that is not `special` gives neither `special` nor scopes it lacks (403
    /// `forbidden_scope`).
    #[oai(path = "/api-keys", method = "post", operation_id = "admin_create_api_key")]
    async fn create_api_key(
        &self,
        #[oai(scope = "Scope::ApiKeysCreate")] ByAdmin(me): ByAdmin,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<NewApiKey>,
    ) -> Result<Created<IssuedApiKey>, Failure> {
        let once = once.begin()?;
        let job = move |tx: &Tx<'_>| {
            once.run(tx, || {
                let (api_key, key) = rules::create(tx, &Giver::Admin(&me), rules::draft(body.0))?;
                let location = location("/internal/api-keys", api_key.id);
                let kept = IssuedApiKey { api_key, key: None };
                Created::once(&IssuedApiKey { key: Some(key), ..kept.clone() }, &kept, location)
            })
        };
        Ok(self.0.write(job).await?)
    }

    /// Get an API key
    ///
    /// One API key by its id, revoked or not; never the key itself.
    #[oai(path = "/api-keys/:id", method = "get", operation_id = "admin_get_api_key")]
    async fn get_api_key(
        &self,
        #[oai(scope = "Scope::ApiKeysRead")] _me: ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Reply<ApiKey>, Failure> {
        Ok(self.0.read(|tx| Reply::new(&rules::find(tx, id.0.0)?))?)
    }

    /// Update an API key
    ///
    /// Changes the fields that are sent and leaves the others alone; counts from the next request on. A revoked key can no
    /// longer be changed (422). A key that is not `special` gives neither `special` nor scopes it lacks, nor a longer life to
    /// a key that has more than it (403 `forbidden_scope`).
    #[oai(path = "/api-keys/:id", method = "put", operation_id = "admin_update_api_key")]
    async fn update_api_key(
        &self,
        #[oai(scope = "Scope::ApiKeysUpdate")] ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
        body: Body<ApiKeyPatch>,
    ) -> Result<Reply<ApiKey>, Failure> {
        let job = move |tx: &Tx<'_>| Reply::new(&rules::update(tx, &Giver::Admin(&me), id.0.0, body.0)?);
        Ok(self.0.write(job).await?)
    }

    /// Delete an API key
    ///
    /// Revokes it: it opens nothing from the next request on. Its record stays listed and readable. Deleting it again
    /// answers the same and changes nothing.
    #[oai(path = "/api-keys/:id", method = "delete", operation_id = "admin_delete_api_key")]
    async fn delete_api_key(
        &self,
        #[oai(scope = "Scope::ApiKeysDelete")] ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Done, Failure> {
        let job = move |tx: &Tx<'_>| {
            rules::revoke(tx, &me.actor(), id.0.0)?;
            Done::new("Revoked")
        };
        Ok(self.0.write(job).await?)
    }
}
