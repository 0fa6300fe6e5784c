//! What a product is made of.

use super::model::{NewProduct, Product, ProductPatch};
use super::store;
use crate::db::Tx;
use crate::error::{Check, Result};
use crate::noun::{Noun, set, set_or_clear};
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

impl Noun for Product {
    const NAME: &'static str = "product";
    type New = NewProduct;
    type Patch = ProductPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn draft(new: NewProduct) -> Self {
        Self {
            id: 0,
            name: new.name.0,
            envato_id: new.envato_id.map(String::from),
            description: new.description.map(String::from),
            price: new.price.map(|sent| sent.0),
            status: new.status.unwrap_or(PublicationStatus::Published),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: ProductPatch) {
        set(&mut self.name, patch.name);
        set_or_clear(&mut self.envato_id, patch.envato_id);
        set_or_clear(&mut self.description, patch.description);
        set_or_clear(&mut self.price, patch.price);
        set(&mut self.status, patch.status);
    }

    fn check(&mut self, tx: &Tx<'_>, wrong: &mut Check) -> Result<()> {
        if let Some(envato_id) = &self.envato_id
            && store::is_envato_id_taken(tx, envato_id, self.id)?
        {
            wrong.add("envato_id", "is taken already");
        }
        Ok(())
    }
}
