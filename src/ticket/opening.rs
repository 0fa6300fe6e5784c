//! How a ticket comes to be: for a customer who may open one, in the place that was asked for or is usual, led by whom was
//! named or whose turn it is.

use super::Visibility;
use super::field::{self, Fields};
use super::model::NewTicket;
use super::rules::{self, Doer};
use super::store::{self, Draft, Place};
use crate::activity::{self, Changes, Entry};
use crate::auth::Admin;
use crate::customer::model::Customer;
use crate::db::{Optional, Tx, search};
use crate::error::{Check, Error, Result};
use crate::notification::notify_assigned;
use crate::noun::{MaybeUndefined, Stored};
use crate::scalar::Id;
use crate::setting::{self, Settings};
use crate::time::SECOND;

/// What a new ticket refers to, once it has been checked.
struct Refers {
    department: Option<i64>,
    category: Option<i64>,
    product: Option<i64>,
    lead: Option<i64>,
    labels: Vec<i64>,
    fields: Fields,
}

/// Opens a ticket for a customer and returns its id. The lead, named or chosen, is told.
///
/// # Errors
/// [`Error::CustomerBlocked`], [`Error::CustomerTicketLimit`], [`Error::Invalid`] for references that are not there to be
/// set, values that do not fit, and required custom fields that are missing.
pub fn create(tx: &Tx<'_>, me: &Admin, new: &NewTicket) -> Result<i64> {
    let settings = setting::store::find(tx)?;
    let mut wrong = Check::default();
    let customer = Customer::find(tx, new.customer_id.0)?;
    match &customer {
        Some(customer) => may_open(tx, customer, &settings)?,
        None => wrong.add("customer_id", format!("there is no customer {}", new.customer_id.0)),
    }
    let refers = check(tx, new, &settings, &mut wrong)?;
    wrong.finish()?;
    let customer = customer.or_not_found()?;
    let reference = setting::store::next_reference(tx)?;
    let chosen = match refers.department {
        Some(department) if refers.lead.is_none() && settings.auto_assign => {
            store::next_lead(tx, department)?
        }
        _ => None,
    };
    let lead_id = refers.lead.or(chosen);
    let draft = Draft {
        reference_id: &reference,
        title: &new.title.0,
        content: &new.content.0,
        priority: new.priority.unwrap_or(settings.default_priority),
        place: (refers.department, refers.category, refers.product),
        customer_id: customer.id,
        lead_id,
    };
    let id = store::insert(tx, &draft)?;
    store::replace_labels(tx, id, &refers.labels)?;
    for (field, value) in &refers.fields {
        store::set_field(tx, id, *field, Some(value))?;
    }
    if let Some(lead) = lead_id {
        store::touch_lead(tx, lead)?;
    }
    search::index_tickets(tx, &[id])?;
    store::insert_event(tx, &store::find_state(tx, &Visibility::Desk, id)?.or_not_found()?, "created")?;
    record(tx, me, id, &draft, &refers, (&customer, chosen))?;
    let doer = if chosen.is_some() { Doer::system() } else { Doer::from(me) };
    notify_assigned(tx, (id, &reference), lead_id.as_slice(), &doer.sender())?;
    Ok(id)
}

/// Refuses customers who are blocked or have opened enough tickets today.
fn may_open(tx: &Tx<'_>, customer: &Customer, settings: &Settings) -> Result<()> {
    if customer.is_blocked {
        return Err(Error::CustomerBlocked);
    }
    let most = settings.customer_max_tickets_per_day;
    let zone = settings.zone();
    if most > 0 && store::count_opened_since(tx, customer.id, tx.now.midnight(&zone))? >= most {
        let wait = (tx.now.next_midnight(&zone).0 - tx.now.0).div_euclid(SECOND) + 1;
        return Err(Error::CustomerTicketLimit(u64::try_from(wait).unwrap_or(1)));
    }
    Ok(())
}

fn check(tx: &Tx<'_>, new: &NewTicket, settings: &Settings, wrong: &mut Check) -> Result<Refers> {
    let named = |id: &MaybeUndefined<Id>| id.as_opt_ref().flatten().map(|id| id.0);
    let refers = Refers {
        department: named(&new.department_id),
        category: named(&new.category_id),
        product: named(&new.product_id),
        lead: named(&new.assigned_to),
        labels: rules::ids(new.labels.as_deref().unwrap_or_default()),
        fields: field::check_new(tx, new.custom_fields.as_deref().unwrap_or_default(), wrong)?,
    };
    rules::check_place(tx, Place::Department, refers.department, wrong)?;
    rules::check_place(tx, Place::Category, refers.category, wrong)?;
    rules::check_place(tx, Place::Product, refers.product, wrong)?;
    rules::check_agents(tx, "assigned_to", refers.lead.as_slice(), wrong)?;
    rules::check_labels(tx, &refers.labels, &[], wrong)?;
    match settings.default_department_id {
        // A draft can be the default one and still cannot be newly set.
        Some(usual)
            if new.department_id.is_undefined() && store::is_published(tx, Place::Department, usual)? =>
        {
            Ok(Refers { department: Some(usual), ..refers })
        }
        _ => Ok(refers),
    }
}

fn record(
    tx: &Tx<'_>,
    me: &Admin,
    id: i64,
    draft: &Draft<'_>,
    refers: &Refers,
    (customer, chosen): (&Customer, Option<i64>),
) -> Result<()> {
    let reference = draft.reference_id;
    let nothing = || serde_json::Value::Null;
    let mut changes = Changes::default();
    changes.note("status", nothing(), "open");
    changes.note("priority", nothing(), draft.priority.as_str());
    changes.note("customer_id", nothing(), draft.customer_id);
    changes.note("department_id", nothing(), draft.place.0);
    changes.note("category_id", nothing(), draft.place.1);
    changes.note("product_id", nothing(), draft.place.2);
    if !refers.labels.is_empty() {
        changes.note("labels", nothing(), refers.labels.clone());
    }
    if !refers.fields.is_empty() {
        changes.note("custom_fields", nothing(), rules::told(&refers.fields));
    }
    if chosen.is_none() {
        changes.note("assigned_to", nothing(), draft.lead_id);
    }
    let entry = |action, description, changes| Entry {
        action,
        description,
        subject: ("ticket", Some(id)),
        ticket_id: Some(id),
        changes,
    };
    let opened = format!("{} opened {reference} for {}", me.name(), customer.name);
    activity::record(tx, &me.actor(), entry("ticket.created", opened, changes))?;
    if chosen.is_some() {
        let mut changes = Changes::default();
        changes.note("assigned_to", nothing(), chosen);
        let assigned = format!("System gave {reference} to the agent whose turn it was");
        activity::record(tx, &Doer::system().actor, entry("ticket.assigned", assigned, changes))?;
    }
    Ok(())
}
