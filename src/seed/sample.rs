//! The hand-written sample: reads `sample/*.json` and turns "6d 3h ago" into times.

use std::collections::HashMap;
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::Made;
use super::store::{self, SampleCanned, SampleMessage, SampleNotification, SampleTicket};
use crate::activity::{self, Actor, Changes, Entry};
use crate::api_key;
use crate::api_key::model::ApiKey;
use crate::api_key::rules::Giver;
use crate::auth::key::KeyType;
use crate::auth::password;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::knowledge::model::Article;
use crate::notification::model::NotificationType;
use crate::scalar::PublicationStatus;
use crate::ticket::model::{Priority, Status};
use crate::time::{DAY, SECOND, Timestamp};

/// The sample agents' password. Nothing signs in with it yet.
const PASSWORD: &str = "larkspur-demo";

/// Everything tickets refer to.
#[derive(Debug, Deserialize)]
pub struct Desk {
    /// The agents.
    pub agents: Vec<DeskAgent>,
    /// The departments.
    pub departments: Vec<Described>,
    /// The categories.
    pub categories: Vec<Category>,
    /// The products.
    pub products: Vec<Product>,
    /// The labels.
    pub labels: Vec<Label>,
    /// The custom fields.
    pub custom_fields: Vec<Field>,
    /// The customers.
    pub customers: Vec<Customer>,
}

/// A sample agent.
#[derive(Debug, Deserialize)]
pub struct DeskAgent {
    handle: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    phone: Option<String>,
    locale: Option<String>,
    avatar_url: Option<String>,
    departments: Vec<String>,
    /// The published key.
    pub key: String,
}

/// A sample department.
#[derive(Debug, Deserialize)]
pub struct Described {
    name: String,
    description: String,
    email: String,
}

/// A sample category.
#[derive(Debug, Deserialize)]
pub struct Category {
    name: String,
    description: String,
    parent: Option<String>,
}

/// A sample product.
#[derive(Debug, Deserialize)]
pub struct Product {
    name: String,
    envato_id: Option<String>,
    description: String,
    price: String,
}

/// A sample label.
#[derive(Debug, Deserialize)]
pub struct Label {
    name: String,
    color: String,
    status: String,
}

/// A sample custom field.
#[derive(Debug, Deserialize)]
pub struct Field {
    label: String,
    #[serde(rename = "type")]
    kind: String,
    description: String,
}

/// A sample customer.
#[derive(Debug, Deserialize)]
pub struct Customer {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    phone: Option<String>,
    #[serde(default)]
    is_blocked: bool,
}

/// A sample ticket; times are how long ago, or how long after the one before.
#[derive(Debug, Deserialize)]
pub struct Ticket {
    /// The title.
    pub title: String,
    /// The opening text.
    pub content: String,
    customer: String,
    status: String,
    priority: String,
    department: Option<String>,
    category: Option<String>,
    product: Option<String>,
    labels: Vec<String>,
    lead: Option<String>,
    agents: Vec<String>,
    custom_fields: HashMap<String, String>,
    opened: String,
    closed: Option<String>,
    #[serde(default)]
    locked: bool,
    /// The conversation.
    pub messages: Vec<Message>,
}

/// A sample message.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// `customer` or an agent's handle.
    pub from: String,
    after: String,
    /// Whether it is a note.
    #[serde(default)]
    pub note: bool,
    #[serde(default)]
    likes: Vec<String>,
    /// The text.
    pub text: String,
}

/// The sample's knowledge base.
#[derive(Debug, Deserialize)]
pub struct Knowledge {
    categories: Vec<KnowledgeCategory>,
    /// The articles.
    pub articles: Vec<SampleArticle>,
}

/// A category of the sample's knowledge base.
#[derive(Debug, Deserialize)]
pub struct KnowledgeCategory {
    name: String,
    description: String,
    icon: String,
}

/// An article of the sample.
#[derive(Debug, Deserialize)]
pub struct SampleArticle {
    /// The title.
    pub title: String,
    slug: String,
    excerpt: Option<String>,
    /// The text.
    pub content: String,
    category: Option<String>,
    views: i64,
    status: String,
    written: String,
    updated: String,
}

/// A file of the folder `sample`, as build.rs has packed it.
macro_rules! packed {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".json.gz")).as_slice()
    };
}

fn parse<T: serde::de::DeserializeOwned>(packed: &[u8]) -> T {
    // The files are part of the program and tests read every one of them.
    let mut json = String::new();
    GzDecoder::new(packed)
        .read_to_string(&mut json)
        .and_then(|_| Ok(serde_json::from_str(&json)?))
        .unwrap_or_else(|error| panic!("the sample is not what it should be: {error}"))
}

/// Everything tickets refer to.
pub fn desk() -> &'static Desk {
    static DESK: LazyLock<Desk> = LazyLock::new(|| parse(packed!("desk")));
    &DESK
}

/// The tickets, oldest first, so that ids and references grow with time.
pub fn tickets() -> Vec<Ticket> {
    let files = [packed!("tickets-1"), packed!("tickets-2"), packed!("tickets-3"), packed!("tickets-4")];
    let mut tickets: Vec<Ticket> = files.into_iter().flat_map(parse::<Vec<Ticket>>).collect();
    tickets.sort_by_key(|ticket| std::cmp::Reverse(span(&ticket.opened)));
    tickets
}

/// The knowledge base, oldest article first.
pub fn knowledge() -> Knowledge {
    let mut knowledge: Knowledge = parse(packed!("articles"));
    knowledge.articles.sort_by_key(|article| std::cmp::Reverse(span(&article.written)));
    knowledge
}

/// The canned responses.
pub fn canned() -> Vec<SampleCanned> {
    parse(packed!("canned"))
}

/// "6d 3h 10m" in microseconds.
fn span(text: &str) -> i64 {
    let part = |part: &str| {
        let (number, unit) = part.split_at(part.len().saturating_sub(1));
        let unit = match unit {
            "d" => DAY,
            "h" => 3600 * SECOND,
            _ => 60 * SECOND,
        };
        number.parse::<i64>().unwrap_or(0) * unit
    };
    text.split_whitespace().map(part).sum()
}

/// What the names in the sample stand for.
#[derive(Debug, Default)]
pub struct Names {
    /// Agents by handle: id, name, picture.
    pub agents: HashMap<String, (i64, String, Option<String>)>,
    /// Departments by name.
    pub departments: HashMap<String, i64>,
    /// Categories by name.
    pub categories: HashMap<String, i64>,
    /// Products by name.
    pub products: HashMap<String, i64>,
    /// Labels by name.
    pub labels: HashMap<String, i64>,
    /// Custom fields by label.
    pub fields: HashMap<String, i64>,
    /// Customers by e-mail address: id, name.
    pub customers: HashMap<String, (i64, String)>,
}

/// Fills an empty database with the sample.
///
/// # Errors
/// What SQLite says.
pub fn fill(tx: &Tx<'_>) -> Result<Made> {
    let names = fill_desk(tx, usize::MAX)?;
    let mut made = Made { keys: super::demo_keys(), ..Made::default() };
    made.articles = fill_knowledge(tx)?;
    for canned in canned() {
        store::insert_canned_response(tx, &canned, tx.now.plus(-90 * DAY))?;
    }
    let midnight = tx.now.midnight(&crate::setting::store::zone(tx)?);
    let mut closed_today = Vec::new();
    let mut told = Vec::new();
    for (n, ticket) in tickets().iter().enumerate() {
        let closed = closing(ticket, n, tx.now, midnight);
        let id = fill_ticket(tx, &names, ticket, closed, &mut told)?;
        if ticket.closed.as_deref() == Some("today") {
            closed_today.push(id);
        }
        made.tickets += 1;
        made.messages += i64::try_from(ticket.messages.len()).unwrap_or(0);
    }
    told.sort_by_key(|notification| notification.at);
    for notification in &told {
        store::insert_notification(tx, notification)?;
    }
    store::mark_sample(tx, &closed_today)?;
    super::record(tx, "the sample".into())?;
    Ok(made)
}

/// When a ticket was closed. One meant for today is closed a few minutes ago, but never before midnight.
fn closing(ticket: &Ticket, n: usize, now: Timestamp, midnight: Timestamp) -> Option<Timestamp> {
    let ago = ticket.closed.as_deref()?;
    Some(if ago == "today" {
        let minutes = i64::try_from(n % 30).unwrap_or(0) + 5;
        now.plus(-minutes * 60 * SECOND).max(midnight)
    } else {
        now.plus(-span(ago))
    })
}

/// Agents with their keys, so many at most, and everything tickets refer to.
///
/// # Errors
/// What SQLite says.
pub fn fill_desk(tx: &Tx<'_>, agents: usize) -> Result<Names> {
    let mut names = Names::default();
    let (desk, at) = (desk(), tx.now.plus(-120 * DAY));
    for department in &desk.departments {
        let id =
            store::insert_department(tx, &department.name, &department.description, &department.email, at)?;
        names.departments.insert(department.name.clone(), id);
    }
    if let Some(id) = desk.departments.first().and_then(|first| names.departments.get(&first.name)) {
        store::set_default_department(tx, *id)?;
    }
    let password_hash = password::hash_blocking(PASSWORD)?;
    for agent in desk.agents.iter().take(agents) {
        let id = store::insert_agent(
            tx,
            &store::SampleAgent {
                name: &agent.name,
                email: &agent.email,
                password_hash: Some(&password_hash),
                phone: agent.phone.as_deref(),
                locale: agent.locale.as_deref(),
                avatar_url: agent.avatar_url.as_deref(),
            },
            at,
        )?;
        for department in &agent.departments {
            store::insert_agent_department(tx, id, at_name(&names.departments, department)?)?;
        }
        let name = format!("Demo key of {}", agent.name);
        let key = ApiKey { agent_id: Some(id), ..ApiKey::named(name, KeyType::External) };
        api_key::rules::insert(tx, &Giver::Cli, key, &agent.key)?;
        names.agents.insert(agent.handle.clone(), (id, agent.name.clone(), agent.avatar_url.clone()));
    }
    for category in &desk.categories {
        let parent = category.parent.as_ref().and_then(|parent| names.categories.get(parent)).copied();
        let id = store::insert_category(tx, &category.name, &category.description, parent, at)?;
        names.categories.insert(category.name.clone(), id);
    }
    for product in &desk.products {
        let cents = product.price.replace('.', "").parse().unwrap_or(0);
        let what = (product.description.as_str(), cents);
        let id = store::insert_product(tx, &product.name, product.envato_id.as_deref(), what, at)?;
        names.products.insert(product.name.clone(), id);
    }
    for label in &desk.labels {
        let id = store::insert_label(tx, &label.name, &label.color, &label.status, at)?;
        names.labels.insert(label.name.clone(), id);
    }
    for (n, field) in desk.custom_fields.iter().enumerate() {
        let place = (field.kind.as_str(), i64::try_from(n).unwrap_or(0));
        let id = store::insert_custom_field(tx, &field.label, &field.description, place, at)?;
        names.fields.insert(field.label.clone(), id);
    }
    for customer in &desk.customers {
        let who = (customer.name.as_str(), customer.email.as_str(), customer.phone.as_deref());
        let id = store::insert_customer(tx, who, customer.is_blocked, at)?;
        names.customers.insert(customer.email.clone(), (id, customer.name.clone()));
    }
    Ok(names)
}

fn at_name(ids: &HashMap<String, i64>, name: &str) -> Result<i64> {
    ids.get(name).copied().ok_or_else(|| Error::internal(format!("the sample has no {name}")))
}

fn fill_knowledge(tx: &Tx<'_>) -> Result<i64> {
    let knowledge = knowledge();
    let mut categories = HashMap::new();
    for (n, category) in knowledge.categories.iter().enumerate() {
        let place = (category.icon.as_str(), i64::try_from(n).unwrap_or(0));
        let at = tx.now.plus(-400 * DAY);
        let id = store::insert_knowledge_category(tx, &category.name, &category.description, place, at)?;
        categories.insert(category.name.clone(), id);
    }
    for article in &knowledge.articles {
        let category = article.category.as_ref().and_then(|name| categories.get(name)).copied();
        let new = Article {
            id: 0,
            title: article.title.clone(),
            slug: article.slug.clone(),
            excerpt: article.excerpt.clone(),
            content: article.content.clone(),
            category: None,
            views: article.views,
            status: PublicationStatus::from_word(&article.status).unwrap_or(PublicationStatus::Draft),
            created_at: tx.now.plus(-span(&article.written)),
        };
        store::insert_article(tx, new, category, tx.now.plus(-span(&article.updated)))?;
    }
    Ok(i64::try_from(knowledge.articles.len()).unwrap_or(0))
}

fn fill_ticket(
    tx: &Tx<'_>,
    names: &Names,
    ticket: &Ticket,
    closed: Option<Timestamp>,
    told: &mut Vec<SampleNotification>,
) -> Result<i64> {
    let agent = |handle: &String| {
        names.agents.get(handle).ok_or_else(|| Error::internal(format!("the sample has no agent {handle}")))
    };
    let lead = ticket.lead.as_ref().map(&agent).transpose()?;
    let mut agents: Vec<i64> = lead.iter().map(|lead| lead.0).collect();
    for handle in &ticket.agents {
        agents.push(agent(handle)?.0);
    }
    agents.dedup();
    let labels = ticket.labels.iter().map(|name| at_name(&names.labels, name)).collect::<Result<Vec<_>>>()?;
    let mut fields = Vec::new();
    for (label, value) in &ticket.custom_fields {
        fields.push((at_name(&names.fields, label)?, value.as_str()));
    }
    let (customer_id, customer_name) = names
        .customers
        .get(&ticket.customer)
        .ok_or_else(|| Error::internal(format!("the sample has no customer {}", ticket.customer)))?;
    let opened = tx.now.plus(-span(&ticket.opened));
    let mut at = opened;
    let mut likes = Vec::new();
    for message in &ticket.messages {
        likes.push(message.likes.iter().map(|handle| Ok(agent(handle)?.0)).collect::<Result<Vec<_>>>()?);
    }
    let mut messages = Vec::new();
    for (message, likes) in ticket.messages.iter().zip(&likes) {
        at = at.plus(span(&message.after));
        let agent = if message.from == "customer" { None } else { Some(agent(&message.from)?.0) };
        messages.push(SampleMessage { agent, is_note: message.note, text: &message.text, at, likes });
    }
    let place = |ids: &HashMap<String, i64>, name: &Option<String>| {
        name.as_ref().map(|name| at_name(ids, name)).transpose()
    };
    let status = Status::from_word(&ticket.status).unwrap_or(Status::Open);
    let (id, reference) = store::insert_ticket(
        tx,
        &SampleTicket {
            title: &ticket.title,
            content: &ticket.content,
            status,
            priority: Priority::from_word(&ticket.priority).unwrap_or(Priority::Medium),
            place: (
                place(&names.departments, &ticket.department)?,
                place(&names.categories, &ticket.category)?,
                place(&names.products, &ticket.product)?,
            ),
            customer: (*customer_id, customer_name, &ticket.customer),
            lead: lead.map(|lead| lead.0),
            agents: &agents,
            labels: &labels,
            fields: &fields,
            is_locked: ticket.locked,
            opened,
            closed,
            messages: &messages,
        },
    )?;
    tell(tx.now, names, (id, &reference), &agents, (opened, customer_name), &messages, told);
    log(tx, names, (id, &reference), (opened, closed), lead, &messages)?;
    Ok(id)
}

/// What the agents on a ticket were told: of their assignment, the customer's replies and each other's notes. What is older
/// than a day has been read.
fn tell(
    now: Timestamp,
    names: &Names,
    (id, reference): (i64, &str),
    agents: &[i64],
    (opened, customer): (Timestamp, &str),
    messages: &[SampleMessage<'_>],
    told: &mut Vec<SampleNotification>,
) {
    let mut add = |agent, kind, sender, at: Timestamp| {
        told.push(SampleNotification {
            agent,
            kind,
            ticket: (id, reference.to_owned()),
            sender,
            is_read: now.0 - at.0 > DAY,
            at,
        });
    };
    for agent in agents {
        add(*agent, NotificationType::Assigned, ("System".to_owned(), None), opened);
        for message in messages {
            let writer = message.agent.and_then(|id| names.agents.values().find(|(agent, ..)| *agent == id));
            match writer {
                None => add(*agent, NotificationType::Reply, (customer.to_owned(), None), message.at),
                Some((writer, name, avatar)) if message.is_note && writer != agent => {
                    add(*agent, NotificationType::Note, (name.clone(), avatar.clone()), message.at);
                }
                Some(_) => {}
            }
        }
    }
}

/// What the activity log would say had it all happened here.
fn log(
    tx: &Tx<'_>,
    names: &Names,
    (id, reference): (i64, &str),
    (opened, closed): (Timestamp, Option<Timestamp>),
    lead: Option<&(i64, String, Option<String>)>,
    messages: &[SampleMessage<'_>],
) -> Result<()> {
    let at = |at: Timestamp| Tx { now: at, ..*tx };
    let entry = |action: &'static str, description: String| Entry {
        action,
        description,
        subject: ("ticket", Some(id)),
        ticket_id: Some(id),
        changes: Changes::default(),
    };
    let system = Actor::system();
    activity::record(&at(opened), &system, entry("ticket.created", format!("{reference} was opened")))?;
    for message in messages {
        let Some((agent, name, _)) =
            message.agent.and_then(|id| names.agents.values().find(|(agent, ..)| *agent == id))
        else {
            continue;
        };
        let actor =
            Actor { id: Some(*agent), name: name.clone(), kind: activity::ActorType::Agent, ip: None };
        let (action, what) = if message.is_note {
            ("message.noted", "left a note on")
        } else {
            ("message.replied", "replied to")
        };
        activity::record(&at(message.at), &actor, entry(action, format!("{name} {what} {reference}")))?;
    }
    if let (Some(closed), Some((agent, name, _))) = (closed, lead) {
        let actor =
            Actor { id: Some(*agent), name: name.clone(), kind: activity::ActorType::Agent, ip: None };
        let mut changes = Changes::default();
        changes.note("status", "open", "closed");
        let closing = Entry { changes, ..entry("ticket.closed", format!("{name} closed {reference}")) };
        activity::record(&at(closed), &actor, closing)?;
    }
    Ok(())
}

/// Moves a sample's times forward by the whole days since they were last right.
///
/// # Errors
/// What SQLite says.
pub fn shift(tx: &Tx<'_>, sample: &store::Sample) -> Result<()> {
    let days = (tx.now.0 - sample.made_at.0).max(0) / DAY;
    let midnight = tx.now.midnight(&crate::setting::store::zone(tx)?);
    store::shift(tx, sample, days, midnight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_add_up() {
        assert_eq!(span("1d 2h 3m"), DAY + 2 * 3600 * SECOND + 3 * 60 * SECOND);
    }

    #[test]
    fn nothing_in_the_sample_happens_in_the_future_or_after_its_closing() {
        for ticket in tickets() {
            let talk: i64 = ticket.messages.iter().map(|message| span(&message.after)).sum();
            let left = span(&ticket.opened) - talk;
            let closed = match ticket.closed.as_deref() {
                Some("today") => 40 * 60 * SECOND,
                Some(ago) => span(ago),
                None => 0,
            };
            assert!(left > closed, "{}", ticket.title);
            assert_eq!(ticket.status == "closed", ticket.closed.is_some(), "{}", ticket.title);
        }
    }

    #[test]
    fn a_closing_meant_for_today_is_never_before_midnight() {
        let ticket = tickets().into_iter().find(|ticket| ticket.closed.as_deref() == Some("today")).unwrap();
        let midnight = Timestamp(1_773_532_800 * SECOND);
        for seconds in [0, 30, 3600, 86_399] {
            let now = midnight.plus(seconds * SECOND);
            let closed = closing(&ticket, 29, now, midnight).unwrap();
            assert!(closed >= midnight && closed <= now);
        }
    }

    #[test]
    fn published_keys_are_well_formed() {
        assert!(super::super::demo_keys().iter().all(|(_, key)| crate::auth::key::is_well_formed(key)));
    }
}
