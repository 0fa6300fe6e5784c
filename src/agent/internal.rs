//! The administrator's agents.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{Agent, AgentPatch, Filter, NewAgent};
use super::{rules, store};
use crate::auth::password;
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::http::answer::{Created, Done, Listing, Reply};
use crate::http::caller::{Body, ByAdmin};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::resource::{PER_PAGE, location};
use crate::http::tag::Tag;
use crate::scalar::{Id, PageNumber, PerPage};

/// The agents of the Internal API.
pub struct AdminAgentApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminAgents")]
impl AdminAgentApi {
    /// List agents
    ///
    /// By name. 15 a page.
    #[oai(path = "/agents", method = "get", operation_id = "admin_list_agents")]
    async fn list_agents(
        &self,
        #[oai(scope = "Scope::AgentsList")] _me: ByAdmin,
        /// Only agents who work in this department. An id that does not exist gives an empty list.
        department_id: Query<Option<Id>>,
        /// Only agents who are active (`true`) or who are not (`false`).
        is_active: Query<Option<bool>>,
        page: Query<Option<PageNumber>>,
        /// How many agents a page has, 1 to 200; 15 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<Agent>, Failure> {
        let filter = Filter { department_id: department_id.0.map(i64::from), is_active: is_active.0 };
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        Ok(self.0.read(|tx| Listing::new(store::list(tx, &filter, paging)?))?)
    }

    /// Create an agent
    ///
    /// Returns the agent, never the password. Nothing signs in with the password yet: it waits for the console. Until then
    /// an agent works through an external API key. A repeat under the same `Idempotency-Key` is told by everything but the
    /// password.
    #[oai(path = "/agents", method = "post", operation_id = "admin_create_agent")]
    async fn create_agent(
        &self,
        #[oai(scope = "Scope::AgentsCreate")] ByAdmin(me): ByAdmin,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<NewAgent>,
    ) -> Result<Created<Agent>, Failure> {
        let once = once.begin()?;
        let hash = password::hash(body.0.password.0.clone()).await?;
        let job = move |tx: &Tx<'_>| {
            once.run(tx, || {
                let created = rules::create(tx, &me.actor(), rules::draft(body.0), Some(&hash))?;
                Created::new(&created, location("/internal/agents", created.id))
            })
        };
        Ok(self.0.write(job).await?)
    }

    /// Get an agent
    ///
    /// One agent by its id. A deleted one is not found.
    #[oai(path = "/agents/:id", method = "get", operation_id = "admin_get_agent")]
    async fn get_agent(
        &self,
        #[oai(scope = "Scope::AgentsRead")] _me: ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Reply<Agent>, Failure> {
        Ok(self.0.read(|tx| Reply::new(&rules::find(tx, id.0.0)?))?)
    }

    /// Update an agent
    ///
    /// Changes the fields that are sent and leaves the others alone. The keys of an agent who is no longer active open
    /// nothing from the next request on; the agent stays on its tickets. Nothing signs in with the password yet.
    #[oai(path = "/agents/:id", method = "put", operation_id = "admin_update_agent")]
    async fn update_agent(
        &self,
        #[oai(scope = "Scope::AgentsUpdate")] ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
        body: Body<AgentPatch>,
    ) -> Result<Reply<Agent>, Failure> {
        let hash = match &body.0.password {
            Some(password) => Some(password::hash(password.0.clone()).await?),
            None => None,
        };
        let job =
            move |tx: &Tx<'_>| Reply::new(&rules::update(tx, &me.actor(), id.0.0, body.0, hash.as_deref())?);
        Ok(self.0.write(job).await?)
    }

    /// Delete an agent
    ///
    /// The agent leaves all tickets (one it led has no lead then) and departments, its keys answer `agent_inactive`, and its
    /// e-mail address is free again. Its messages still show its id and name, and its likes stay.
    #[oai(path = "/agents/:id", method = "delete", operation_id = "admin_delete_agent")]
    async fn delete_agent(
        &self,
        #[oai(scope = "Scope::AgentsDelete")] ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Done, Failure> {
        let job = move |tx: &Tx<'_>| {
            rules::delete(tx, &me.actor(), id.0.0)?;
            Done::new("Deleted")
        };
        Ok(self.0.write(job).await?)
    }
}
