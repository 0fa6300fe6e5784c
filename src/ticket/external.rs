//! The agent's tickets.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{Dashboard, Filter, Priority, Status, Ticket, TicketPatch, TicketSort};
use super::rules::{self, Doer};
use super::{Condition, IfMatch, IfNoneMatch, Visibility, store};
use crate::db::{Db, Paging, Tx};
use crate::error::Result;
use crate::http::answer::{Listing, Reply};
use crate::http::caller::{Body, ByAgent};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::tag::Tag;
use crate::scalar::{Id, PageNumber, PerPage, SearchText};
use crate::{setting, text};

/// Answers with a ticket that is seen, or with 304 if the client has this version of it.
pub(super) fn show(tx: &Tx<'_>, visible: &Visibility, id: i64, seen: &Condition) -> Result<Reply<Ticket>> {
    if !seen.is_absent() {
        let etag = rules::find_version(tx, visible.clone(), id)?.etag();
        if seen.has(&etag) {
            return Ok(Reply::unchanged(etag));
        }
    }
    let shown = rules::find(tx, visible.clone(), id)?;
    Reply::tagged(&shown.ticket, shown.version.etag())
}

/// The ticket operations of the External API.
pub struct TicketApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::Tickets")]
impl TicketApi {
    /// Get your dashboard
    ///
    /// Counts over the tickets you see, each once. Today is since midnight in the desk's time zone.
    #[oai(path = "/dashboard", method = "get", operation_id = "get_dashboard", tag = "Tag::Dashboard")]
    async fn get_dashboard(&self, ByAgent(me): ByAgent) -> Result<Reply<Dashboard>, Failure> {
        Ok(self.0.read(|tx| {
            let midnight = tx.now.midnight(&setting::store::zone(tx)?);
            Reply::new(&store::dashboard(tx, &Visibility::from(&*me), midnight)?)
        })?)
    }

    /// List your tickets
    ///
    /// The tickets you see, newest first, each whole. You see a ticket when you are on it; with the setting
    /// `department_visibility` also every ticket of your departments.
    #[oai(path = "/tickets", method = "get", operation_id = "list_tickets")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn list_tickets(
        &self,
        ByAgent(me): ByAgent,
        /// Only tickets with this status.
        status: Query<Option<Status>>,
        /// Only tickets with this priority.
        priority: Query<Option<Priority>>,
        /// Only tickets of this department. An id that does not exist gives an empty list.
        department_id: Query<Option<Id>>,
        /// Only tickets that have every one of these words in title, opening text, reference, customer's name or e-mail
        /// address (not messages). 2 to 200 characters after trimming, at most ten words; each may be part of a longer word,
        /// case and diacritics do not matter, and no character is an operator. The list keeps its order.
        q: Query<Option<SearchText>>,
        /// What to sort by; a leading `-` turns the order round. `-created_at` when absent. Equal tickets: newest id first.
        sort: Query<Option<TicketSort>>,
        page: Query<Option<PageNumber>>,
        /// How many tickets a page has, 1 to 200; the setting `tickets_per_page` (15 at first) when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<Ticket>, Failure> {
        let filter = Filter {
            status: status.0,
            priority: priority.0,
            department_id: department_id.0.map(|id| id.0),
            words: q.0.map(|q| text::words(&q.0)),
            sort: sort.0,
            ..Filter::default()
        };
        let is_quick = filter.is_quick();
        let list = move |tx: &Tx<'_>| {
            let paging = Paging::new(page.0, per_page.0, me.tickets_per_page());
            Listing::new(store::list(tx, &Visibility::from(&*me), &filter, paging)?)
        };
        Ok(if is_quick { self.0.read(list)? } else { self.0.search(list).await? })
    }

    /// Get a ticket
    ///
    /// Carries a strong `ETag` that changes whenever the answer can; send it back in `If-None-Match` to poll cheaply.
    #[oai(path = "/tickets/:id", method = "get", operation_id = "get_ticket")]
    async fn get_ticket(
        &self,
        ByAgent(me): ByAgent,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "If-None-Match")] seen: IfNoneMatch,
    ) -> Result<Reply<Ticket>, Failure> {
        Ok(self.0.read(|tx| show(tx, &Visibility::from(&*me), id.0.0, &seen.0))?)
    }

    /// Update a ticket
    ///
    /// Changes status, priority and labels; works on locked tickets. Fields that are absent stay as they are, `{}` changes
    /// nothing. Entering `closed` sets `closed_at` and `is_resolved`, leaving it clears both, and `closed` on a closed ticket
    /// changes nothing. Everybody else on the ticket is told of a new status. Send the `ETag` you saw in `If-Match` to be
    /// refused (412) when the ticket itself has changed since. Returns the ticket.
    #[oai(path = "/tickets/:id", method = "put", operation_id = "update_ticket")]
    async fn update_ticket(
        &self,
        ByAgent(me): ByAgent,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "If-Match")] seen: IfMatch,
        body: Body<TicketPatch>,
    ) -> Result<Reply<Ticket>, Failure> {
        let id = id.0.0;
        Ok(self
            .0
            .write(move |tx| {
                let ticket = rules::find_visible(tx, &*me, id)?;
                rules::update(tx, &Doer::from(&*me), &ticket, &body.0.into(), &seen.0)?;
                let shown = rules::find(tx, &*me, id)?;
                Reply::tagged(&shown.ticket, shown.version.etag())
            })
            .await?)
    }

    /// Close a ticket
    ///
    /// Returns the ticket. Closing a closed ticket answers the same and changes nothing.
    #[oai(path = "/tickets/:id/close", method = "post", operation_id = "close_ticket")]
    async fn close_ticket(
        &self,
        ByAgent(me): ByAgent,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "Idempotency-Key")] once: Once,
    ) -> Result<Reply<Ticket>, Failure> {
        let once = once.begin()?;
        let id = id.0.0;
        Ok(self
            .0
            .write(move |tx| {
                let ticket = rules::find_visible(tx, &*me, id)?;
                once.run(tx, || {
                    rules::close(tx, &Doer::from(&*me), &ticket)?;
                    Reply::new(&store::find(tx, id)?.ticket)
                })
            })
            .await?)
    }
}
