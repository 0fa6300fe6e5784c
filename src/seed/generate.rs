//! Desks of any size, made of the sample's vocabulary. The same seed makes the same data; times are relative to now.

use std::path::Path;

use fastrand::Rng;

use super::store::{self, SampleAgent, SampleMessage, SampleNotification, SampleTicket};
use super::{Made, sample};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::knowledge::{self, model::Article};
use crate::notification::model::NotificationType;
use crate::scalar::PublicationStatus;
use crate::ticket::model::{Priority, Status};
use crate::time::{Clock, DAY, SECOND, Timestamp};

/// How large a desk to make, and from which seed.
#[derive(Clone, Debug)]
pub struct Size {
    /// How many tickets, each with about five messages.
    pub tickets: u32,
    /// How many agents.
    pub agents: u32,
    /// How many articles.
    pub articles: u32,
    /// What the choices are drawn from.
    pub seed: u64,
}

/// How far back the desk goes.
const SPAN: i64 = 730 * DAY;
/// How many tickets or articles are written in one transaction.
const CHUNK: u32 = 20_000;

/// What is drawn from.
struct Vocabulary {
    titles: Vec<String>,
    openings: Vec<String>,
    replies: Vec<String>,
    answers: Vec<String>,
    notes: Vec<String>,
    paragraphs: Vec<String>,
    first_names: Vec<String>,
    last_names: Vec<String>,
}

impl Vocabulary {
    fn new() -> Self {
        let tickets = sample::tickets();
        let sentences = |text: &str| -> Vec<String> {
            text.split_inclusive(['.', '!', '?', '。', '\n'])
                .map(str::trim)
                .filter(|sentence| sentence.chars().count() > 12)
                .map(str::to_owned)
                .collect()
        };
        let said = |which: fn(&sample::Message) -> bool| -> Vec<String> {
            let messages =
                tickets.iter().flat_map(|ticket| &ticket.messages).filter(|message| which(message));
            messages.map(|message| message.text.clone()).collect()
        };
        let desk = sample::desk();
        let people = desk
            .customers
            .iter()
            .map(|customer| &customer.name)
            .chain(desk.agents.iter().map(|agent| &agent.name));
        let (first_names, last_names) =
            people.filter_map(|name| name.split_once(' ')).map(|(a, b)| (a.to_owned(), b.to_owned())).unzip();
        Self {
            titles: tickets.iter().map(|ticket| ticket.title.clone()).collect(),
            openings: tickets.iter().flat_map(|ticket| sentences(&ticket.content)).collect(),
            replies: said(|message| message.from == "customer"),
            answers: said(|message| message.from != "customer" && !message.note),
            notes: said(|message| message.note),
            paragraphs: sample::knowledge()
                .articles
                .iter()
                .flat_map(|article| sentences(&article.content))
                .collect(),
            first_names,
            last_names,
        }
    }
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> Result<&'a T> {
    let n = rng.usize(..from.len().max(1));
    from.get(n).ok_or_else(|| Error::internal("the vocabulary is empty"))
}

/// What tickets refer to.
struct Desk {
    agents: Vec<(i64, String)>,
    customers: Vec<(i64, String, String)>,
    departments: Vec<i64>,
    categories: Vec<i64>,
    products: Vec<i64>,
    labels: Vec<i64>,
    field: Option<i64>,
}

/// Fills an empty database.
///
/// # Errors
/// What SQLite says.
pub fn fill(path: &Path, clock: &Clock, size: &Size, progress: &dyn Fn(u64)) -> Result<Made> {
    let mut hurry = store::Hurry::begin(path)?;
    let made = fill_everything(&mut hurry, clock, size, progress);
    // Also when it failed: a file that was there before stays, with what was written so far.
    let ended = hurry.end();
    let made = made?;
    ended.map(|()| made)
}

fn fill_everything(
    hurry: &mut store::Hurry,
    clock: &Clock,
    size: &Size,
    progress: &dyn Fn(u64),
) -> Result<Made> {
    let now = clock.now();
    let words = Vocabulary::new();
    let mut rng = Rng::with_seed(size.seed);
    let mut made = Made { keys: super::demo_keys(), ..Made::default() };
    made.keys.truncate(size.agents as usize);
    let desk = hurry.write(clock, |tx| {
        // First, so that what fails later can be reset like any other sample.
        store::mark_sample(tx, &[])?;
        fill_desk(&Tx { now, ..*tx }, size, &words, &mut rng)
    })?;
    let mut left = size.articles;
    while left > 0 {
        let chunk = left.min(CHUNK / 10);
        hurry.write(clock, |tx| {
            let tx = Tx { now, ..*tx };
            let articles = (0..chunk).map(|n| fill_article(&tx, left - n, size.articles, &words, &mut rng));
            knowledge::store::index_new(&tx, &articles.collect::<Result<Vec<_>>>()?)
        })?;
        left -= chunk;
    }
    made.articles = i64::from(size.articles);
    let mut done = 0;
    while done < size.tickets {
        let chunk = (size.tickets - done).min(CHUNK);
        hurry.write(clock, |tx| {
            let tx = Tx { now, ..*tx };
            let mut inserted = Vec::with_capacity(chunk as usize);
            for n in done..done + chunk {
                made.messages += fill_ticket(&tx, &desk, (n, size.tickets), &words, &mut rng, &mut inserted)?;
                if n % 500 == 0 {
                    progress(u64::from(n));
                }
            }
            store::index_tickets(&tx, &inserted)
        })?;
        done += chunk;
    }
    progress(u64::from(done));
    made.tickets = i64::from(done);
    hurry.write(clock, |tx| super::record(tx, format!("{} tickets", size.tickets)))?;
    Ok(made)
}

fn fill_desk(tx: &Tx<'_>, size: &Size, words: &Vocabulary, rng: &mut Rng) -> Result<Desk> {
    let at = tx.now.plus(-SPAN);
    let names = sample::fill_desk(tx, size.agents as usize)?;
    let mut agents: Vec<(i64, String)> =
        names.agents.values().map(|(id, name, _)| (*id, name.clone())).collect();
    agents.sort();
    let sorted = |ids: &std::collections::HashMap<String, i64>| {
        let mut ids: Vec<i64> = ids.values().copied().collect();
        ids.sort_unstable();
        ids
    };
    let departments = sorted(&names.departments);
    for n in agents.len()..size.agents as usize {
        let name = format!("{} {}", pick(rng, &words.first_names)?, pick(rng, &words.last_names)?);
        let email = format!("agent{}@larkspur.example", n + 1);
        let agent = SampleAgent {
            name: &name,
            email: &email,
            password_hash: None,
            phone: None,
            locale: None,
            avatar_url: None,
        };
        let id = store::insert_agent(tx, &agent, at)?;
        store::insert_agent_department(tx, id, *pick(rng, &departments)?)?;
        agents.push((id, name));
    }
    let mut customers: Vec<(i64, String, String)> =
        names.customers.iter().map(|(email, (id, name))| (*id, name.clone(), email.clone())).collect();
    customers.sort();
    for n in customers.len()..(size.tickets as usize / 20).max(customers.len()) {
        let name = format!("{} {}", pick(rng, &words.first_names)?, pick(rng, &words.last_names)?);
        let email = format!("customer{}@example.com", n + 1);
        let id = store::insert_customer(tx, (&name, &email, None), false, at)?;
        customers.push((id, name, email));
    }
    for canned in sample::canned() {
        store::insert_canned_response(tx, &canned, at)?;
    }
    Ok(Desk {
        agents,
        customers,
        departments,
        categories: sorted(&names.categories),
        products: sorted(&names.products),
        labels: sorted(&names.labels),
        field: names.fields.get("App version").copied(),
    })
}

fn fill_article(tx: &Tx<'_>, left: u32, all: u32, words: &Vocabulary, rng: &mut Rng) -> Result<Article> {
    let at = tx.now.plus(-(SPAN / i64::from(all)) * i64::from(left));
    let mut content = String::new();
    for _ in 0..rng.usize(8..16) {
        content.push_str(pick(rng, &words.paragraphs)?);
        content.push(' ');
    }
    let title = pick(rng, &words.titles)?;
    let number = all - left + 1;
    let mut article = Article {
        id: 0,
        title: format!("{title} ({number})"),
        slug: format!("article-{number}"),
        excerpt: Some(pick(rng, &words.paragraphs)?.chars().take(300).collect()),
        content: content.trim_end().to_owned(),
        category: None,
        views: rng.i64(0..5000),
        status: if rng.u8(..20) == 0 { PublicationStatus::Draft } else { PublicationStatus::Published },
        created_at: at,
    };
    article.id = store::insert_unsearchable(tx, &article, None, at)?;
    Ok(article)
}

/// One ticket; returns how many messages it has, and adds it to those that are to be made searchable.
fn fill_ticket(
    tx: &Tx<'_>,
    desk: &Desk,
    (n, all): (u32, u32),
    words: &Vocabulary,
    rng: &mut Rng,
    inserted: &mut Vec<store::Inserted>,
) -> Result<i64> {
    // Evenly over the span, the newest an hour ago, so that ids and times grow together.
    let age = (SPAN - 3600 * SECOND) / i64::from(all) * i64::from(all - n) + 3600 * SECOND;
    let opened = tx.now.plus(-age);
    let lead = if rng.u8(..20) == 0 { None } else { Some(pick(rng, &desk.agents)?) };
    let mut agents: Vec<i64> = lead.iter().map(|lead| lead.0).collect();
    if let Some(lead) = lead.filter(|_| rng.u8(..10) == 0) {
        let other = pick(rng, &desk.agents)?.0;
        if other != lead.0 {
            agents.push(other);
        }
    }
    let old = age > 14 * DAY;
    let status = match rng.u8(..100) {
        0..=2 if old => Status::Open,
        3..=4 if old => Status::InProgress,
        5..=6 if old => Status::OnHold,
        _ if old => Status::Closed,
        0..=39 => Status::Open,
        40..=59 => Status::InProgress,
        60..=69 => Status::OnHold,
        _ => Status::Closed,
    };
    let priority = match rng.u8(..10) {
        0 => Priority::Critical,
        1..=2 => Priority::High,
        3..=7 => Priority::Medium,
        _ => Priority::Low,
    };
    let (messages, last) = talk(words, rng, lead.map(|lead| lead.0), opened, age)?;
    let closed = (status == Status::Closed)
        .then(|| last.plus(((tx.now.0 - last.0) / 2).min(rng.i64(..3 * DAY).max(1))));
    let content = format!("{} {}", pick(rng, &words.openings)?, pick(rng, &words.openings)?);
    let customer = pick(rng, &desk.customers)?;
    let labels: Vec<i64> = if rng.bool() { vec![*pick(rng, &desk.labels)?] } else { vec![] };
    let version = format!("{}.{}", rng.u8(1..5), rng.u8(0..10));
    let fields: Vec<(i64, &str)> =
        desk.field.filter(|_| rng.u8(..3) == 0).map(|id| (id, version.as_str())).into_iter().collect();
    let ticket = SampleTicket {
        title: pick(rng, &words.titles)?,
        content: &content,
        status,
        priority,
        place: (
            Some(*pick(rng, &desk.departments)?),
            Some(*pick(rng, &desk.categories)?),
            Some(*pick(rng, &desk.products)?),
        ),
        customer: (customer.0, &customer.1, &customer.2),
        lead: lead.map(|lead| lead.0),
        agents: &agents,
        labels: &labels,
        fields: &fields,
        is_locked: rng.u8(..100) == 0,
        opened,
        closed,
        messages: &messages,
    };
    let made = store::insert_history(tx, &ticket)?;
    // The customers' replies of the last two months are what agents were told; a few days' worth is unread.
    if age < 60 * DAY {
        for message in messages.iter().filter(|message| message.agent.is_none()) {
            for agent in &agents {
                store::insert_notification(
                    tx,
                    &SampleNotification {
                        agent: *agent,
                        kind: NotificationType::Reply,
                        ticket: (made.id, made.reference.clone()),
                        sender: (customer.1.clone(), None),
                        is_read: age > 3 * DAY,
                        at: message.at,
                    },
                )?;
            }
        }
    }
    inserted.push(made);
    Ok(i64::try_from(messages.len()).unwrap_or(0))
}

/// A conversation of about five messages, and when its last one was written.
fn talk<'a>(
    words: &'a Vocabulary,
    rng: &mut Rng,
    lead: Option<i64>,
    opened: Timestamp,
    age: i64,
) -> Result<(Vec<SampleMessage<'a>>, Timestamp)> {
    let mut messages = Vec::new();
    let mut at = opened;
    let step = (age / 12).min(DAY);
    for n in 0..rng.usize(2..9) {
        at = at.plus(rng.i64(1..step.max(2)));
        let agent = if n % 2 == 0 { lead } else { None };
        let is_note = agent.is_some() && rng.u8(..6) == 0;
        let text = pick(
            rng,
            match (agent, is_note) {
                (None, _) => &words.replies,
                (Some(_), false) => &words.answers,
                (Some(_), true) => &words.notes,
            },
        )?;
        messages.push(SampleMessage { agent, is_note, text, at, likes: &[] });
    }
    Ok((messages, at))
}
