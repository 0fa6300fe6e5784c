//! What a handler asks the gate for: who calls, and the body. Both were checked before the handler runs; these extractors
//! say in the document that the operation needs them, and hand them over.

use std::sync::Arc;

use poem::{Request, RequestBody};
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaSchemaRef, MetaSecurityScheme, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, impl_apirequest_for_payload};

use super::failure::Failure;
use super::trace::{Asked, Trace};
use crate::auth::{Admin, Agent, Caller};

/// The security scheme of the External API.
pub const EXTERNAL: &str = "ExternalKey";
/// The security scheme of the Internal API.
pub const INTERNAL: &str = "InternalKey";

/// The operation is an agent's: asks for an external key.
#[derive(Clone, Debug)]
pub struct ByAgent(pub Arc<Agent>);

/// The operation is an administrator's: asks for an internal key with the scope named beside it.
#[derive(Clone, Debug)]
pub struct ByAdmin(pub Arc<Admin>);

fn scheme(description: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "apiKey",
        description: Some(description),
        name: Some("X-API-KEY"),
        key_in: Some("header"),
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}

/// What the gate has found out about a request.
///
/// # Errors
/// 500 where there is no gate, which is a bug.
pub(super) fn asked(request: &Request) -> Result<&Asked, Failure> {
    request.data::<Arc<Trace>>().and_then(|trace| trace.asked.get()).ok_or_else(Failure::internal)
}

impl<'a> ApiExtractor<'a> for ByAgent {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            EXTERNAL,
            scheme(
                "A key of type `external`, which speaks for one active agent. It sees what that agent sees.",
            ),
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![EXTERNAL]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        match &asked(request)?.caller {
            Some(Caller::Agent(agent)) => Ok(Self(Arc::clone(agent))),
            _ => Err(Failure::internal().into()),
        }
    }
}

impl<'a> ApiExtractor<'a> for ByAdmin {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            INTERNAL,
            scheme(
                "A key of type `internal`, for administrators' programs. Each operation asks for one scope, shown as \
                 `x-required-scope`; a key marked `special` passes every check.",
            ),
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![INTERNAL]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        match &asked(request)?.caller {
            Some(Caller::Admin(admin)) => Ok(Self(Arc::clone(admin))),
            _ => Err(Failure::internal().into()),
        }
    }
}

/// A JSON body, checked against the schema of `T` by the gate.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: Type> Payload for Body<T> {
    const CONTENT_TYPE: &'static str = "application/json";

    /// The gate has looked at it already, as media types are to be compared.
    fn check_content_type(_: &str) -> bool {
        true
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for Body<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, _: &mut RequestBody) -> poem::Result<Self> {
        let body = asked(request)?.body.clone();
        T::parse_from_json(body).map(Self).map_err(|error| {
            // The gate has checked the shape, so a type that still refuses differs from its own schema.
            tracing::warn!(error = %error.into_message(), "a body passed its schema and not its parser");
            crate::error::Error::field("body", "is not valid").into()
        })
    }
}

impl_apirequest_for_payload!(Body<T>, T: ParseFromJSON + 'static);
