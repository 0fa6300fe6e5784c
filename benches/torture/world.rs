//! The reference model of a desk: what the contract says, in plain structs without a database, an index or a counter.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The name of the key that administers the desk under torture.
pub const ADMIN: &str = "Admin";
/// Its customer.
pub const CUSTOMER: (i64, &str, &str) = (1, "John Doe", "john@example.com");
/// The kinds of notification an agent may mute.
pub const KINDS: [&str; 4] = ["ticket_reply", "ticket_assigned", "ticket_status", "ticket_note"];

/// The whole desk.
#[derive(Debug, Default)]
pub struct World {
    /// Every ticket, by id.
    pub tickets: Vec<Ticket>,
    /// What agents were told, oldest first.
    pub notices: Vec<Notice>,
    /// Whether agents see the tickets of their departments.
    pub by_department: bool,
    /// Which agent has muted which kind.
    pub muted: BTreeSet<(i64, &'static str)>,
    /// Which agent is in which department.
    pub members: Vec<(i64, i64)>,
    /// Orders what happens.
    pub tick: u64,
}

/// A ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the API")]
pub struct Ticket {
    pub id: i64,
    pub reference: String,
    pub title: String,
    pub content: String,
    pub status: &'static str,
    pub priority: &'static str,
    pub department: Option<i64>,
    pub lead: Option<i64>,
    pub agents: BTreeSet<i64>,
    pub labels: BTreeSet<i64>,
    pub is_resolved: bool,
    pub is_locked: bool,
    pub messages: Vec<Message>,
    /// Whether the customer had the last public word.
    pub awaits: bool,
    /// When it was last touched, and when last replied to; 0 is never.
    pub touched: u64,
    pub replied: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the API")]
pub struct Message {
    pub id: i64,
    pub content: String,
    pub is_internal: bool,
    pub sender: Who,
    pub likes: BTreeSet<i64>,
}

/// What an agent was told.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are those of the API")]
pub struct Notice {
    pub agent: i64,
    pub kind: &'static str,
    pub ticket: i64,
    pub reference: String,
    pub sender: String,
    pub is_read: bool,
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An agent.
    Agent(i64),
    /// The administrator's key.
    Admin,
    /// The customer, by the administrator's key.
    Customer,
}

impl Who {
    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Agent(id) => name_of(id),
            Self::Admin => ADMIN.into(),
            Self::Customer => CUSTOMER.1.into(),
        }
    }
}

/// What is to change about a ticket.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of the API")]
pub struct Patch {
    pub status: Option<&'static str>,
    pub priority: Option<&'static str>,
    pub labels: Option<BTreeSet<i64>>,
    pub agents: Option<BTreeSet<i64>>,
    pub lead: Option<Option<i64>>,
    pub department: Option<Option<i64>>,
    pub is_resolved: Option<bool>,
    pub is_locked: Option<bool>,
}

impl Patch {
    /// As it is sent.
    pub fn json(&self) -> Value {
        let fields = [
            ("status", self.status.map(Value::from)),
            ("priority", self.priority.map(Value::from)),
            ("labels", self.labels.as_ref().map(|ids| json!(ids))),
            ("agents", self.agents.as_ref().map(|ids| json!(ids))),
            ("assigned_to", self.lead.map(|lead| json!(lead))),
            ("department_id", self.department.map(|id| json!(id))),
            ("is_resolved", self.is_resolved.map(Value::from)),
            ("is_locked", self.is_locked.map(Value::from)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// An agent's name.
pub fn name_of(agent: i64) -> String {
    format!("Writer {}", agent - 1)
}

impl World {
    /// Whether somebody sees a ticket: nobody in particular, the administrator, sees all.
    pub fn sees(&self, agent: Option<i64>, ticket: &Ticket) -> bool {
        let Some(agent) = agent else { return true };
        let of_department = |id: i64| self.by_department && self.members.contains(&(agent, id));
        ticket.agents.contains(&agent) || ticket.department.is_some_and(of_department)
    }

    /// A ticket that somebody sees.
    pub fn find(&self, agent: Option<i64>, id: i64) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.id == id && self.sees(agent, ticket))
    }

    fn at(&mut self, id: i64) -> Option<usize> {
        self.tick += 1;
        self.tickets.iter().position(|ticket| ticket.id == id)
    }

    /// Changes a ticket.
    pub fn change(&mut self, id: i64, patch: &Patch, who: Who) {
        let Some(at) = self.at(id) else { return };
        let before = self.tickets[at].clone();
        let mut after = before.clone();
        after.agents = patch.agents.clone().unwrap_or(after.agents);
        after.lead = after.lead.filter(|lead| after.agents.contains(lead));
        if let Some(lead) = patch.lead {
            after.lead = lead;
            after.agents.extend(lead);
        }
        after.labels = patch.labels.clone().unwrap_or(after.labels);
        after.department = patch.department.unwrap_or(after.department);
        after.priority = patch.priority.unwrap_or(after.priority);
        after.is_locked = patch.is_locked.unwrap_or(after.is_locked);
        after.status = patch.status.unwrap_or(after.status);
        if after.status != before.status && [after.status, before.status].contains(&"closed") {
            after.is_resolved = after.status == "closed";
        }
        after.is_resolved = patch.is_resolved.unwrap_or(after.is_resolved);
        if after == before {
            return;
        }
        after.touched = self.tick;
        let joined = after.agents.difference(&before.agents).copied().collect();
        let turned = after.status != before.status;
        self.notices.retain(|notice| notice.ticket != id || after.agents.contains(&notice.agent));
        self.tickets[at] = after;
        self.tell(at, "ticket_assigned", who, Some(joined));
        if turned {
            self.tell(at, "ticket_status", who, None);
        }
    }

    /// Tells those on a ticket, or those of them that are named, unless they did it or do not want to know.
    fn tell(&mut self, at: usize, kind: &'static str, who: Who, only: Option<BTreeSet<i64>>) {
        let ticket = &self.tickets[at];
        let told = ticket.agents.iter().copied().filter(|agent| {
            who != Who::Agent(*agent)
                && !self.muted.contains(&(*agent, kind))
                && only.as_ref().is_none_or(|only| only.contains(agent))
        });
        let (id, reference) = (ticket.id, &ticket.reference);
        let notice = |agent| Notice {
            agent,
            kind,
            ticket: id,
            reference: reference.clone(),
            sender: who.name(),
            is_read: false,
        };
        self.notices.extend(told.map(notice).collect::<Vec<_>>());
    }

    /// A new ticket, with the id and the reference that it got.
    pub fn open(&mut self, mut ticket: Ticket) {
        self.tick += 1;
        ticket.touched = self.tick;
        ticket.agents.extend(ticket.lead);
        let lead = ticket.agents.clone();
        self.tickets.push(ticket);
        self.tell(self.tickets.len() - 1, "ticket_assigned", Who::Admin, Some(lead));
    }

    /// A message is written, with the id that it got.
    pub fn write(&mut self, id: i64, message: Message) {
        let Some(at) = self.at(id) else { return };
        let (tick, who) = (self.tick, message.sender);
        let ticket = &mut self.tickets[at];
        ticket.touched = tick;
        let is_internal = message.is_internal;
        if !is_internal {
            ticket.replied = tick;
            ticket.awaits = who == Who::Customer;
        }
        let reopens = who == Who::Customer && ticket.status == "closed";
        ticket.messages.push(message);
        if is_internal {
            self.tell(at, "ticket_note", who, None);
        } else if who == Who::Customer {
            self.tell(at, "ticket_reply", who, None);
        }
        if reopens {
            self.change(id, &Patch { status: Some("open"), ..Patch::default() }, who);
        }
    }

    /// A like is turned round: whether it is there now, and how many are.
    pub fn like(&mut self, ticket: i64, message: i64, agent: i64) -> Option<(bool, usize)> {
        let ticket = self.tickets.iter_mut().find(|known| known.id == ticket)?;
        let message = ticket.messages.iter_mut().find(|known| known.id == message)?;
        let liked = !message.likes.remove(&agent) && message.likes.insert(agent);
        Some((liked, message.likes.len()))
    }

    /// A ticket goes, and all that was under it.
    pub fn delete(&mut self, id: i64) {
        self.tickets.retain(|ticket| ticket.id != id);
        self.notices.retain(|notice| notice.ticket != id);
    }

    /// An agent's dashboard.
    pub fn dashboard(&self, agent: i64) -> Value {
        let count = |fits: fn(&Ticket) -> bool| {
            self.tickets.iter().filter(|ticket| self.sees(Some(agent), ticket) && fits(ticket)).count()
        };
        json!({
            "open_tickets": count(|ticket| ticket.status == "open"),
            "in_progress_tickets": count(|ticket| ticket.status == "in_progress"),
            "needs_response": count(|ticket| ticket.awaits && ticket.status != "closed"),
            "closed_today": count(|ticket| ticket.status == "closed"),
        })
    }

    /// An agent's notices, newest first.
    pub fn told(&self, agent: i64) -> impl Iterator<Item = &Notice> {
        self.notices.iter().rev().filter(move |notice| notice.agent == agent)
    }
}

impl Notice {
    /// As it is read, but for the id.
    pub fn json(&self) -> Value {
        let (reference, sender) = (&self.reference, &self.sender);
        let (title, message) = match self.kind {
            "ticket_reply" => {
                (format!("New reply on {reference}"), format!("{sender} replied to your ticket"))
            }
            "ticket_assigned" => (format!("{reference} is yours"), format!("{sender} put you on the ticket")),
            "ticket_status" => {
                (format!("Status of {reference} changed"), format!("{sender} changed the ticket's status"))
            }
            _ => (format!("New note on {reference}"), format!("{sender} left an internal note")),
        };
        json!({
            "type": self.kind, "title": title, "message": message, "ticket_id": self.ticket,
            "sender_name": sender, "sender_avatar": null, "is_read": self.is_read, "created_at": "then",
        })
    }
}

impl Message {
    /// As it is read under a ticket.
    pub fn json(&self, ticket: i64, reader: Option<i64>, admin_key: i64) -> Value {
        let (kind, id) = match self.sender {
            Who::Agent(id) => ("agent", id),
            Who::Admin => ("user", admin_key),
            Who::Customer => ("customer", CUSTOMER.0),
        };
        json!({
            "id": self.id, "ticket_id": ticket, "content": self.content, "is_internal": self.is_internal,
            "sender": { "type": kind, "id": id, "name": self.sender.name(), "avatar_url": null },
            "likes_count": self.likes.len(), "liked": reader.is_some_and(|me| self.likes.contains(&me)),
            "created_at": "then", "updated_at": "then",
        })
    }
}

impl Ticket {
    /// As it is read. A time that is there is `then`.
    pub fn json(&self) -> Value {
        let agent = |id: i64| json!({ "id": id, "name": name_of(id) });
        let others = self.agents.iter().copied().filter(|id| Some(*id) != self.lead);
        let then = |there: bool| there.then_some("then");
        let label = |id: &i64| json!({ "id": id, "name": format!("Bit {}", id - 1), "color": "#123456" });
        let department = |id: i64| json!({ "id": id, "name": format!("Department {id}") });
        json!({
            "id": self.id, "reference_id": self.reference, "title": self.title, "content": self.content,
            "status": self.status, "priority": self.priority, "department": self.department.map(department),
            "category": null, "product": null,
            "customer": { "id": CUSTOMER.0, "name": CUSTOMER.1, "email": CUSTOMER.2 },
            "labels": self.labels.iter().map(label).collect::<Vec<_>>(), "assigned_to": self.lead.map(agent),
            "agents": self.lead.into_iter().chain(others).map(agent).collect::<Vec<_>>(), "custom_fields": [],
            "is_resolved": self.is_resolved, "is_locked": self.is_locked,
            "last_reply_at": then(self.replied > 0), "closed_at": then(self.status == "closed"),
            "created_at": "then", "updated_at": "then",
        })
    }
}
