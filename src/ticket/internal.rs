//! The administrator's tickets: every one of the desk.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::external::show;
use super::model::{AdminTicketPatch, Filter, NewTicket, Priority, Status, Ticket, TicketSort};
use super::rules::{self, Doer};
use super::{IfMatch, IfNoneMatch, Visibility, opening, store};
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::http::answer::{Created, Done, Listing, Reply};
use crate::http::caller::{Body, ByAdmin};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::resource::location;
use crate::http::tag::{BASE, Tag};
use crate::scalar::{Id, PageNumber, PerPage, SearchText};
use crate::{idempotency, text};

/// The ticket operations of the Internal API.
pub struct AdminTicketApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminTickets")]
impl AdminTicketApi {
    /// List tickets
    ///
    /// Every ticket of the desk, newest first, each whole.
    #[oai(path = "/tickets", method = "get", operation_id = "admin_list_tickets")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn list_tickets(
        &self,
        #[oai(scope = "Scope::TicketsList")] ByAdmin(me): ByAdmin,
        /// Only tickets with this status.
        status: Query<Option<Status>>,
        /// Only tickets with this priority.
        priority: Query<Option<Priority>>,
        /// Only tickets of this department. An id that does not exist gives an empty list, here and below.
        department_id: Query<Option<Id>>,
        /// Only tickets of this customer.
        customer_id: Query<Option<Id>>,
        /// Only tickets that this agent leads.
        assigned_to: Query<Option<Id>>,
        /// `true`: only tickets that nobody leads.
        unassigned: Query<Option<bool>>,
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
            customer_id: customer_id.0.map(|id| id.0),
            assigned_to: assigned_to.0.map(|id| id.0),
            is_unassigned: unassigned.0 == Some(true),
            words: q.0.map(|q| text::words(&q.0)),
            sort: sort.0,
        };
        let is_quick = filter.is_quick();
        let list = move |tx: &Tx<'_>| {
            let paging = Paging::new(page.0, per_page.0, me.tickets_per_page());
            Listing::new(store::list(tx, &Visibility::from(&*me), &filter, paging)?)
        };
        Ok(if is_quick { self.0.read(list)? } else { self.0.search(list).await? })
    }

    /// Create a ticket
    ///
    /// Opens a ticket for a customer. 403 `customer_blocked` for a blocked customer, 429 `customer_ticket_limit` for one who
    /// has opened as many tickets today as the setting `customer_max_tickets_per_day` allows. Without `assigned_to`, the
    /// setting `auto_assign` gives it to the active agent of its department who leads the fewest tickets that are not closed.
    /// The lead is told. Returns the ticket.
    #[oai(path = "/tickets", method = "post", operation_id = "admin_create_ticket")]
    async fn create_ticket(
        &self,
        #[oai(scope = "Scope::TicketsCreate")] ByAdmin(me): ByAdmin,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<NewTicket>,
    ) -> Result<Created<Ticket>, Failure> {
        let once = once.begin()?;
        let job = move |tx: &Tx<'_>| {
            once.run(tx, || {
                let id = opening::create(tx, &me, &body.0)?;
                Created::new(&store::find(tx, id)?.ticket, location("/internal/tickets", id))
            })
        };
        Ok(self.0.write(job).await?)
    }

    /// Get a ticket
    ///
    /// Carries a strong `ETag` that changes whenever the answer can; send it back in `If-None-Match` to poll cheaply.
    #[oai(path = "/tickets/:id", method = "get", operation_id = "admin_get_ticket")]
    async fn get_ticket(
        &self,
        #[oai(scope = "Scope::TicketsRead")] ByAdmin(me): ByAdmin,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "If-None-Match")] seen: IfNoneMatch,
    ) -> Result<Reply<Ticket>, Failure> {
        Ok(self.0.read(|tx| show(tx, &Visibility::from(&*me), id.0.0, &seen.0))?)
    }

    /// Update a ticket
    ///
    /// Changes the fields that are sent and leaves the others alone; `{}` changes nothing. Works on locked tickets. Agents newly
    /// put on the ticket are told, and everybody on it of a new status; whoever is taken off loses the notifications about it.
    /// Send the `ETag` you saw in `If-Match` to be refused (412) when the ticket itself has changed since. Returns the ticket.
    #[oai(path = "/tickets/:id", method = "put", operation_id = "admin_update_ticket")]
    async fn update_ticket(
        &self,
        #[oai(scope = "Scope::TicketsUpdate")] ByAdmin(me): ByAdmin,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "If-Match")] seen: IfMatch,
        body: Body<AdminTicketPatch>,
    ) -> Result<Reply<Ticket>, Failure> {
        let id = id.0.0;
        let job = move |tx: &Tx<'_>| {
            let ticket = rules::find_visible(tx, &*me, id)?;
            rules::update(tx, &Doer::from(&*me), &ticket, &body.0, &seen.0)?;
            let shown = rules::find(tx, &*me, id)?;
            Reply::tagged(&shown.ticket, shown.version.etag())
        };
        Ok(self.0.write(job).await?)
    }

    /// Delete a ticket
    ///
    /// Takes its messages, likes and notifications along, and the remembered answers to requests about it. Its reference is
    /// never used again; the activity log keeps what happened to it.
    #[oai(path = "/tickets/:id", method = "delete", operation_id = "admin_delete_ticket")]
    async fn delete_ticket(
        &self,
        #[oai(scope = "Scope::TicketsDelete")] ByAdmin(me): ByAdmin,
        /// The ticket's id.
        id: Path<Id>,
    ) -> Result<Done, Failure> {
        let job = move |tx: &Tx<'_>| {
            let ticket = rules::find_visible(tx, &*me, id.0.0)?;
            idempotency::store::forget_told(tx, &format!("{BASE}/external/notifications"), ticket.id)?;
            rules::delete(tx, &me, &ticket)?;
            for group in ["external", "internal"] {
                idempotency::store::forget(tx, &format!("{BASE}/{group}/tickets/{}", ticket.id))?;
            }
            Done::new("Deleted")
        };
        Ok(self.0.write(job).await?)
    }
}
