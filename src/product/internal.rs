//! The administrator's products.

use super::model::Product;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for Product {
    const PATH: &'static str = "/internal/products";
    const TAG: Tag = Tag::AdminProducts;
    const SCOPES: [Scope; 5] = [
        Scope::ProductsList,
        Scope::ProductsCreate,
        Scope::ProductsRead,
        Scope::ProductsUpdate,
        Scope::ProductsDelete,
    ];
    const WORDS: Words = Words {
        one: "product",
        many: "products",
        order: "By name, drafts included.",
        create: "",
        update: "A draft stays on the tickets that are about it and cannot be newly set.",
        delete: "The tickets about it are about no product from then on, and stay whole.",
    };
}
