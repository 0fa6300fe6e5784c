//! The activity log for administrators.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::model::{ActivityLog, Filter};
use super::rules;
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::http::answer::Listing;
use crate::http::caller::ByAdmin;
use crate::http::failure::Failure;
use crate::http::resource::PER_PAGE;
use crate::http::tag::Tag;
use crate::scalar::{Id, Moment, PageNumber, PerPage};

/// The activity log of the Internal API.
pub struct AdminActivityApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminActivity")]
impl AdminActivityApi {
    /// List activity logs
    ///
    /// Every change through either API or the command line, newest first: who changed what, when, from where. No likes, no
    /// reads, no requests that changed nothing, no text of tickets or messages. Entries are never changed and outlive what
    /// they tell of. 15 a page.
    #[oai(path = "/activity-logs", method = "get", operation_id = "admin_list_activity_logs")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn list_activity_logs(
        &self,
        #[oai(scope = "Scope::ActivityLogsList")] _me: ByAdmin,
        /// Only what belongs to this ticket, deleted or not. An id that never existed gives an empty list.
        ticket_id: Query<Option<Id>>,
        /// Only what this agent did, deleted or not. An id that never existed gives an empty list.
        agent_id: Query<Option<Id>>,
        /// Only what happened then or later: an RFC 3339 date-time, or a date for the whole day in the desk's time zone.
        from: Query<Option<Moment>>,
        /// Only what happened then or before: an RFC 3339 date-time, that second included, or a date for the whole day in the
        /// desk's time zone. Not before `from`.
        to: Query<Option<Moment>>,
        page: Query<Option<PageNumber>>,
        /// How many entries a page has, 1 to 200; 15 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<ActivityLog>, Failure> {
        let filter = Filter {
            ticket_id: ticket_id.0.map(i64::from),
            agent_id: agent_id.0.map(i64::from),
            from: from.0,
            to: to.0,
        };
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        let filters = !filter.is_empty();
        let list = move |tx: &Tx<'_>| Listing::new(rules::list(tx, &filter, paging)?);
        // Whatever a filter shows has to be counted; all there are is known.
        Ok(if filters { self.0.search(list).await? } else { self.0.read(list)? })
    }
}
