//! The administrator's settings.

use std::sync::Arc;

use poem_openapi::OpenApi;

use super::model::{Settings, SettingsPatch};
use super::{rules, store};
use crate::auth::scope::Scope;
use crate::db::Db;
use crate::http::answer::Reply;
use crate::http::caller::{Body, ByAdmin};
use crate::http::failure::Failure;
use crate::http::tag::Tag;

/// The settings of the Internal API.
pub struct AdminSettingsApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminSettings")]
impl AdminSettingsApi {
    /// Get the settings
    ///
    /// How the desk works. There is one set of settings; a new desk has the defaults.
    #[oai(path = "/settings", method = "get", operation_id = "admin_get_settings")]
    async fn get_settings(
        &self,
        #[oai(scope = "Scope::SettingsRead")] _me: ByAdmin,
    ) -> Result<Reply<Settings>, Failure> {
        Ok(self.0.read(|tx| Reply::new(&store::find(tx)?))?)
    }

    /// Update the settings
    ///
    /// Changes the fields that are sent and leaves the others alone; `{}` changes nothing. Counts from the next request on.
    /// Returns the settings.
    #[oai(path = "/settings", method = "put", operation_id = "admin_update_settings")]
    async fn update_settings(
        &self,
        #[oai(scope = "Scope::SettingsUpdate")] ByAdmin(me): ByAdmin,
        body: Body<SettingsPatch>,
    ) -> Result<Reply<Settings>, Failure> {
        Ok(self.0.write(move |tx| Reply::new(&rules::update(tx, &me.actor(), body.0)?)).await?)
    }
}
