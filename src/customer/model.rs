//! What a customer is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Email, Name, Text};
use crate::time::Timestamp;

/// A customer.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Customer {
    /// The customer's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The customer's name.
    pub name: String,
    /// The customer's e-mail address.
    pub email: String,
    /// A telephone number.
    pub phone: Option<String>,
    /// The customer's name at Envato.
    pub envato_username: Option<String>,
    /// Whether the customer neither opens tickets nor replies.
    pub is_blocked: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A customer to be created.
#[derive(Debug, Object)]
pub struct NewCustomer {
    /// The customer's name, 1 to 250 characters.
    pub name: Name,
    /// The customer's e-mail address, unique among customers, case ignored; at most 254 characters.
    pub email: Email,
    /// A telephone number, at most 50 characters.
    #[oai(nullable)]
    pub phone: MaybeUndefined<Text<0, 50>>,
    /// The customer's name at Envato, at most 250 characters.
    #[oai(nullable)]
    pub envato_username: MaybeUndefined<Text<0, 250>>,
    /// Whether the customer neither opens tickets nor replies; false when absent.
    pub is_blocked: Option<bool>,
}

/// What is to change about a customer. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct CustomerPatch {
    /// A new name, 1 to 250 characters.
    pub name: Option<Name>,
    /// A new e-mail address, unique among customers, case ignored; at most 254 characters.
    pub email: Option<Email>,
    /// A new telephone number, at most 50 characters; null clears it.
    #[oai(nullable)]
    pub phone: MaybeUndefined<Text<0, 50>>,
    /// A new name at Envato, at most 250 characters; null clears it.
    #[oai(nullable)]
    pub envato_username: MaybeUndefined<Text<0, 250>>,
    /// Whether the customer neither opens tickets nor replies.
    pub is_blocked: Option<bool>,
}
