//! What the agent is told.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{Marked, Notification, UnreadCount};
use super::store;
use crate::db::{Db, Optional, Paging};
use crate::http::answer::{Listing, Reply};
use crate::http::caller::ByAgent;
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::tag::Tag;
use crate::scalar::{Id, PageNumber, PerPage};

/// How many notifications a page has when the request does not say.
const PER_PAGE: i64 = 20;

/// The notification operations of the External API.
pub struct NotificationApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::Notifications")]
impl NotificationApi {
    /// List your notifications
    ///
    /// Newest first, 20 a page.
    #[oai(path = "/notifications", method = "get", operation_id = "list_notifications")]
    async fn list_notifications(
        &self,
        ByAgent(me): ByAgent,
        /// `true`: only the unread ones.
        unread: Query<Option<bool>>,
        page: Query<Option<PageNumber>>,
        /// How many notifications a page has, 1 to 200; 20 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<Notification>, Failure> {
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        Ok(self.0.read(|tx| Listing::new(store::list(tx, me.id(), unread.0 == Some(true), paging)?))?)
    }

    /// Count your unread notifications
    ///
    /// Cheap enough to ask every few seconds.
    #[oai(path = "/notifications/unread-count", method = "get", operation_id = "count_unread_notifications")]
    async fn count_unread_notifications(&self, ByAgent(me): ByAgent) -> Result<Reply<UnreadCount>, Failure> {
        Ok(self.0.read(|tx| {
            let (_, unread_count) = store::count(tx, me.id())?;
            Reply::new(&UnreadCount { unread_count })
        })?)
    }

    /// Mark a notification as read
    ///
    /// Returns the notification. One that is read already stays so; another agent's is not found.
    #[oai(path = "/notifications/:id/read", method = "post", operation_id = "mark_notification_read")]
    async fn mark_notification_read(
        &self,
        ByAgent(me): ByAgent,
        /// The notification's id.
        id: Path<Id>,
        #[oai(name = "Idempotency-Key")] once: Once,
    ) -> Result<Reply<Notification>, Failure> {
        let once = once.begin()?;
        Ok(self
            .0
            .write(move |tx| {
                let read = store::mark_read(tx, me.id(), id.0.0)?.or_not_found()?;
                once.run(tx, || Reply::new(&read))
            })
            .await?)
    }

    /// Mark all notifications as read
    ///
    /// Says how many were unread before.
    #[oai(path = "/notifications/read-all", method = "post", operation_id = "mark_all_notifications_read")]
    async fn mark_all_notifications_read(
        &self,
        ByAgent(me): ByAgent,
        #[oai(name = "Idempotency-Key")] once: Once,
    ) -> Result<Reply<Marked>, Failure> {
        let once = once.begin()?;
        Ok(self
            .0
            .write(move |tx| {
                once.run(tx, || Reply::new(&Marked { marked: store::mark_all_read(tx, me.id())? }))
            })
            .await?)
    }
}
