//! The conversation under an agent's ticket.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{Like, Message, NewMessage, Order};
use super::{rules, store};
use crate::db::{Db, Paging};
use crate::error::Error;
use crate::http::answer::{Created, Listing, Reply};
use crate::http::caller::{Body, ByAgent};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::tag::Tag;
use crate::scalar::{Id, PageNumber, PerPage};
use crate::ticket;

/// How many messages a page has when the request does not say.
const PER_PAGE: i64 = 30;

/// The message operations of the External API.
pub struct MessageApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::Messages")]
impl MessageApi {
    /// List a ticket's messages
    ///
    /// Oldest first, 30 a page, internal notes included. The ticket's opening text is its `content`, not a message.
    #[oai(path = "/tickets/:id/messages", method = "get", operation_id = "list_messages")]
    async fn list_messages(
        &self,
        ByAgent(me): ByAgent,
        /// The ticket's id.
        id: Path<Id>,
        /// `desc`: newest first.
        order: Query<Option<Order>>,
        page: Query<Option<PageNumber>>,
        /// How many messages a page has, 1 to 200; 30 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<Message>, Failure> {
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        let order = order.0.unwrap_or(Order::Asc);
        Ok(self.0.read(|tx| {
            let customer = ticket::rules::find_customer(tx, &*me, id.0.0)?;
            Listing::new(store::list(tx, (id.0.0, &customer), me.id(), order, paging)?)
        })?)
    }

    /// Reply to a ticket
    ///
    /// Writes a public reply, or with `is_internal` a note. 403 `ticket_locked` on a locked ticket, for notes too. A public
    /// reply moves `last_reply_at`; the status stays as it is, `closed` included. A note tells the other agents on the
    /// ticket, a public reply does not. Use an `Idempotency-Key` to be able to send it again safely.
    #[oai(path = "/tickets/:id/messages", method = "post", operation_id = "create_message")]
    async fn create_message(
        &self,
        ByAgent(me): ByAgent,
        /// The ticket's id.
        id: Path<Id>,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<NewMessage>,
    ) -> Result<Created<Message>, Failure> {
        let once = once.begin()?;
        Ok(self
            .0
            .write(move |tx| {
                let ticket = ticket::rules::find_visible(tx, &*me, id.0.0)?;
                once.run(tx, || Created::new(&rules::reply(tx, &me, &ticket, &body.0)?, None))
            })
            .await?)
    }

    /// Like a message, or take the like back
    ///
    /// Toggles your own like; `count` is everyone's. Likes move no time and tell nobody. A repeat with the same
    /// `Idempotency-Key` toggles only once.
    #[oai(
        path = "/tickets/:ticketId/messages/:messageId/like",
        method = "post",
        operation_id = "toggle_message_like"
    )]
    async fn toggle_message_like(
        &self,
        ByAgent(me): ByAgent,
        /// The ticket's id.
        #[oai(name = "ticketId")]
        ticket_id: Path<Id>,
        /// The message's id. A message of another ticket is not found.
        #[oai(name = "messageId")]
        message_id: Path<Id>,
        #[oai(name = "Idempotency-Key")] once: Once,
    ) -> Result<Reply<Like>, Failure> {
        let once = once.begin()?;
        Ok(self
            .0
            .write(move |tx| {
                let ticket = ticket::rules::find_version(tx, &*me, ticket_id.0.0)?.ticket;
                if !store::is_under(tx, ticket, message_id.0.0)? {
                    return Err(Error::NotFound);
                }
                once.run(tx, || Reply::new(&store::toggle_like(tx, message_id.0.0, me.id())?))
            })
            .await?)
    }
}
