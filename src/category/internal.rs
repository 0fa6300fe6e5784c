//! The administrator's categories.

use super::model::Category;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for Category {
    const PATH: &'static str = "/internal/categories";
    const TAG: Tag = Tag::AdminCategories;
    const SCOPES: [Scope; 5] = [
        Scope::CategoriesList,
        Scope::CategoriesCreate,
        Scope::CategoriesRead,
        Scope::CategoriesUpdate,
        Scope::CategoriesDelete,
    ];
    const WORDS: Words = Words {
        one: "category",
        many: "categories",
        order: "By `sort_order`, then name, drafts included, whatever their parents.",
        create: "",
        update: "A category is never below itself. A draft stays on the tickets that have it and cannot be newly set.",
        delete: "The tickets that have it lose it, and stay whole. The categories directly below it move to the top.",
    };
}
