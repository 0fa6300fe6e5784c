//! What may be done to a ticket, and what follows from it.

use serde_json::{Value, json};

use super::field::{self, Fields};
use super::model::{AdminTicketPatch, CustomerReference, State, Status, Texts};
use super::store::{self, Place, Shown};
use super::{Condition, Version, Visibility};
use crate::activity::{self, Actor, Changes, Entry};
use crate::auth::{Admin, Agent};
use crate::customer::model::Customer;
use crate::db::{Optional, Tx, search};
use crate::error::{Check, Result};
use crate::label;
use crate::notification::model::NotificationType;
use crate::notification::{self, Sender, notify, notify_assigned};
use crate::noun::{MaybeUndefined, Stored};
use crate::scalar::Id;
use crate::time::Timestamp;

/// Who does something to a ticket, as the log and those who are told see it.
#[derive(Debug)]
pub struct Doer<'a> {
    /// As the log sees it.
    pub actor: Actor,
    /// Its picture.
    pub avatar_url: Option<&'a str>,
    /// Whose word it passes on, if not its own: a customer's name.
    pub speaks_for: Option<&'a str>,
}

impl<'a> From<&'a Agent> for Doer<'a> {
    fn from(agent: &'a Agent) -> Self {
        Self { actor: agent.actor(), avatar_url: agent.avatar_url(), speaks_for: None }
    }
}

impl From<&Admin> for Doer<'_> {
    fn from(admin: &Admin) -> Self {
        Self { actor: admin.actor(), avatar_url: None, speaks_for: None }
    }
}

impl Doer<'_> {
    /// The desk itself.
    pub fn system() -> Self {
        Self { actor: Actor::system(), avatar_url: None, speaks_for: None }
    }

    /// What people know it by.
    pub fn name(&self) -> &str {
        self.speaks_for.unwrap_or(&self.actor.name)
    }

    /// As a notification shows it.
    pub fn sender(&self) -> Sender<'_> {
        Sender { agent_id: self.actor.agent_id(), name: self.name(), avatar_url: self.avatar_url }
    }
}

/// The ticket as it stands, if the caller sees it.
///
/// # Errors
/// [`crate::error::Error::NotFound`], for a ticket that is not there and for one the caller does not see alike.
pub fn find_visible(tx: &Tx<'_>, me: impl Into<Visibility>, id: i64) -> Result<State> {
    store::find_state(tx, &me.into(), id)?.or_not_found()
}

/// A whole ticket, if the caller sees it.
///
/// # Errors
/// [`crate::error::Error::NotFound`].
pub fn find(tx: &Tx<'_>, me: impl Into<Visibility>, id: i64) -> Result<Shown> {
    store::find_seen(tx, &me.into(), id)?.or_not_found()
}

/// The version of a ticket the caller sees.
///
/// # Errors
/// [`crate::error::Error::NotFound`].
pub fn find_version(tx: &Tx<'_>, me: impl Into<Visibility>, id: i64) -> Result<Version> {
    store::find_version(tx, &me.into(), id)?.or_not_found()
}

/// The customer of a ticket the caller sees.
///
/// # Errors
/// [`crate::error::Error::NotFound`].
pub fn find_customer(tx: &Tx<'_>, me: impl Into<Visibility>, id: i64) -> Result<CustomerReference> {
    store::find_customer(tx, &me.into(), id)?.or_not_found()
}

/// Changes a ticket; locked ones too. A change that leaves everything as it is writes nothing.
///
/// # Errors
/// [`crate::error::Error::PreconditionFailed`], [`crate::error::Error::Invalid`] for references that are not there to be set
/// and for values that do not fit.
pub fn update(
    tx: &Tx<'_>,
    doer: &Doer<'_>,
    before: &State,
    patch: &AdminTicketPatch,
    seen: &Condition,
) -> Result<()> {
    seen.require(before.version)?;
    let plan = Plan::make(tx, before, patch)?;
    if plan.changes.is_empty() {
        return Ok(());
    }
    plan.write(tx, before)?;
    let id = before.id;
    let removed: Vec<i64> = plan.had.iter().copied().filter(|agent| !plan.agents.contains(agent)).collect();
    let joined: Vec<i64> = plan.agents.iter().copied().filter(|agent| !plan.had.contains(agent)).collect();
    if !removed.is_empty() {
        notification::store::delete_for(tx, id, &removed)?;
    }
    notify_assigned(tx, (id, &before.reference_id), &joined, &doer.sender())?;
    after_change(tx, doer, before, &plan.after, plan.changes)
}

/// Closes a ticket. One that is closed already stays as it is.
///
/// # Errors
/// What SQLite says.
pub fn close(tx: &Tx<'_>, doer: &Doer<'_>, ticket: &State) -> Result<()> {
    let patch = AdminTicketPatch { status: Some(Status::Closed), ..AdminTicketPatch::default() };
    if ticket.status == Status::Closed {
        return Ok(());
    }
    update(tx, doer, ticket, &patch, &Condition::Absent)
}

/// Opens a closed ticket again, because its customer wrote.
///
/// # Errors
/// What SQLite says.
pub fn reopen(tx: &Tx<'_>, doer: &Doer<'_>, ticket: &State) -> Result<()> {
    let patch = AdminTicketPatch { status: Some(Status::Open), ..AdminTicketPatch::default() };
    update(tx, doer, ticket, &patch, &Condition::Absent)
}

/// Closes, as the desk itself, tickets that wait for nobody but the customer and have not been touched since `before`: at
/// most `limit`, longest untouched first. Returns how many.
///
/// # Errors
/// What SQLite says.
pub fn close_idle(tx: &Tx<'_>, before: Timestamp, limit: i64) -> Result<usize> {
    let idle = store::idle(tx, before, limit)?;
    for id in &idle {
        let ticket = store::find_state(tx, &Visibility::Desk, *id)?.or_not_found()?;
        close(tx, &Doer::system(), &ticket)?;
    }
    Ok(idle.len())
}

/// Deletes a ticket with its messages, likes, links and notifications.
///
/// # Errors
/// What SQLite says.
pub fn delete(tx: &Tx<'_>, me: &Admin, ticket: &State) -> Result<()> {
    store::delete(tx, ticket.id)?;
    let entry = Entry {
        action: "ticket.deleted",
        description: format!("{} deleted {}", me.name(), ticket.reference_id),
        subject: ("ticket", Some(ticket.id)),
        ticket_id: Some(ticket.id),
        changes: Changes::default(),
    };
    activity::record(tx, &me.actor(), entry)
}

/// A change that has been checked and not yet been written.
struct Plan {
    after: State,
    texts: Option<Texts>,
    /// Who was on the ticket.
    had: Vec<i64>,
    /// Who is to be.
    agents: Vec<i64>,
    labels: Option<Vec<i64>>,
    fields: Vec<(i64, Option<String>)>,
    changes: Changes,
}

impl Plan {
    fn make(tx: &Tx<'_>, before: &State, patch: &AdminTicketPatch) -> Result<Self> {
        let mut wrong = Check::default();
        let mut plan = Self {
            after: before.clone(),
            texts: None,
            had: store::agents(tx, before.id)?,
            agents: vec![],
            labels: None,
            fields: vec![],
            changes: Changes::default(),
        };
        plan.place(tx, patch, &mut wrong)?;
        plan.assign(tx, patch, &mut wrong)?;
        plan.label(tx, patch, &mut wrong)?;
        plan.fill(tx, patch, &mut wrong)?;
        wrong.finish()?;
        plan.stand(patch);
        plan.say(tx, patch)?;
        plan.compare(before);
        Ok(plan)
    }

    /// Department, category, product, customer.
    fn place(&mut self, tx: &Tx<'_>, patch: &AdminTicketPatch, wrong: &mut Check) -> Result<()> {
        let after = &mut self.after;
        let places = [
            (Place::Department, &mut after.department_id, &patch.department_id),
            (Place::Category, &mut after.category_id, &patch.category_id),
            (Place::Product, &mut after.product_id, &patch.product_id),
        ];
        for (place, had, wanted) in places {
            let wanted = match wanted {
                MaybeUndefined::Undefined => continue,
                MaybeUndefined::Null => None,
                MaybeUndefined::Value(id) => Some(id.0),
            };
            if *had != wanted {
                check_place(tx, place, wanted, wrong)?;
                *had = wanted;
            }
        }
        if let Some(customer) = &patch.customer_id {
            if Customer::find(tx, customer.0)?.is_none() {
                wrong.add("customer_id", format!("there is no customer {}", customer.0));
            }
            after.customer_id = customer.0;
        }
        Ok(())
    }

    /// Who is on it and who leads: the set first, then the lead, who joins.
    fn assign(&mut self, tx: &Tx<'_>, patch: &AdminTicketPatch, wrong: &mut Check) -> Result<()> {
        self.agents = patch.agents.as_ref().map_or_else(|| self.had.clone(), |agents| ids(agents));
        self.after.lead_id = self.after.lead_id.filter(|lead| self.agents.contains(lead));
        if patch.agents.is_some() {
            check_agents(tx, "agents", &self.agents, wrong)?;
        }
        match &patch.assigned_to {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => self.after.lead_id = None,
            MaybeUndefined::Value(lead) => {
                check_agents(tx, "assigned_to", &[lead.0], wrong)?;
                self.after.lead_id = Some(lead.0);
                if !self.agents.contains(&lead.0) {
                    self.agents.push(lead.0);
                    self.agents.sort_unstable();
                }
            }
        }
        Ok(())
    }

    fn label(&mut self, tx: &Tx<'_>, patch: &AdminTicketPatch, wrong: &mut Check) -> Result<()> {
        let Some(wanted) = &patch.labels else { return Ok(()) };
        let (had, wanted) = (store::labels(tx, self.after.id)?, ids(wanted));
        check_labels(tx, &wanted, &had, wrong)?;
        self.changes.note("labels", had, wanted.clone());
        self.labels = Some(wanted);
        Ok(())
    }

    fn fill(&mut self, tx: &Tx<'_>, patch: &AdminTicketPatch, wrong: &mut Check) -> Result<()> {
        let Some(sent) = &patch.custom_fields else { return Ok(()) };
        let had: Fields =
            store::fields(tx, self.after.id)?.into_iter().map(|field| (field.0, field.1)).collect();
        self.fields = field::check_changes(tx, &had, sent, wrong)?;
        let mut have = had.clone();
        for (id, value) in &self.fields {
            match value {
                Some(value) => have.insert(*id, value.clone()),
                None => have.remove(id),
            };
        }
        self.changes.compare("custom_fields", &told(&had), &told(&have));
        Ok(())
    }

    /// Status and what it implies; an explicit value wins.
    fn stand(&mut self, patch: &AdminTicketPatch) {
        let before = self.after.status;
        self.after.status = patch.status.unwrap_or(before);
        self.after.priority = patch.priority.unwrap_or(self.after.priority);
        self.after.is_locked = patch.is_locked.unwrap_or(self.after.is_locked);
        let implied = match (before, self.after.status) {
            (before, after) if before == after => self.after.is_resolved,
            (_, Status::Closed) => true,
            (Status::Closed, _) => false,
            _ => self.after.is_resolved,
        };
        self.after.is_resolved = patch.is_resolved.unwrap_or(implied);
    }

    fn say(&mut self, tx: &Tx<'_>, patch: &AdminTicketPatch) -> Result<()> {
        if patch.title.is_none() && patch.content.is_none() {
            return Ok(());
        }
        let before = store::find_texts(tx, self.after.id)?;
        let text = |new: Option<&String>, old: &String| new.unwrap_or(old).clone();
        let after = Texts {
            title: text(patch.title.as_ref().map(|title| &title.0), &before.title),
            content: text(patch.content.as_ref().map(|content| &content.0), &before.content),
        };
        self.changes.compare("title", &before.title, &after.title);
        self.changes.compare("content", &before.content, &after.content);
        self.texts = (after != before).then_some(after);
        Ok(())
    }

    fn compare(&mut self, before: &State) {
        let (after, changes) = (&self.after, &mut self.changes);
        changes.note("status", before.status.as_str(), after.status.as_str());
        changes.note("priority", before.priority.as_str(), after.priority.as_str());
        changes.note("department_id", before.department_id, after.department_id);
        changes.note("category_id", before.category_id, after.category_id);
        changes.note("product_id", before.product_id, after.product_id);
        changes.note("customer_id", before.customer_id, after.customer_id);
        changes.note("assigned_to", before.lead_id, after.lead_id);
        changes.note("agents", self.had.clone(), self.agents.clone());
        changes.note("is_resolved", before.is_resolved, after.is_resolved);
        changes.note("is_locked", before.is_locked, after.is_locked);
    }

    fn write(&self, tx: &Tx<'_>, before: &State) -> Result<()> {
        let id = before.id;
        if let Some(labels) = &self.labels {
            store::replace_labels(tx, id, labels)?;
        }
        for (field, value) in &self.fields {
            store::set_field(tx, id, *field, value.as_deref())?;
        }
        if let Some(texts) = &self.texts {
            store::update_texts(tx, id, texts)?;
        }
        store::update(tx, &self.after)?;
        if self.agents != self.had {
            store::replace_agents(tx, id, &self.agents)?;
        }
        if let Some(lead) = self.after.lead_id.filter(|lead| before.lead_id != Some(*lead)) {
            store::touch_lead(tx, lead)?;
        }
        if self.texts.is_some() || before.customer_id != self.after.customer_id {
            search::index_tickets(tx, &[id])?;
        }
        Ok(())
    }
}

/// The ids of a set, each once, in order.
pub fn ids(sent: &[Id]) -> Vec<i64> {
    let mut ids: Vec<i64> = sent.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Notes a place that is not there to be set.
///
/// # Errors
/// What SQLite says.
pub fn check_place(tx: &Tx<'_>, place: Place, id: Option<i64>, wrong: &mut Check) -> Result<()> {
    let (field, noun) = match place {
        Place::Department => ("department_id", "department"),
        Place::Category => ("category_id", "category"),
        Place::Product => ("product_id", "product"),
    };
    match id {
        Some(id) if !store::is_published(tx, place, id)? => {
            wrong.add(field, format!("there is no published {noun} {id}"));
        }
        _ => {}
    }
    Ok(())
}

/// Notes agents who cannot be put on a ticket.
///
/// # Errors
/// What SQLite says.
pub fn check_agents(tx: &Tx<'_>, field: &str, wanted: &[i64], wrong: &mut Check) -> Result<()> {
    let active = if wanted.is_empty() { vec![] } else { store::filter_active(tx, wanted)? };
    for agent in wanted.iter().filter(|agent| !active.contains(agent)) {
        wrong.add(field, format!("there is no active agent {agent}"));
    }
    Ok(())
}

/// Notes labels that cannot be newly set.
///
/// # Errors
/// What SQLite says.
pub fn check_labels(tx: &Tx<'_>, wanted: &[i64], had: &[i64], wrong: &mut Check) -> Result<()> {
    let new: Vec<i64> = wanted.iter().copied().filter(|label| !had.contains(label)).collect();
    let published = label::store::filter_published(tx, &new)?;
    for label in new.iter().filter(|label| !published.contains(label)) {
        wrong.add("labels", format!("there is no published label {label}"));
    }
    Ok(())
}

/// Values of custom fields as the log tells them, by id.
pub fn told(fields: &Fields) -> Value {
    fields.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect()
}

/// What follows from a change: the facts for the reports, the activity log, and those on the ticket are told.
fn after_change(tx: &Tx<'_>, doer: &Doer<'_>, before: &State, after: &State, changes: Changes) -> Result<()> {
    let (reference, name) = (&before.reference_id, doer.name());
    let turn = match (before.status, after.status) {
        (before, after) if before == after => None,
        (_, Status::Closed) => Some("closed"),
        (Status::Closed, _) => Some("reopened"),
        _ => None,
    };
    if let Some(kind) = turn {
        store::insert_event(tx, after, kind)?;
    }
    let (action, description) = match turn {
        Some(verb) => (format!("ticket.{verb}"), format!("{name} {verb} {reference}")),
        None => ("ticket.updated".into(), format!("{name} changed {} of {reference}", changes.fields())),
    };
    let subject = ("ticket", Some(before.id));
    let entry = Entry { action: &action, description, subject, ticket_id: Some(before.id), changes };
    activity::record(tx, &doer.actor, entry)?;
    if before.status != after.status {
        notify(tx, (before.id, reference), NotificationType::Status, &doer.sender())?;
    }
    Ok(())
}
