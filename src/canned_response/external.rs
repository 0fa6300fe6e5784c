//! The canned responses an agent can use.

use super::model::CannedResponseItem;
use super::store;
use crate::db::Tx;
use crate::error::Result;
use crate::http::resource::Lookup;
use crate::http::tag::Tag;
use crate::written::Written;

impl Lookup for CannedResponseItem {
    const PATH: &'static str = "/external/canned-responses";
    const TAG: Tag = Tag::CannedResponses;
    const OPERATION: (&'static str, &'static str, &'static str) = (
        "list_canned_responses",
        "List canned responses",
        "All active ones, by `sort_order`, then title. Not paginated.",
    );

    fn list(tx: &Tx<'_>) -> Result<Written<Vec<Self>>> {
        store::list_active(tx)
    }
}
