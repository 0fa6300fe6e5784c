//! Conditional requests: `ETag`, `If-None-Match`, `If-Match` (RFC 9110, section 13).

use poem::http::{HeaderName, header};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::error::{Error, Result};

/// Which version of a ticket there is: its own, and that of the names it shows. Together they move whenever a byte of the
/// ticket can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// The ticket's id.
    pub ticket: i64,
    /// Moves with the ticket's own fields, labels, agents and messages.
    pub own: i64,
    /// Moves with any name a ticket can show.
    pub names: i64,
}

impl Version {
    /// The strong entity tag.
    pub fn etag(self) -> String {
        let mut tag = String::with_capacity(32);
        for (before, number) in [('"', self.ticket), ('-', self.own), ('-', self.names)] {
            tag.push(before);
            tag.push_str(itoa::Buffer::new().format(number));
        }
        tag.push('"');
        tag
    }

    fn parse(tag: &str) -> Option<Self> {
        let mut parts = tag.strip_prefix('"')?.strip_suffix('"')?.split('-').map(str::parse);
        let mut next = || parts.next().and_then(Result::ok);
        let version = Self { ticket: next()?, own: next()?, names: next()? };
        (version.etag() == tag).then_some(version)
    }
}

/// The entity tags of a condition.
#[derive(Clone, Debug, Default)]
pub enum Condition {
    /// None was sent.
    #[default]
    Absent,
    /// `*`: any version.
    Any,
    /// One of these.
    Tags(Vec<String>),
}

impl Condition {
    fn parse(request: &Request, header: HeaderName) -> Self {
        let lines = request.headers().get_all(header).iter().map(|value| value.to_str().unwrap_or_default());
        let tags: Vec<String> =
            lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned()).collect();
        // A line without a tag has an empty one: without any there was no line.
        if tags.is_empty() {
            Self::Absent
        } else if tags.iter().any(|tag| tag == "*") {
            Self::Any
        } else {
            Self::Tags(tags)
        }
    }

    /// Whether nothing was asked for.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether the client has the version with this tag already: 304. Tags compare weakly, as RFC 9110 says for reading.
    pub fn has(&self, etag: &str) -> bool {
        match self {
            Self::Absent => false,
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag),
        }
    }

    /// Refuses a change of a ticket that has moved on since. Only the ticket's own version counts, so that renaming a label
    /// elsewhere refuses nobody; a weak tag never matches.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`].
    pub fn require(&self, version: Version) -> Result<()> {
        let same = |tag: &String| {
            Version::parse(tag).is_some_and(|seen| seen.ticket == version.ticket && seen.own == version.own)
        };
        match self {
            Self::Absent | Self::Any => Ok(()),
            Self::Tags(tags) if tags.iter().any(same) => Ok(()),
            Self::Tags(_) => Err(Error::PreconditionFailed),
        }
    }
}

macro_rules! condition_header {
    ($($(#[$doc:meta])* $name:ident = $header:expr;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Condition);

        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
            const PARAM_IS_REQUIRED: bool = false;
            type ParamType = ();
            type ParamRawType = ();

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::Header)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                Some(String::schema_ref())
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok(Self(Condition::parse(request, $header)))
            }
        }
    )+ };
}

condition_header! {
    /// What the client has: 304 if it is the version there is.
    IfNoneMatch = header::IF_NONE_MATCH;
    /// What the client saw: 412 if the ticket has moved on.
    IfMatch = header::IF_MATCH;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Version = Version { ticket: 42, own: 7, names: 3 };

    fn tags(tags: &[&str]) -> Condition {
        Condition::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    #[test]
    fn reading_compares_whole_tags_weakly() {
        assert!(tags(&["\"42-7-3\""]).has(&NOW.etag()));
        assert!(tags(&["\"x\"", "W/\"42-7-3\""]).has(&NOW.etag()));
        assert!(!tags(&["\"42-7-2\""]).has(&NOW.etag()));
        assert!(Condition::Any.has(&NOW.etag()) && !Condition::Absent.has(&NOW.etag()));
    }

    #[test]
    fn changing_compares_the_own_version_strongly() {
        assert!(tags(&["\"42-7-3\""]).require(NOW).is_ok());
        assert!(tags(&["\"42-7-1\""]).require(NOW).is_ok(), "a name elsewhere moved");
        for bad in ["\"42-6-3\"", "W/\"42-7-3\"", "\"41-7-3\"", "42-7-3", "\"\"", "\"42-07-3\""] {
            assert!(tags(&[bad]).require(NOW).is_err(), "{bad}");
        }
        assert!(Condition::Any.require(NOW).is_ok() && Condition::Absent.require(NOW).is_ok());
    }
}
