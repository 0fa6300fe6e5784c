//! The one place where something that went wrong becomes a status and a body.

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use serde::Serialize;

use super::limit::Standing;
use super::serve::Unread;
use crate::error::{Error, FieldErrors};

/// A refusal on its way to the client: a status, a stable code for programs, a sentence for people.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    errors: FieldErrors,
    headers: Vec<(HeaderName, HeaderValue)>,
    close: bool,
}

/// The body of every refusal.
#[derive(Serialize)]
struct Body<'a> {
    status: bool,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "FieldErrors::is_empty")]
    errors: &'a FieldErrors,
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $status:ident $code:literal $message:literal;)+) => {
        impl Failure {
            $($(#[$doc])* pub fn $name() -> Self { Self::new(StatusCode::$status, $code, $message) })+
        }
    };
}

failures! {
    /// The request is not one: bad JSON, a header given twice that may not be.
    malformed = BAD_REQUEST "malformed_request" "The request could not be read";
    /// An object in the body has a key twice.
    duplicate_key = BAD_REQUEST "duplicate_key" "The body has the same key twice";
    /// There is no `X-API-KEY`.
    missing_key = UNAUTHORIZED "missing_api_key" "Missing header: X-API-KEY";
    /// The key is unknown, malformed, expired or revoked.
    invalid_key = UNAUTHORIZED "invalid_api_key" "Invalid API key";
    /// The key's agent is inactive or deleted.
    agent_inactive = UNAUTHORIZED "agent_inactive" "The agent of this API key is not active";
    /// An external key on the Internal API, or the other way round.
    wrong_key_type = FORBIDDEN "wrong_key_type" "This type of API key cannot be used here";
    /// The key lacks the operation's scope.
    forbidden_scope = FORBIDDEN "forbidden_scope" "Forbidden scope";
    /// There is no such thing, or the caller may not see it.
    not_found = NOT_FOUND "not_found" "Not found";
    /// The path exists, the method does not.
    method_not_allowed = METHOD_NOT_ALLOWED "method_not_allowed" "Method not allowed";
    /// The request took too long.
    request_timeout = REQUEST_TIMEOUT "request_timeout" "The request took too long";
    /// The body is too large.
    too_large = PAYLOAD_TOO_LARGE "payload_too_large" "The body is too large";
    /// The address is too long.
    uri_too_long = URI_TOO_LONG "uri_too_long" "The address is too long";
    /// There are too many headers, or they are too long.
    headers_too_large = REQUEST_HEADER_FIELDS_TOO_LARGE "headers_too_large" "The headers are too large";
    /// The body is not JSON by its `Content-Type`.
    unsupported_media_type = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The body must be application/json";
    /// Our fault.
    internal = INTERNAL_SERVER_ERROR "internal_error" "Something went wrong on our side";
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, errors: FieldErrors::new(), headers: vec![], close: false }
    }

    /// Too many requests: where the caller stands under the limit of this name.
    pub fn rate_limited(limit: &str, standing: Standing) -> Self {
        let [policy, state] = standing.fields(limit);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests")
            .retry_after(standing.seconds)
            .with(policy.0, policy.1)
            .with(state.0, state.1)
    }

    /// What went wrong behind us, as an answer: our own refusals as they are, the framework's in our shape.
    pub fn respond(error: poem::Error) -> Response {
        if error.is_from_response() { error.into_response() } else { Self::from(error).render() }
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// And the connection ends after it, because what follows on it cannot be trusted or is not worth reading.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    fn retry_after(self, seconds: u64) -> Self {
        self.with(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// The answer.
    pub fn render(self) -> Response {
        let body = Body { status: false, code: self.code, message: self.message, errors: &self.errors };
        // Strings and maps of strings always serialise.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response =
            Response::builder().status(self.status).content_type("application/json").body(bytes);
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey header=\"X-API-KEY\""));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let refuse = Self::new;
        match error {
            Error::NotFound => Self::not_found(),
            Error::Invalid(errors) => Self {
                errors,
                ..refuse(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", "The given data was invalid")
            },
            Error::TicketLocked => refuse(StatusCode::FORBIDDEN, "ticket_locked", "The ticket is locked"),
            Error::CustomerBlocked => {
                refuse(StatusCode::FORBIDDEN, "customer_blocked", "The customer is blocked")
            }
            Error::CustomerTicketLimit(seconds) => refuse(
                StatusCode::TOO_MANY_REQUESTS,
                "customer_ticket_limit",
                "The customer has opened as many tickets today as is allowed",
            )
            .retry_after(seconds),
            Error::PreconditionFailed => refuse(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "The ticket has changed since you read it",
            ),
            Error::IdempotencyInProgress => refuse(
                StatusCode::CONFLICT,
                "idempotency_in_progress",
                "The first request with this Idempotency-Key is still running",
            ),
            Error::IdempotencyKeyReused => refuse(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was used with another body",
            ),
            Error::ForbiddenScope => Self::forbidden_scope(),
            Error::Overloaded => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too much is going on, try again")
                    .retry_after(1)
            }
            Error::ShuttingDown => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", "The server is going down")
                    .retry_after(5)
            }
            Error::ReadOnly => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, "read_only", "This server only reads").retry_after(60)
            }
            Error::StorageFull => refuse(
                StatusCode::INSUFFICIENT_STORAGE,
                "storage_full",
                "There is no room left to store this",
            ),
            Error::Internal(source) => {
                tracing::error!(error = %source, "internal error");
                Self::internal()
            }
        }
    }
}

/// What could not be read as a request, or was not looked at.
impl From<Unread> for Failure {
    fn from(why: Unread) -> Self {
        match why {
            Unread::Malformed => Self::malformed(),
            Unread::Target => Self::uri_too_long(),
            Unread::Head => Self::headers_too_large(),
            Unread::Late => Self::request_timeout(),
            Unread::Crowded => Error::Overloaded.into(),
        }
    }
}

/// Whatever the framework found wrong, in our shape. Nothing it says reaches the client.
impl From<poem::Error> for Failure {
    fn from(error: poem::Error) -> Self {
        match error.status() {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => Self::method_not_allowed(),
            StatusCode::REQUEST_TIMEOUT => Self::request_timeout(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_media_type(),
            status if status.is_client_error() => Self::malformed(),
            _ => {
                tracing::error!(%error, "internal error");
                Self::internal()
            }
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for poem::Error {
    fn from(failure: Failure) -> Self {
        Self::from_response(failure.render())
    }
}

impl From<Error> for poem::Error {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.render()
    }
}

/// Handlers return it; which refusals an operation can give is added to the document by rule (`http::document`).
impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![] }
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_internal_reaches_a_body() {
        let response = Failure::from(Error::internal("SELECT secret FROM /var/lodge.db")).render();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = response.into_body().into_string().await.unwrap();
        assert_eq!(
            body,
            r#"{"status":false,"code":"internal_error","message":"Something went wrong on our side"}"#
        );
    }
}
