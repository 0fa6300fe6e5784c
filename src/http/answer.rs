//! Answers: serialised straight to bytes inside the database closure, typed for the document.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::marker::PhantomData;

use percent_encoding::percent_decode_str;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use serde::Serialize;

use crate::db::{Items, Page};
use crate::error::Result;
use crate::written::{Sent, opened, serialize};

/// About how many headers an answer has.
const HEADERS: usize = 12;
/// How many bytes an answer with a sentence has room in.
const SENTENCE: usize = 128;

/// What an answer is made of, whatever its type.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    /// What a repeat gets instead of the body.
    kept: Option<Vec<u8>>,
    location: Option<String>,
    etag: Option<String>,
    pages: Option<Pages>,
    replayed: bool,
}

/// Which page an answer is, for the `Link` header that `http::gate` adds: only there the request's address is known.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pages {
    /// The number of this page.
    pub current_page: i64,
    /// The number of the last page, 1 for an empty list.
    pub last_page: i64,
    /// How many items a page has.
    pub per_page: i64,
    /// How many items there are in all.
    pub total: i64,
}

impl Answer {
    /// An answer with this body and nothing else.
    const fn of(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, body, kept: None, location: None, etag: None, pages: None, replayed: false }
    }

    /// One thing.
    fn one<T>(status: StatusCode, thing: &impl Sent<T>) -> Result<Self> {
        let mut body = opened(thing)?;
        body.push(b'}');
        Ok(Self::of(status, body))
    }

    /// Several, and which page of them it is if they come in pages.
    fn many<T>(things: impl Sent<Vec<T>>, pages: Option<Pages>) -> Result<Self> {
        let mut body = things.opened()?;
        if let Some(pages) = pages {
            body.extend_from_slice(br#","meta":"#);
            serialize(&pages, &mut body)?;
        }
        body.push(b'}');
        Ok(Self { pages, ..Self::of(StatusCode::OK, body) })
    }

    /// A sentence.
    fn sentence(message: &str) -> Result<Self> {
        let mut body = Vec::with_capacity(SENTENCE);
        body.extend_from_slice(br#"{"status":true,"message":"#);
        serialize(message, &mut body)?;
        body.push(b'}');
        Ok(Self::of(StatusCode::OK, body))
    }

    /// What to remember of it for a repeat: status, `Location`, body.
    pub fn recorded(&self) -> (u16, Option<&str>, &[u8]) {
        (self.status.as_u16(), self.location.as_deref(), self.kept.as_ref().unwrap_or(&self.body))
    }

    /// A remembered answer.
    pub fn replay(status: u16, location: Option<String>, body: Vec<u8>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Self { location, replayed: true, ..Self::of(status, body) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response: Response = self.body.into();
        response.set_status(self.status);
        let headers = response.headers_mut();
        // Room for those of the gate and the front as well.
        headers.reserve(HEADERS);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::NOT_MODIFIED {
            headers.remove(header::CONTENT_TYPE);
        }
        if let Some(value) = self.location.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(header::LOCATION, value);
        }
        if let Some(value) = self.etag.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(header::ETAG, value);
        }
        if self.replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        if let Some(pages) = self.pages {
            response.set_data(pages);
        }
        response
    }
}

/// An answer that can be remembered and given again.
pub trait Repeatable: From<Answer> + AsRef<Answer> {}
impl<A: From<Answer> + AsRef<Answer>> Repeatable for A {}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident<T> => $status:literal, $schema:ident;)+) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(Answer, PhantomData<fn() -> T>);

        impl<T> From<Answer> for $name<T> {
            fn from(answer: Answer) -> Self { Self(answer, PhantomData) }
        }

        impl<T> AsRef<Answer> for $name<T> {
            fn as_ref(&self) -> &Answer { &self.0 }
        }

        impl<T> IntoResponse for $name<T> {
            fn into_response(self) -> Response { self.0.into_response() }
        }

        impl<T: Type> ApiResponse for $name<T> {
            fn meta() -> MetaResponses { describe::<$schema<T>>($status) }
            fn register(registry: &mut Registry) { $schema::<T>::register(registry); }
        }
    )+ };
}

answers! {
    /// 200 with one thing under `data`.
    Reply<T> => 200, One;
    /// 201 with the new thing under `data`.
    Created<T> => 201, One;
    /// 200 with a page of a list.
    Listing<T> => 200, Paged;
    /// 200 with a whole list.
    Whole<T> => 200, Many;
}

impl<T> Reply<T> {
    /// Just the thing.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn new(data: &impl Sent<T>) -> Result<Self> {
        Ok(Answer::one(StatusCode::OK, data)?.into())
    }

    /// The thing, and the version it has.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn tagged(data: &impl Sent<T>, etag: String) -> Result<Self> {
        let mut answer = Answer::one(StatusCode::OK, data)?;
        answer.etag = Some(etag);
        Ok(answer.into())
    }

    /// 304: the client's copy is this version.
    pub fn unchanged(etag: String) -> Self {
        Answer { etag: Some(etag), ..Answer::of(StatusCode::NOT_MODIFIED, vec![]) }.into()
    }
}

impl<T> Created<T> {
    /// The new thing, and where to read it if that can be done by itself.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn new(data: &impl Sent<T>, location: Option<String>) -> Result<Self> {
        let mut answer = Answer::one(StatusCode::CREATED, data)?;
        answer.location = location;
        Ok(answer.into())
    }

    /// The same for something that holds a secret: `kept` is what is remembered of it, and what a repeat gets.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn once(data: &impl Sent<T>, kept: &impl Sent<T>, location: Option<String>) -> Result<Self> {
        let mut answer = Answer::one(StatusCode::CREATED, data)?;
        answer.kept = Some(Answer::one(StatusCode::CREATED, kept)?.body);
        answer.location = location;
        Ok(answer.into())
    }
}

impl<T> Listing<T> {
    /// A page.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn new(page: Page<impl Items + Sent<Vec<T>>>) -> Result<Self> {
        let meta = Pages {
            current_page: page.paging.page,
            last_page: page.last_page(),
            per_page: page.paging.per_page,
            total: page.total,
        };
        Ok(Answer::many(page.items, Some(meta))?.into())
    }
}

impl<T> Whole<T> {
    /// The list.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn new(list: impl Sent<Vec<T>>) -> Result<Self> {
        Ok(Answer::many(list, None)?.into())
    }
}

/// 200 with a sentence and nothing else.
#[derive(Debug)]
pub struct Done(Answer);

impl Done {
    /// The sentence.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn new(message: &str) -> Result<Self> {
        Ok(Self(Answer::sentence(message)?))
    }
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Self {
        Self(answer)
    }
}

impl AsRef<Answer> for Done {
    fn as_ref(&self) -> &Answer {
        &self.0
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl ApiResponse for Done {
    fn meta() -> MetaResponses {
        describe::<Sentence>(200)
    }

    fn register(registry: &mut Registry) {
        Sentence::register(registry);
    }
}

fn describe<E: Type>(status: u16) -> MetaResponses {
    MetaResponses {
        responses: vec![MetaResponse {
            description: if status == 201 { "Created" } else { "Success" },
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: E::schema_ref() }],
            headers: Vec::<MetaHeader>::new(),
        }],
    }
}

/// Makes the schema of an envelope: these types are never values, only entries in the document.
macro_rules! envelopes {
    ($($(#[$doc:meta])* $name:ident $(<$t:ident>)?, $title:expr, $fields:expr;)+) => { $(
        $(#[$doc])*
        struct $name $(<$t>(PhantomData<fn() -> $t>))?;

        impl $(<$t: Type>)? Type for $name $(<$t>)? {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;
            fn name() -> Cow<'static, str> { $title.into() }
            fn schema_ref() -> MetaSchemaRef { MetaSchemaRef::Reference(Self::name().into_owned()) }
            fn register(registry: &mut Registry) {
                $($t::register(registry);)?
                registry.create_schema::<Self, _>(Self::name().into_owned(), |_| {
                    let mut properties = vec![("status", yes())];
                    properties.extend($fields);
                    MetaSchema {
                        required: properties.iter().map(|(name, _)| *name).collect(),
                        properties,
                        ..MetaSchema::new("object")
                    }
                });
            }
            fn as_raw_value(&self) -> Option<&Self> { Some(self) }
            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }
    )+ };
}

envelopes! {
    /// One thing.
    One<T>, format!("{}Answer", T::name()), [("data", T::schema_ref())];
    /// A whole list.
    Many<T>, format!("{}List", T::name()), [("data", Vec::<T>::schema_ref())];
    /// A page of a list.
    Paged<T>, format!("{}Page", T::name()), [("data", Vec::<T>::schema_ref()), ("meta", pages())];
    /// A sentence.
    Sentence, "Confirmation", [("message", sentence())];
}

fn yes() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        description: Some("Always true on success."),
        enum_items: vec![true.into()],
        example: Some(true.into()),
        ..MetaSchema::new("boolean")
    }))
}

fn sentence() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        description: Some("What happened, for people."),
        ..MetaSchema::new("string")
    }))
}

fn pages() -> MetaSchemaRef {
    let number = |description, minimum: f64, example: i64| {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            description: Some(description),
            minimum: Some(minimum),
            example: Some(example.into()),
            ..MetaSchema::new_with_format("integer", "int64")
        }))
    };
    let properties = vec![
        ("current_page", number("The number of this page, from 1.", 1.0, 1)),
        ("last_page", number("The number of the last page; 1 for an empty list.", 1.0, 3)),
        ("per_page", number("How many items a page has.", 1.0, 15)),
        ("total", number("How many items there are in all, exactly.", 0.0, 42)),
    ];
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        description: Some("Where this page is in the list."),
        required: properties.iter().map(|(name, _)| *name).collect(),
        properties,
        ..MetaSchema::new("object")
    }))
}

/// The `Link` header of a page (RFC 8288): path-absolute, other parameters kept as they were.
pub fn links(path: &str, query: Option<&str>, pages: Pages) -> String {
    let is_page =
        |pair: &str| pair.split('=').next().is_some_and(|name| percent_decode_str(name).eq(*b"page"));
    // By its full name: the framework's own trait has an `is_empty`, too, which would be taken here.
    let others = query.unwrap_or_default().split('&').filter(|pair| !str::is_empty(pair) && !is_page(pair));
    let others: String = others.flat_map(|pair| [pair, "&"]).collect();
    let mut links = String::with_capacity(4 * (path.len() + others.len() + 40));
    let mut to = |page: i64, relation: &str| {
        let comma = if str::is_empty(&links) { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(links, "{comma}<{path}?{others}page={page}>; rel=\"{relation}\"");
    };
    let Pages { current_page: at, last_page: last, .. } = pages;
    to(1, "first");
    if at > 1 {
        to((at - 1).min(last), "prev");
    }
    if at < last {
        to(at + 1, "next");
    }
    to(last, "last");
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_other_parameters_and_end_where_the_list_does() {
        let pages = |at, last| Pages { current_page: at, last_page: last, per_page: 15, total: 40 };
        assert_eq!(
            links("/t", Some("status=open&page=2&q=a%20b"), pages(2, 3)),
            "</t?status=open&q=a%20b&page=1>; rel=\"first\", </t?status=open&q=a%20b&page=1>; rel=\"prev\", \
             </t?status=open&q=a%20b&page=3>; rel=\"next\", </t?status=open&q=a%20b&page=3>; rel=\"last\""
        );
        assert_eq!(links("/t", Some("p%61ge=1"), pages(1, 1)), links("/t", None, pages(1, 1)));
        assert_eq!(links("/t", None, pages(1, 1)), "</t?page=1>; rel=\"first\", </t?page=1>; rel=\"last\"");
        assert!(links("/t", None, pages(i64::MAX, 3)).contains("</t?page=3>; rel=\"prev\""));
    }
}
