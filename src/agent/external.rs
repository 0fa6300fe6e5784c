//! The agent's own profile.

use std::sync::Arc;

use poem_openapi::OpenApi;

use super::model::{Profile, ProfilePatch};
use super::{rules, store};
use crate::db::{Db, Optional};
use crate::http::answer::Reply;
use crate::http::caller::{Body, ByAgent};
use crate::http::failure::Failure;
use crate::http::tag::Tag;

/// The profile operations of the External API.
pub struct ProfileApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::Profile")]
impl ProfileApi {
    /// Get your profile
    ///
    /// The agent that the key speaks for.
    #[oai(path = "/profile", method = "get", operation_id = "get_profile")]
    async fn get_profile(&self, ByAgent(me): ByAgent) -> Result<Reply<Profile>, Failure> {
        Ok(self.0.read(|tx| Reply::new(&store::find_profile(tx, me.id())?.or_not_found()?))?)
    }

    /// Update your profile
    ///
    /// Changes the fields that are sent and leaves the others alone; `{}` changes nothing. Returns the profile.
    #[oai(path = "/profile", method = "put", operation_id = "update_profile")]
    async fn update_profile(
        &self,
        ByAgent(me): ByAgent,
        body: Body<ProfilePatch>,
    ) -> Result<Reply<Profile>, Failure> {
        Ok(self.0.write(move |tx| Reply::new(&rules::update_profile(tx, &me, &body.0)?)).await?)
    }
}
