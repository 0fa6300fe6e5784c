//! The departments an agent can filter tickets by.

use super::model::DepartmentReference;
use super::store;
use crate::db::Tx;
use crate::error::Result;
use crate::http::resource::Lookup;
use crate::http::tag::Tag;
use crate::written::Written;

impl Lookup for DepartmentReference {
    const PATH: &'static str = "/external/departments";
    const TAG: Tag = Tag::Lookups;
    const OPERATION: (&'static str, &'static str, &'static str) = (
        "list_departments",
        "List departments",
        "The departments that `GET /tickets` can filter by: published ones, by `sort_order`, then name. Not paginated.",
    );

    fn list(tx: &Tx<'_>) -> Result<Written<Vec<Self>>> {
        store::list_published(tx)
    }
}
