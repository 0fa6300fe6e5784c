//! Lodge: a help desk in one file. This page is the map of the house.
//!
//! - [`app`] lists every API and mounts it; [`http`] is everything between the socket and a handler; [`auth`] says who calls.
//! - One folder a noun: [`ticket`], [`message`], [`customer`], [`agent`], [`department`], [`category`], [`product`],
//!   [`label`], [`custom_field`], [`canned_response`], [`knowledge`], [`notification`], [`report`], [`activity`],
//!   [`setting`], [`api_key`], [`idempotency`]. In each, `model.rs` is what it is (at once Rust type, JSON and OpenAPI
//!   schema), `store.rs` every SQL statement about it, `rules.rs` what is allowed and what follows, `external.rs` the
//!   agent's operations on it, `internal.rs` the administrator's. What the plain ones share is in [`noun`].
//! - [`db`] is the one file: many readers, one writer. [`upkeep`] is what happens by itself, without a request,
//!   [`backups`] among it.
//!   [`seed`] is the sample data. [`cli`] is the command line.
//!
//! `ARCHITECTURE.md` says who may call whom, and why.

pub mod activity;
pub mod agent;
pub mod api_key;
pub mod app;
pub mod auth;
pub mod backups;
pub mod canned_response;
pub mod category;
pub mod cli;
pub mod config;
pub mod custom_field;
pub mod customer;
pub mod db;
pub mod department;
pub mod error;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod knowledge;
pub mod label;
pub mod message;
pub mod metrics;
pub mod notification;
pub mod noun;
pub mod product;
pub mod random;
pub mod reference;
pub mod report;
pub mod scalar;
pub mod seed;
pub mod setting;
pub mod text;
pub mod ticket;
pub mod time;
pub mod upkeep;
pub mod written;
