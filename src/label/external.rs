//! The labels an agent can put on tickets.

use super::model::LabelReference;
use super::store;
use crate::db::Tx;
use crate::error::Result;
use crate::http::resource::Lookup;
use crate::http::tag::Tag;
use crate::written::Written;

impl Lookup for LabelReference {
    const PATH: &'static str = "/external/labels";
    const TAG: Tag = Tag::Lookups;
    const OPERATION: (&'static str, &'static str, &'static str) = (
        "list_labels",
        "List labels",
        "The labels that `PUT /tickets/{id}` takes: published ones, by `sort_order`, then name. Not paginated.",
    );

    fn list(tx: &Tx<'_>) -> Result<Written<Vec<Self>>> {
        store::list_published(tx)
    }
}
