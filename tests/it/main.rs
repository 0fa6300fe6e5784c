//! The integration tests: one binary, a file a noun, and a file for each thing that holds for all of them.

mod harness;

mod admin_message;
mod admin_ticket;
mod auth;
mod canned_response;
mod cli;
mod concurrency;
mod customer;
mod department;
mod document;
mod examples;
mod health;
mod http;
mod idempotency;
mod knowledge;
mod label;
mod layering;
mod message;
mod notification;
mod opening;
mod paging;
mod plan;
mod profile;
mod schema;
mod search;
mod seed;
mod setting;
mod ticket;
mod visibility;
