//! Listing and counting tickets.

use rusqlite::{Row, ToSql, params};

use super::find::find_all;
use crate::db::search::{self, Query};
use crate::db::{FromRow, Ids, Named, Page, Paging, Tx, all, all_named, one, until};
use crate::error::{Error, Result};
use crate::ticket::model::{Dashboard, Filter, Priority, Status, Ticket, TicketSort};
use crate::ticket::visibility::{Arm, MANY, Visibility};
use crate::time::Timestamp;
use crate::written::Written;

/// How many rows may rather be sorted than walked past: with more that fit a filter, a page is found sooner along the
/// index of the order.
const FEW: i64 = 5000;

/// How many steps along an index are rather gone than a row looked up.
const STEPS: i64 = 20;

/// Along which index the rows of a list are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// That of a filter, or the hits of a search; what is found may have to be sorted.
    Filters,
    /// That of a filter, whose rows are in order; hits of a search are met on the way.
    Hits,
    /// That of the order; what does not fit is passed over.
    Order,
}

impl Walk {
    /// The cheapest for a list of so many tickets.
    fn of(visibility: &Visibility, filter: &Filter, total: i64) -> Self {
        let sees_most = match visibility {
            Visibility::Agent(_) => false,
            Visibility::Departments(_, departments) => departments.len() > MANY,
            Visibility::Desk => true,
        };
        match (filter.is_by_creation(), total > FEW) {
            (true, false) if filter.words.is_some() => Self::Filters,
            (true, _) => Self::Hits,
            (false, true) if sees_most => Self::Order,
            (false, _) => Self::Filters,
        }
    }
}

/// The conditions of a filter as SQL, and what it names.
struct Conditions<'a> {
    /// On the tickets; `{id}` stands for the id's column.
    sql: String,
    /// The same on the counters.
    counters: String,
    values: Vec<(String, Box<dyn ToSql + 'a>)>,
    /// Whether the counters know all that is asked.
    is_counted: bool,
    /// What the indexes of the search find of an agent's tickets, unless no index answers every word.
    hits: Option<Vec<i64>>,
    /// Whether nothing but that is asked.
    is_hits_only: bool,
    /// Whether few enough rows fit by somebody's own index that they are better found by that than by the order.
    is_narrow: bool,
}

impl<'a> Conditions<'a> {
    fn of(tx: &Tx<'_>, visibility: &'a Visibility, filter: &'a Filter) -> Result<Self> {
        let departments = Ids::from(visibility.departments().iter().copied());
        let mut conditions = Self {
            sql: String::new(),
            counters: String::new(),
            values: vec![
                (":me".into(), Box::new(visibility.agent_id())),
                (":departments".into(), Box::new(departments)),
            ],
            is_counted: filter.words.is_none() && !filter.is_narrow(),
            hits: None,
            is_hits_only: filter.is_words_only(),
            is_narrow: filter.is_narrow(),
        };
        for (n, id) in visibility.departments().iter().enumerate() {
            conditions.values.push((format!(":department{n}"), Box::new(*id)));
        }
        conditions.equals("status", filter.status.map(Status::as_str));
        conditions.equals("priority", filter.priority.map(Priority::as_str));
        conditions.equals("department_id", filter.department_id);
        conditions.narrows("customer_id", filter.customer_id);
        conditions.narrows("assigned_to", filter.assigned_to);
        if filter.is_unassigned {
            conditions.sql.push_str(" AND assigned_to IS NULL");
        }
        if let Some(words) = &filter.words {
            let query = Query::new(words.clone());
            match visibility {
                Visibility::Agent(agent_id) => {
                    let hits = matching(tx, *agent_id, &query)?;
                    conditions.are_among(hits.as_deref());
                    conditions.hits = hits.filter(|_| query.single().is_empty());
                }
                Visibility::Departments(..) | Visibility::Desk => conditions.matches(&query),
            }
            conditions.contains(&query);
        }
        Ok(conditions)
    }

    /// A condition that counters know. The pluses, which mean nothing else, are replaced by [`Conditions::rows`].
    fn equals(&mut self, column: &str, value: Option<impl ToSql + 'a>) {
        if let Some(value) = value {
            self.sql.push_str(&format!(" AND {{plus}}{column} = :{column}"));
            self.counters.push_str(&format!(" AND {column} = :{column}"));
            self.values.push((format!(":{column}"), Box::new(value)));
        }
    }

    /// A condition with an index of its own, on the tickets themselves only.
    fn narrows(&mut self, column: &str, id: Option<i64>) {
        if let Some(id) = id {
            self.sql.push_str(&format!(" AND {column} = :{column}"));
            self.values.push((format!(":{column}"), Box::new(id)));
        }
    }

    /// The conditions on an arm's rows. The indexes of filters are out of bounds (SQLite leaves a column behind a plus sign
    /// alone) where the arm's own must be used, and when the `walk` is to go along the index of the order, so that nothing is
    /// sorted; so are then the hits of a search.
    fn rows(&self, arm: &Arm, walk: Walk) -> String {
        let plus = |needed: bool| if needed { "+" } else { "" };
        format!("{}{}", arm.rows, self.sql)
            .replace("{plus}", plus(walk == Walk::Order || arm.is_apart || self.is_narrow))
            .replace("{walk}", plus(walk != Walk::Filters))
            .replace("{id}", &format!("{}.{}", arm.table, arm.id))
    }

    /// What the indexes find among all tickets. They hold a ticket once for each agent on it: a set has it once.
    fn matches(&mut self, query: &Query) {
        let found: Vec<String> = indexes(query)
            .into_iter()
            .filter_map(|(table, expression)| {
                self.values.push((format!(":{table}"), Box::new(expression?)));
                Some(format!("SELECT rowid & {} FROM {table} WHERE {table} MATCH :{table}", search::TICKET))
            })
            .collect();
        if !found.is_empty() {
            self.sql.push_str(&format!(" AND {{walk}}{{id}} IN ({})", found.join(" INTERSECT ")));
        }
    }

    fn are_among(&mut self, ids: Option<&[i64]>) {
        if let Some(ids) = ids {
            self.values.push((":found".into(), Box::new(Ids::from(ids.iter().copied()))));
            self.sql.push_str(" AND {walk}{id} IN rarray(:found)");
        }
    }

    /// What no index answers, or not wholly.
    fn contains(&mut self, query: &Query) {
        for (n, text) in query.single().iter().enumerate() {
            self.values.push((format!(":single{n}"), Box::new(text.clone())));
            self.sql.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM ticket_text x WHERE x.ticket_id = {{id}} AND instr(x.body, :single{n}))"
            ));
        }
    }

    fn named(&self) -> Vec<(&str, &dyn ToSql)> {
        self.values.iter().map(|(name, value)| (name.as_str(), &**value)).collect()
    }
}

/// The search indexes, and what each is asked for.
fn indexes(query: &Query) -> [(&'static str, Option<String>); 2] {
    [("ticket_search", query.long("")), ("ticket_bigram", query.pairs(""))]
}

/// Which of an agent's tickets the indexes find, in the order of their ids; nothing when they are not asked. The agent's tickets
/// lie side by side in them, and no others are read.
fn matching(tx: &Tx<'_>, agent_id: i64, query: &Query) -> Result<Option<Vec<i64>>> {
    let (first, last) = search::tickets_of(agent_id);
    let mut found: Option<Vec<i64>> = None;
    for (table, expression) in indexes(query) {
        let Some(expression) = expression else { continue };
        let sql = format!(
            "SELECT rowid & {} FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid",
            search::TICKET
        );
        let mut hits: Vec<i64> = all(tx, &sql, params![expression, first, last])?;
        if let Some(found) = found {
            hits.retain(|id| found.binary_search(id).is_ok());
        }
        found = Some(hits);
    }
    Ok(found)
}

/// A page of the tickets a caller sees.
///
/// # Errors
/// What SQLite says.
pub fn list(
    tx: &Tx<'_>,
    visibility: &Visibility,
    filter: &Filter,
    paging: Paging,
) -> Result<Page<Written<Vec<Ticket>>>> {
    let conditions = Conditions::of(tx, visibility, filter)?;
    let total = count(tx, visibility, filter, &conditions)?;
    let walk = Walk::of(visibility, filter, total);
    Page::read(paging, total, || {
        // One statement and not a query of a union: so SQLite walks along the sets of rows side by side and stops at the limit.
        if let Some(ids) = meet(tx, filter, &conditions, paging, total)? {
            return find_all(tx, &ids);
        }
        let (place, way) = order(filter.sort.unwrap_or(TicketSort::CreatedDown));
        let arms = visibility.arms(filter.department_id).into_iter().map(|arm| {
            let rows = conditions.rows(&arm, walk);
            format!("SELECT {} AS id, {place} AS place FROM {} WHERE {rows}", arm.id, arm.table)
        });
        let arms = arms.collect::<Vec<_>>().join(" UNION ALL ");
        let sql = format!("{arms} ORDER BY place{way}, id DESC LIMIT :limit OFFSET :offset");
        let (limit, offset) = (paging.per_page, paging.offset());
        let mut named = conditions.named();
        named.extend([(":limit", &limit as &dyn ToSql), (":offset", &offset)]);
        let ids: Vec<i64> = all_named(tx, &sql, &named)?;
        find_all(tx, &ids)
    })
}

/// A page of an agent's hits, if they are soon met on a walk along the agent's tickets. To look each hit up, in order to sort
/// them all, costs more than [`STEPS`] steps, because each is on a page of its own: so many are tried first.
fn meet(
    tx: &Tx<'_>,
    filter: &Filter,
    conditions: &Conditions<'_>,
    paging: Paging,
    total: i64,
) -> Result<Option<Vec<i64>>> {
    let offset = paging.offset();
    let wanted = paging.per_page.min(total - offset);
    // Where all are shown, all are looked up anyway.
    let is_worth_it = conditions.is_hits_only && filter.is_by_creation() && wanted < total;
    let Some(hits) = conditions.hits.as_ref().filter(|_| is_worth_it) else { return Ok(None) };
    let way = order(filter.sort.unwrap_or(TicketSort::CreatedDown)).1;
    let sql = format!(
        "SELECT ticket_id FROM ticket_agent WHERE agent_id = :me ORDER BY created_at{way}, ticket_id DESC LIMIT :steps"
    );
    let steps = total * STEPS;
    let mut named = conditions.named();
    named.push((":steps", &steps));
    let mut met = 0;
    let mut ids = Vec::new();
    until(tx, &sql, &named, |id: i64| {
        if hits.binary_search(&id).is_ok() {
            met += 1;
            if met > offset {
                ids.push(id);
            }
        }
        ids.len() as i64 == wanted
    })?;
    Ok((ids.len() as i64 == wanted).then_some(ids))
}

/// By what a list goes, and which way. Ties are broken newest id first, whichever way the list goes. SQLite sorts NULL before
/// everything: oldest, as it should be. Priorities are numbered so that both ways go down, as the ids of their many ties do.
fn order(sort: TicketSort) -> (&'static str, &'static str) {
    match sort {
        TicketSort::Created => ("created_at", ""),
        TicketSort::CreatedDown => ("created_at", " DESC"),
        TicketSort::Updated => ("updated_at", ""),
        TicketSort::UpdatedDown => ("updated_at", " DESC"),
        TicketSort::LastReply => ("last_reply_at", ""),
        TicketSort::LastReplyDown => ("last_reply_at", " DESC"),
        TicketSort::Priority => {
            ("CASE priority WHEN 'low' THEN 4 WHEN 'medium' THEN 3 WHEN 'high' THEN 2 ELSE 1 END", " DESC")
        }
        TicketSort::PriorityDown => {
            ("CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END", " DESC")
        }
    }
}

/// How many tickets: from the search or the counters, as far as they know what is asked.
fn count(tx: &Tx<'_>, visibility: &Visibility, filter: &Filter, conditions: &Conditions<'_>) -> Result<i64> {
    if let Some(hits) = conditions.hits.as_ref().filter(|_| conditions.is_hits_only) {
        return Ok(hits.len() as i64);
    }
    let arms = visibility.arms(filter.department_id).into_iter().map(|arm| {
        if conditions.is_counted {
            format!("SELECT sum(n) AS n FROM ticket_count WHERE {}{}", arm.counters, conditions.counters)
        } else {
            format!("SELECT count(*) AS n FROM {} WHERE {}", arm.table, conditions.rows(&arm, Walk::Filters))
        }
    });
    let sql = format!("SELECT ifnull(sum(n), 0) FROM ({})", arms.collect::<Vec<_>>().join(" UNION ALL "));
    let counts: Vec<i64> = all_named(tx, &sql, &conditions.named())?;
    Ok(counts.first().copied().unwrap_or(0))
}

impl FromRow for Dashboard {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            open_tickets: row.get(0)?,
            in_progress_tickets: row.get(1)?,
            needs_response: row.get(2)?,
            closed_today: row.get(3)?,
        })
    }
}

/// The dashboard of an agent that sees the tickets it is on and no others: of those there are sums. A text of its own, because
/// dashboards are asked for all day, and to put a statement together takes as long as to run it.
const OWN: &str = "SELECT ifnull(sum(open), 0), ifnull(sum(in_progress), 0), ifnull(sum(awaiting), 0),
    (SELECT count(*) FROM ticket_agent WHERE agent_id = ?1 AND closed_at >= ?2) FROM ticket_sum WHERE agent_id = ?1";

/// The same sums, of counters: nobody keeps those of departments.
const SUMS: &str = "SELECT sum(n) FILTER (WHERE status = 'open') AS open, sum(n) FILTER (WHERE status = 'in_progress') AS in_progress,
    sum(n) FILTER (WHERE awaits_reply AND status <> 'closed') AS awaiting";

/// How the caller's desk looks: three counts from the counters, and what was closed since `midnight`.
///
/// # Errors
/// What SQLite says.
pub fn dashboard(tx: &Tx<'_>, visibility: &Visibility, midnight: Timestamp) -> Result<Dashboard> {
    if let Visibility::Agent(agent_id) = visibility {
        return one(tx, OWN, [*agent_id, midnight.0]);
    }
    let none = Filter::default();
    let conditions = Conditions::of(tx, visibility, &none)?;
    let arms = visibility.arms(None);
    let sums = arms.iter().map(|arm| format!("{SUMS} FROM ticket_count WHERE {}", arm.counters));
    let closed: Vec<_> = arms
        .iter()
        .map(|arm| {
            let rows = conditions.rows(arm, Walk::Filters);
            format!("SELECT count(*) AS n FROM {} WHERE {rows} AND closed_at >= :midnight", arm.table)
        })
        .collect();
    let sql = format!(
        "SELECT ifnull(sum(open), 0), ifnull(sum(in_progress), 0), ifnull(sum(awaiting), 0), (SELECT sum(n) FROM ({})) FROM ({})",
        closed.join(" UNION ALL "),
        sums.collect::<Vec<_>>().join(" UNION ALL ")
    );
    let mut named = conditions.named();
    named.push((":midnight", &midnight.0));
    let found: Vec<Dashboard> = all_named(tx, &sql, &named as Named<'_>)?;
    found.into_iter().next().ok_or_else(|| Error::internal("a statement that always answers had no row"))
}
