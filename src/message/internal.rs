//! The administrator's conversations, and the customers' way in.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{AdminNewMessage, Message, Order};
use super::{rules, store};
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::error::Error;
use crate::http::answer::{Created, Listing};
use crate::http::caller::{Body, ByAdmin};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::resource::PER_PAGE;
use crate::http::tag::Tag;
use crate::scalar::{Id, PageNumber, PerPage};
use crate::ticket;

/// The message operations of the Internal API.
pub struct AdminMessageApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminMessages")]
impl AdminMessageApi {
    /// List a ticket's messages
    ///
    /// Oldest first, 15 a page, internal notes included. The ticket's opening text is its `content`, not a message. `liked`
    /// is always false: likes are the agents'.
    #[oai(path = "/tickets/:id/messages", method = "get", operation_id = "admin_list_messages")]
    async fn list_messages(
        &self,
        #[oai(scope = "Scope::MessagesList")] ByAdmin(me): ByAdmin,
        /// The ticket's id.
        id: Path<Id>,
        /// `desc`: newest first.
        order: Query<Option<Order>>,
        page: Query<Option<PageNumber>>,
        /// How many messages a page has, 1 to 200; 15 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<Message>, Failure> {
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        let order = order.0.unwrap_or(Order::Asc);
        Ok(self.0.read(|tx| {
            let customer = ticket::rules::find_customer(tx, &*me, id.0.0)?;
            Listing::new(store::list(tx, (id.0.0, &customer), 0, order, paging)?)
        })?)
    }

    /// Write a message
    ///
    /// Without `customer_id` the sender is your key (`user`), and the message a public reply or with `is_internal` a note; it
    /// may be written on locked tickets too. With `customer_id` it is what the ticket's customer says: it opens a closed ticket
    /// again and tells everyone on the ticket. That must be this ticket's customer (422), not blocked (403
    /// `customer_blocked`), the ticket not locked (403 `ticket_locked`), and the message no note (422).
    #[oai(path = "/tickets/:id/messages", method = "post", operation_id = "admin_create_message")]
    async fn create_message(
        &self,
        #[oai(scope = "Scope::MessagesCreate")] ByAdmin(me): ByAdmin,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<AdminNewMessage>,
    ) -> Result<Created<Message>, Failure> {
        let once = once.begin()?;
        if body.0.customer_id.is_some() && body.0.is_internal == Some(true) {
            return Err(Error::field("is_internal", "must be false for a customer's message").into());
        }
        let job = move |tx: &Tx<'_>| {
            let ticket = ticket::rules::find_visible(tx, &*me, id.0.0)?;
            once.run(tx, || Created::new(&rules::post(tx, &me, &ticket, &body.0)?, None))
        };
        Ok(self.0.write(job).await?)
    }
}
