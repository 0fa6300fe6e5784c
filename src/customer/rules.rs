//! What a customer is made of.

use super::model::{Customer, CustomerPatch, NewCustomer};
use super::store;
use crate::db::Tx;
use crate::error::{Check, Result};
use crate::noun::{Noun, set, set_or_clear};
use crate::time::Timestamp;

impl Noun for Customer {
    const NAME: &'static str = "customer";
    type New = NewCustomer;
    type Patch = CustomerPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn draft(new: NewCustomer) -> Self {
        let mut draft = Self {
            id: 0,
            name: new.name.0,
            email: new.email.0,
            phone: None,
            envato_username: None,
            is_blocked: new.is_blocked.unwrap_or(false),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        set_or_clear(&mut draft.phone, new.phone);
        set_or_clear(&mut draft.envato_username, new.envato_username);
        draft
    }

    fn apply(&mut self, patch: CustomerPatch) {
        set(&mut self.name, patch.name);
        set(&mut self.email, patch.email);
        set_or_clear(&mut self.phone, patch.phone);
        set_or_clear(&mut self.envato_username, patch.envato_username);
        set(&mut self.is_blocked, patch.is_blocked);
    }

    fn check(&mut self, tx: &Tx<'_>, wrong: &mut Check) -> Result<()> {
        if store::find_by_email(tx, &self.email)?.is_some_and(|id| id != self.id) {
            wrong.add("email", "is taken already");
        }
        Ok(())
    }
}
