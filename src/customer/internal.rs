//! The administrator's customers.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::model::{Customer, CustomerPatch, NewCustomer};
use super::store;
use crate::auth::scope::Scope;
use crate::db::{Db, Paging, Tx};
use crate::http::answer::{Created, Listing, Reply};
use crate::http::caller::{Body, ByAdmin};
use crate::http::failure::Failure;
use crate::http::once::Once;
use crate::http::resource::{PER_PAGE, location};
use crate::http::tag::Tag;
use crate::noun::{self, Stored};
use crate::scalar::{Id, PageNumber, PerPage, SearchText};
use crate::text;

/// The customers of the Internal API.
pub struct AdminCustomerApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal", tag = "Tag::AdminCustomers")]
impl AdminCustomerApi {
    /// List customers
    ///
    /// By name. 15 a page.
    #[oai(path = "/customers", method = "get", operation_id = "admin_list_customers")]
    async fn list_customers(
        &self,
        #[oai(scope = "Scope::CustomersList")] _me: ByAdmin,
        /// Only customers that have every one of these words in name or e-mail address. 2 to 200 characters after trimming,
        /// at most ten words; each may be part of a longer word, case and diacritics do not matter, and no character is an
        /// operator.
        q: Query<Option<SearchText>>,
        page: Query<Option<PageNumber>>,
        /// How many customers a page has, 1 to 200; 15 when absent.
        per_page: Query<Option<PerPage>>,
    ) -> Result<Listing<Customer>, Failure> {
        let paging = Paging::new(page.0, per_page.0, PER_PAGE);
        let words = q.0.map(|q| text::words(&q.0));
        let list = move |tx: &Tx<'_>| match words {
            Some(words) => Listing::new(store::search(tx, &words, paging)?),
            None => Listing::new(Customer::list(tx, paging)?),
        };
        // Even the plain list counts all of them, and a desk may have very many.
        Ok(self.0.search(list).await?)
    }

    /// Create a customer
    ///
    /// Returns the customer.
    #[oai(path = "/customers", method = "post", operation_id = "admin_create_customer")]
    async fn create_customer(
        &self,
        #[oai(scope = "Scope::CustomersCreate")] ByAdmin(me): ByAdmin,
        #[oai(name = "Idempotency-Key")] once: Once,
        body: Body<NewCustomer>,
    ) -> Result<Created<Customer>, Failure> {
        let once = once.begin()?;
        let job = move |tx: &Tx<'_>| {
            once.run(tx, || {
                let created: Customer = noun::create(tx, &me.actor(), body.0)?;
                Created::new(&created, location("/internal/customers", created.id))
            })
        };
        Ok(self.0.write(job).await?)
    }

    /// Get a customer
    ///
    /// One customer by its id.
    #[oai(path = "/customers/:id", method = "get", operation_id = "admin_get_customer")]
    async fn get_customer(
        &self,
        #[oai(scope = "Scope::CustomersRead")] _me: ByAdmin,
        /// Its id.
        id: Path<Id>,
    ) -> Result<Reply<Customer>, Failure> {
        Ok(self.0.read(|tx| Reply::new(&noun::find::<Customer>(tx, id.0.0)?))?)
    }

    /// Update a customer
    ///
    /// Changes the fields that are sent and leaves the others alone. A blocked customer neither opens tickets nor replies;
    /// the tickets that are there stay. Customers are never deleted: their tickets are theirs.
    #[oai(path = "/customers/:id", method = "put", operation_id = "admin_update_customer")]
    async fn update_customer(
        &self,
        #[oai(scope = "Scope::CustomersUpdate")] ByAdmin(me): ByAdmin,
        /// Its id.
        id: Path<Id>,
        body: Body<CustomerPatch>,
    ) -> Result<Reply<Customer>, Failure> {
        let job = move |tx: &Tx<'_>| Reply::new(&noun::update::<Customer>(tx, &me.actor(), id.0.0, body.0)?);
        Ok(self.0.write(job).await?)
    }
}
