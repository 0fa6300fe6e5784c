//! What is asked: one case or more for each operation of the External API. One without is an error, so none can be forgotten.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use lodge::db::{Optional, Paging, open};
use lodge::http::answer::{Done, Listing, Reply, Whole};
use lodge::notification::model::UnreadCount;
use lodge::ticket::Visibility;
use lodge::ticket::model::{Filter, Priority, Status};
use lodge::{
    agent, canned_response, department, knowledge, label, message, notification, setting, text, ticket,
};
use serde_json::{Value, json};

use crate::Failure;
use crate::desk::World;
use crate::direct::{Work, work};
use crate::load::Ask;
use crate::words::Words;

/// What kind of work it is: the goals differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No database at all.
    Nothing,
    /// A list.
    List,
    /// A search, of which the server does one at a time.
    Search,
    /// One thing.
    Point,
    /// A change.
    Write,
}

/// Work that is used up: how many requests there are, and the SQL that makes them real work again.
pub struct Batch {
    /// How many requests.
    pub size: usize,
    /// What is done before each batch, beside the server.
    pub refill: String,
}

/// One thing that is asked, over and over, of ever different tickets.
pub struct Case {
    /// The operation.
    pub operation: &'static str,
    /// How the table calls it.
    pub name: &'static str,
    /// What kind of work it is.
    pub kind: Kind,
    /// The status of every answer.
    pub ok: u16,
    /// If it is used up.
    pub batch: Option<Batch>,
    /// Of reads: the same without HTTP, which is their second limit.
    pub work: Option<Work>,
    make: Box<dyn Fn(usize) -> Ask>,
    asked: Cell<usize>,
}

impl Case {
    /// So many requests as are asked for.
    pub fn of(
        operation: &'static str,
        name: &'static str,
        kind: Kind,
        make: impl Fn(usize) -> Ask + 'static,
    ) -> Self {
        let make = Box::new(make);
        Self { operation, name, kind, ok: 200, batch: None, work: None, make, asked: Cell::new(0) }
    }

    fn answers(mut self, status: u16) -> Self {
        self.ok = status;
        self
    }

    fn doing(mut self, work: Work) -> Self {
        self.work = Some(work);
        self
    }

    fn used_up(mut self, size: usize, refill: String) -> Self {
        self.batch = Some(Batch { size, refill });
        self
    }

    /// The next request; nothing when the batch is used up.
    pub fn next(&self) -> Option<Ask> {
        let n = self.asked.get();
        if self.batch.as_ref().is_some_and(|batch| n >= batch.size) {
            return None;
        }
        self.asked.set(n + 1);
        Some((self.make)(n))
    }

    /// Lets so many requests pass that something else makes; the number of the first.
    pub fn pass(&self, count: usize) -> usize {
        self.asked.replace(self.asked.get() + count)
    }

    /// Makes a used batch real work again, beside the server.
    pub fn refill(&self, world: &World) -> Result<(), Failure> {
        if let Some(batch) = &self.batch {
            open::writable(&world.path)?.execute_batch(&batch.refill)?;
            self.asked.set(0);
        }
        Ok(())
    }
}

/// A request to the External API.
pub fn ask(method: &'static str, path: &str, key: &str, body: Option<&Value>) -> Ask {
    Ask {
        method,
        path: format!("/api/v1/external{path}"),
        headers: vec![("X-API-KEY".into(), key.into())],
        body: body.map(Value::to_string),
    }
}

fn get(world: &World, path: &str) -> Ask {
    ask("GET", path, world.me(), None)
}

/// Text as it stands in a query.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The health check, which everything is compared with.
pub fn health() -> Case {
    Case::of("health_check", "health check", Kind::Nothing, |_| Ask {
        method: "GET",
        path: "/api/v1/health-check".into(),
        ..Ask::default()
    })
}

/// A page of the caller's tickets.
fn tickets(filter: Filter, page: i64) -> Work {
    work(move |tx, me, _| {
        let paging = Paging { page, per_page: me.tickets_per_page() };
        Listing::new(ticket::store::list(tx, &Visibility::from(me), &filter, paging)?)
    })
}

/// Every read, and what it does without HTTP.
pub fn reads(world: &Rc<World>, words: &Words) -> Vec<Case> {
    let plain = |operation, name, kind, path: &str| {
        let ask = get(world, path);
        Case::of(operation, name, kind, move |_| ask.clone())
    };
    let searched = |operation, name, path: &'static str, words: &[String]| {
        let (world, words) = (Rc::clone(world), words.to_vec());
        Case::of(operation, name, Kind::Search, move |n| {
            get(&world, &format!("{path}{}", encoded(&words[n % words.len()])))
        })
    };
    let of_ticket = |operation, name, kind, path: &'static str| {
        let world = Rc::clone(world);
        Case::of(operation, name, kind, move |n| {
            get(&world, &path.replace('#', &world.tickets[n % world.tickets.len()].to_string()))
        })
    };
    let folded = |words: &[String]| words.iter().map(|word| text::words(word)).collect::<Vec<_>>();
    let (in_tickets, in_articles) = (folded(&words.rare_in_tickets), folded(&words.rare_in_articles));
    let (one, conversation) = (world.tickets.clone(), world.tickets.clone());
    let last = (world.total + 14) / 15;
    let closed =
        Filter { status: Some(Status::Closed), priority: Some(Priority::Medium), ..Filter::default() };
    vec![
        health(),
        plain("connection_check", "connection check", Kind::Point, "/connection-check")
            .doing(work(|_, _, _| Done::new("Connection check successful"))),
        plain("get_dashboard", "dashboard", Kind::Point, "/dashboard").doing(work(|tx, me, _| {
            let midnight = tx.now.midnight(&setting::store::zone(tx)?);
            Reply::new(&ticket::store::dashboard(tx, &Visibility::from(me), midnight)?)
        })),
        plain("list_tickets", "tickets, first page", Kind::List, "/tickets")
            .doing(tickets(Filter::default(), 1)),
        plain(
            "list_tickets",
            "tickets, filtered, with total",
            Kind::List,
            "/tickets?status=closed&priority=medium",
        )
        .doing(tickets(closed, 1)),
        plain("list_tickets", "tickets, last page", Kind::List, &format!("/tickets?page={last}"))
            .doing(tickets(Filter::default(), last)),
        searched("list_tickets", "tickets, searched", "/tickets?q=", &words.rare_in_tickets).doing(work(
            move |tx, me, n| {
                let words = Some(in_tickets[n % in_tickets.len()].clone());
                let paging = Paging { page: 1, per_page: me.tickets_per_page() };
                let filter = Filter { words, ..Filter::default() };
                Listing::new(ticket::store::list(tx, &Visibility::from(me), &filter, paging)?)
            },
        )),
        of_ticket("get_ticket", "one ticket", Kind::Point, "/tickets/#").doing(work(move |tx, me, n| {
            let shown = ticket::rules::find(tx, me, one[n % one.len()])?;
            Reply::tagged(&shown.ticket, shown.version.etag())
        })),
        of_ticket("list_messages", "a ticket's messages", Kind::List, "/tickets/#/messages").doing(work(
            move |tx, me, n| {
                let id = conversation[n % conversation.len()];
                let customer = ticket::rules::find_customer(tx, me, id)?;
                let paging = Paging { page: 1, per_page: 30 };
                let order = message::model::Order::Asc;
                Listing::new(message::store::list(tx, (id, &customer), me.id(), order, paging)?)
            },
        )),
        plain("list_labels", "labels", Kind::List, "/labels")
            .doing(work(|tx, _, _| Whole::new(label::store::list_published(tx)?))),
        plain("list_departments", "departments", Kind::List, "/departments")
            .doing(work(|tx, _, _| Whole::new(department::store::list_published(tx)?))),
        plain("list_canned_responses", "canned responses", Kind::List, "/canned-responses")
            .doing(work(|tx, _, _| Whole::new(canned_response::store::list_active(tx)?))),
        searched(
            "search_knowledge_base",
            "knowledge base, searched",
            "/knowledge-base/search?q=",
            &words.rare_in_articles,
        )
        .doing(work(move |tx, _, n| {
            Whole::new(knowledge::store::search(tx, in_articles[n % in_articles.len()].clone())?)
        })),
        plain("get_profile", "profile", Kind::Point, "/profile")
            .doing(work(|tx, me, _| Reply::new(&agent::store::find_profile(tx, me.id())?.or_not_found()?))),
        plain("list_notifications", "notifications", Kind::List, "/notifications").doing(work(
            |tx, me, _| {
                let paging = Paging { page: 1, per_page: 20 };
                Listing::new(notification::store::list(tx, me.id(), false, paging)?)
            },
        )),
        plain("count_unread_notifications", "unread count", Kind::Point, "/notifications/unread-count")
            .doing(work(|tx, me, _| {
                let (_, unread_count) = notification::store::count(tx, me.id())?;
                Reply::new(&UnreadCount { unread_count })
            })),
    ]
}

/// A ticket polled with the `ETag` it has.
pub fn unchanged(world: &Rc<World>, etag: &str) -> Case {
    let mut ask = get(world, &format!("/tickets/{}", world.tickets[0]));
    ask.headers.push(("If-None-Match".into(), etag.into()));
    let id = world.tickets[0];
    Case::of("get_ticket", "one ticket, unchanged (304)", Kind::Point, move |_| ask.clone())
        .answers(304)
        .doing(work(move |tx, me, _| {
            let etag = ticket::rules::find_version(tx, me, id)?.etag();
            Ok(Reply::<ticket::model::Ticket>::unchanged(etag))
        }))
}

/// A public reply, each on another ticket.
pub fn reply(world: &Rc<World>) -> Case {
    let world = Rc::clone(world);
    Case::of("create_message", "reply", Kind::Write, move |n| {
        let (who, ticket, _) = &world.open[n % world.open.len()];
        let body = json!({"content": format!("Thank you for the details, {n}. We are looking into it."), "is_internal": false});
        ask("POST", &format!("/tickets/{ticket}/messages"), &world.keys[*who], Some(&body))
    })
    .answers(201)
}

/// Every write. Each request changes something.
pub fn writes(world: &Rc<World>) -> Vec<Case> {
    let of = || Rc::clone(world);
    let (update, like, close, read, all, profile) = (of(), of(), of(), of(), of(), of());
    let ids = |ids: Vec<i64>| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let open = ids(world.open.iter().map(|(_, ticket, _)| *ticket).collect());
    let newest = (0..world.keys.len()).flat_map(|agent| {
        world.notifications.iter().filter(move |(who, _)| *who == agent).take(20).map(|(_, id)| *id)
    });
    let newest = newest.collect();
    let told = ids(world.notifications.iter().map(|(_, id)| *id).collect());
    vec![
        Case::of("update_ticket", "update a ticket", Kind::Write, move |n| {
            const TURNS: [&str; 4] = ["low", "medium", "high", "critical"];
            let (who, ticket, now) = &update.open[n % update.open.len()];
            let now = TURNS.iter().position(|priority| priority == now).unwrap_or(0);
            let next = TURNS[(now + 1 + n / update.open.len()) % 4];
            let body = json!({"priority": next});
            ask("PUT", &format!("/tickets/{ticket}"), &update.keys[*who], Some(&body))
        }),
        Case::of("close_ticket", "close a ticket", Kind::Write, move |n| {
            let (who, ticket, _) = &close.open[n];
            ask("POST", &format!("/tickets/{ticket}/close"), &close.keys[*who], None)
        })
        .used_up(
            world.open.len(),
            format!(
                "UPDATE ticket SET status = 'open', closed_at = NULL, is_resolved = 0 WHERE id IN ({open})"
            ),
        ),
        reply(world),
        Case::of("toggle_message_like", "like a message", Kind::Write, move |n| {
            let (who, ticket, message) = like.messages[n % like.messages.len()];
            ask("POST", &format!("/tickets/{ticket}/messages/{message}/like"), &like.keys[who], None)
        }),
        Case::of("mark_notification_read", "mark a notification read", Kind::Write, move |n| {
            let (who, id) = read.notifications[n];
            ask("POST", &format!("/notifications/{id}/read"), &read.keys[who], None)
        })
        .used_up(
            world.notifications.len(),
            format!("UPDATE notification SET is_read = 0 WHERE id IN ({told})"),
        ),
        Case::of("mark_all_notifications_read", "mark all read (20 each)", Kind::Write, move |n| {
            ask("POST", "/notifications/read-all", &all.keys[n], None)
        })
        .used_up(
            world.keys.len(),
            format!(
                "UPDATE notification SET is_read = 1 WHERE is_read = 0;
                 UPDATE notification SET is_read = 0 WHERE id IN ({})",
                ids(newest)
            ),
        ),
        Case::of("update_profile", "update the profile", Kind::Write, move |n| {
            let body = json!({"phone": format!("+49 30 {n}")});
            ask("PUT", "/profile", profile.me(), Some(&body))
        }),
    ]
}

/// Whether every operation of the External API, and the health check, is among these.
pub fn complete<'a>(cases: impl Iterator<Item = &'a Case>) -> Result<(), Failure> {
    let known: BTreeSet<&str> = cases.map(|case| case.operation).collect();
    let paths = lodge::app::document().tree()["paths"].as_object().ok_or("the document has no paths")?;
    let ours = paths.iter().filter(|(path, _)| !path.contains("/internal/"));
    let operations = ours.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
    let missing: Vec<&str> = operations
        .filter_map(|(_, operation)| operation["operationId"].as_str())
        .filter(|id| !known.contains(id))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("nothing is asked of {}", missing.join(", ")).into())
    }
}
