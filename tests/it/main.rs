//! The integration tests: one binary, a file a noun, and a file for each thing that holds for all of them.

mod harness;

mod activity;
mod agent;
mod api_key;
mod auth;
mod canned_response;
mod category;
mod cli;
mod concurrency;
mod custom_field;
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
mod noun;
mod paging;
mod permission;
mod product;
mod profile;
mod report;
mod schema;
mod search;
mod seed;
mod setting;
mod ticket;
mod upkeep;
mod visibility;
