//! What a product is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use super::price::{Price, SentPrice};
use crate::scalar::{Description, Name, PublicationStatus, Text};
use crate::time::Timestamp;

/// A product.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Product {
    /// The product's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The product's name.
    pub name: String,
    /// Its id at Envato; unique.
    pub envato_id: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// What it costs, with two decimals; in the desk's own currency.
    pub price: Option<Price>,
    /// Whether tickets can be about it. Those about a draft stay so.
    pub status: PublicationStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A product to be created.
#[derive(Debug, Object)]
pub struct NewProduct {
    /// The product's name.
    pub name: Name,
    /// Its id at Envato; no two have the same, to the letter.
    #[oai(nullable)]
    pub envato_id: Option<Text<1, 100>>,
    /// What it is.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// What it costs: 0 to 9999999.99 with at most two decimals, as a string or as a number without an exponent. Kept to
    /// the cent.
    #[oai(nullable)]
    pub price: Option<SentPrice>,
    /// Whether tickets can be about it; `published` when absent.
    pub status: Option<PublicationStatus>,
}

/// What is to change about a product. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct ProductPatch {
    /// A new name.
    pub name: Option<Name>,
    /// A new id at Envato; null clears it.
    #[oai(nullable)]
    pub envato_id: MaybeUndefined<Text<1, 100>>,
    /// What it is now; null clears it.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
    /// What it costs now: 0 to 9999999.99 with at most two decimals, as a string or as a number without an exponent; null
    /// clears it.
    #[oai(nullable)]
    pub price: MaybeUndefined<SentPrice>,
    /// Whether tickets can be about it.
    pub status: Option<PublicationStatus>,
}
