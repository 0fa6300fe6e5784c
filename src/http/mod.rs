//! HTTP: everything between the socket and a handler, and between a handler's answer and the socket.
//!
//! A request passes, in this order: [`serve`] (the accept loop and the limits of time), [`front`] (request id, whose request
//! it is, limits of the head, panics, the log line), the route, [`gate`] (whether there is room, who calls, how often, and
//! whether the request has the shape the document shows), the handler. Its answer is an [`answer`] or a [`failure`].
//! Every limit is in [`bounds`].

pub mod answer;
pub mod body;
pub mod bounds;
pub mod caller;
pub mod client;
pub mod cors;
pub mod docs;
pub mod document;
pub mod failure;
pub mod front;
pub mod gate;
pub mod json;
pub mod limit;
pub mod load;
pub mod methods;
pub mod metrics;
pub mod once;
pub mod resource;
pub mod serve;
pub mod shape;
pub mod tag;
pub mod trace;
