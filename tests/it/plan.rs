//! How SQLite finds what the lists show: the plans of the statements that really run, on a desk of twenty thousand tickets.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lodge::customer::model::Customer;
use lodge::db::{Kept, Page, Paging, Tx, open};
use lodge::error::Result;
use lodge::label::model::Label;
use lodge::message::{self, model::Order};
use lodge::notification::{self, model::Notification};
use lodge::noun::Stored;
use lodge::scalar::Priority;
use lodge::seed::{Size, fill_large};
use lodge::text;
use lodge::ticket::model::{CustomerReference, Filter, Status, Ticket, TicketSort};
use lodge::ticket::{self, Visibility};
use lodge::time::DAY;
use lodge::written::Written;
use lodge::{canned_response, customer, department, knowledge, label};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::harness::{NOON, clock_at, kept, time};

const FIRST: Paging = Paging { page: 1, per_page: 15 };

/// A generated desk of twenty thousand tickets.
fn file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        kept("large", |path| {
            open::create(path).unwrap();
            let size = Size { tickets: 20_000, agents: 8, articles: 50, seed: 1 };
            fill_large(path, &clock_at(NOON), &size, &|_| ()).unwrap();
        })
    })
}

thread_local! {
    static RUN: RefCell<Vec<String>> = const { RefCell::new(vec![]) };
}

/// What a read returns, and the statements it ran: not those that a search index runs on its own tables.
fn traced<T>(conn: &Connection, read: impl FnOnce(&Tx<'_>) -> Result<T>) -> (T, Vec<String>) {
    fn note(event: TraceEvent<'_>) {
        if let TraceEvent::Stmt(statement, _) = event {
            let sql = statement.sql().into_owned();
            if !sql.contains("'main'.") {
                RUN.with_borrow_mut(|run| run.push(sql));
            }
        }
    }
    let tx = Tx { conn, now: time(NOON), kept: &Kept::default() };
    // The names that tickets show are read once, whole.
    ticket::store::find_all(&tx, &[1]).unwrap();
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    let answer = read(&tx).unwrap();
    conn.trace_v2(TraceEventCodes::empty(), None);
    (answer, RUN.take())
}

fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let lines = statement.raw_query().mapped(|row| row.get("detail")).collect::<rusqlite::Result<_>>();
    lines.unwrap()
}

/// What is wrong with a plan: a table read from end to end but for a page's walk along the index of its order, a search index
/// read whole, a page's rows sorted.
fn faults<'a>(sql: &str, plan: &'a [String], walk: &str, may_sort: bool) -> Vec<String> {
    let is_page = sql.contains("LIMIT");
    let mut table = "";
    let mut is_bad = |line: &'a String| {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["SEARCH", name, ..] | ["SCAN", name, "USING", ..] = words.as_slice() {
            table = name;
        }
        match words.as_slice() {
            ["SCAN", name, ..] if SMALL.contains(name) || name.starts_with('(') => false,
            ["SCAN", .., "VIRTUAL", "TABLE", "INDEX", how] => how.ends_with(':'),
            ["SCAN", _, "USING", .., "INDEX", index] => !is_page || *index != walk,
            ["SCAN", ..] => true,
            // One agent's tickets may be sorted, but for the order that lists usually have.
            ["USE", "TEMP", "B-TREE", "FOR", "ORDER", "BY"] if table == "ticket_agent" => {
                walk == "ticket_created" && !may_sort
            }
            ["USE", "TEMP", "B-TREE", "FOR", "ORDER", "BY"] => is_page && !may_sort,
            // Equal times are few. Equal priorities are not.
            ["USE", "TEMP", "B-TREE", "FOR", "LAST", ..] => is_page && !BY_TIME.contains(&walk),
            _ => false,
        }
    };
    plan.iter().filter(|line| is_bad(line)).cloned().collect()
}

/// Tables that may be read whole: single rows, lists of a page's ids, and what is always shown whole.
const SMALL: [&str; 9] =
    ["rarray", "wanted", "setting", "e", "label", "department", "canned_response", "customer", "CONSTANT"];

/// The orders by a time.
const BY_TIME: [&str; 3] = ["ticket_created", "ticket_updated", "ticket_last_reply"];

/// More rows than this are not to be sorted if the whole desk has them in order.
const FEW: i64 = 5000;

/// Runs a read and returns what is wrong with how.
#[track_caller]
fn check<T>(
    conn: &Connection,
    what: &str,
    walk: &str,
    may_sort: impl Fn(&T) -> bool,
    read: impl FnOnce(&Tx<'_>) -> Result<T>,
) {
    let (answer, run) = traced(conn, read);
    assert!(!run.is_empty());
    for sql in run {
        let plan = plan(conn, &sql);
        let faults = faults(&sql, &plan, walk, may_sort(&answer));
        assert!(faults.is_empty(), "{what}: {faults:?}\n{sql}\n{}", plan.join("\n"));
    }
}

const SORTS: [(Option<TicketSort>, &str); 9] = [
    (None, "ticket_created"),
    (Some(TicketSort::Created), "ticket_created"),
    (Some(TicketSort::CreatedDown), "ticket_created"),
    (Some(TicketSort::Updated), "ticket_updated"),
    (Some(TicketSort::UpdatedDown), "ticket_updated"),
    (Some(TicketSort::LastReply), "ticket_last_reply"),
    (Some(TicketSort::LastReplyDown), "ticket_last_reply"),
    (Some(TicketSort::Priority), "ticket_patient"),
    (Some(TicketSort::PriorityDown), "ticket_urgent"),
];

/// Filters that few and many tickets fit. Words of a single character are in no index: looking for them alone reads everything.
fn filters(sort: Option<TicketSort>, of_desk: bool) -> Vec<Filter> {
    let all = || Filter { sort, ..Filter::default() };
    let words = |query| Filter { words: Some(text::words(query)), ..all() };
    let mut filters = vec![
        all(),
        Filter { status: Some(Status::Closed), ..all() },
        Filter { status: Some(Status::Open), ..all() },
        Filter { priority: Some(Priority::Medium), ..all() },
        Filter { status: Some(Status::OnHold), priority: Some(Priority::Low), ..all() },
        Filter { department_id: Some(1), ..all() },
        Filter { department_id: Some(5), status: Some(Status::Closed), ..all() },
        Filter { department_id: Some(99), ..all() },
        words("password"),
        words("pa"),
        words("password pa p"),
        words("nowhere"),
        Filter { status: Some(Status::Closed), department_id: Some(1), ..words("pa") },
    ];
    if of_desk {
        filters.extend([
            Filter { customer_id: Some(1), ..all() },
            Filter { assigned_to: Some(1), ..all() },
            Filter { assigned_to: Some(1), status: Some(Status::Closed), ..all() },
            Filter { is_unassigned: true, ..all() },
            Filter { is_unassigned: true, priority: Some(Priority::High), ..words("pa") },
            Filter { customer_id: Some(1), ..words("pa") },
        ]);
    }
    filters
}

fn callers() -> Vec<Visibility> {
    vec![
        Visibility::Agent(1),
        Visibility::Departments(1, vec![]),
        Visibility::Departments(1, vec![2]),
        Visibility::Departments(1, vec![1, 2, 3]),
        Visibility::Departments(1, (1..=60).collect()),
        Visibility::Desk,
    ]
}

#[test]
fn a_page_of_tickets_is_walked_to_and_not_sorted_out_of_everything() {
    let conn = open::readable(file()).unwrap();
    for caller in callers() {
        let is_desk = matches!(caller, Visibility::Desk);
        for (sort, walk) in SORTS {
            let by_creation = walk == "ticket_created";
            for filter in filters(sort, is_desk) {
                let sees_most = is_desk || caller.departments().len() > 50;
                let may_sort = |page: &Page<Written<Vec<Ticket>>>| {
                    let is_few = page.total <= FEW;
                    if by_creation { filter.words.is_some() && is_few } else { is_few || !sees_most }
                };
                let what = format!("{caller:?} {filter:?}");
                let walk = if sees_most || by_creation { walk } else { "" };
                check(&conn, &what, walk, may_sort, |tx| ticket::store::list(tx, &caller, &filter, FIRST));
            }
        }
    }
}

#[test]
fn a_departments_tickets_are_found_by_the_department() {
    let conn = open::readable(file()).unwrap();
    let caller = Visibility::Departments(1, vec![1, 2, 3]);
    for (sort, _) in SORTS {
        for filter in filters(sort, false) {
            let (_, run) = traced(&conn, |tx| ticket::store::list(tx, &caller, &filter, FIRST));
            for line in run.iter().flat_map(|sql| plan(&conn, sql)) {
                let is_theirs = line.contains("(department_id=") || line.contains("INTEGER PRIMARY KEY");
                assert!(is_theirs || !line.contains(" ticket USING"), "{filter:?} {line}");
            }
        }
    }
}

#[test]
fn an_agent_finds_the_same_along_either_way() {
    let conn = open::readable(file()).unwrap();
    for words in ["pa", "er", "printer", "the er", "the ing", "a", "a er ing", "zzyzx", "er zzyzx"] {
        let filter = Filter { words: Some(text::words(words)), ..Filter::default() };
        let [one, other] = [Visibility::Agent(1), Visibility::Departments(1, vec![])].map(|caller| {
            let (page, _) = traced(&conn, |tx| ticket::store::list(tx, &caller, &filter, FIRST));
            (page.total, format!("{:?}", page.items))
        });
        assert_eq!(one, other, "{words}");
        assert_eq!(one.0 > 0, !words.contains("zzyzx"), "{words} tells nothing");
    }
}

#[test]
fn how_many_statements_a_list_takes_does_not_depend_on_how_much_it_shows() {
    let conn = open::readable(file()).unwrap();
    for caller in callers() {
        for words in [None, Some(text::words("pa"))] {
            let filter = Filter { words, ..Filter::default() };
            let statements = |page, per_page| {
                let paging = Paging { page, per_page };
                let (page, run) = traced(&conn, |tx| ticket::store::list(tx, &caller, &filter, paging));
                assert_eq!(page.items.count() as i64, per_page);
                run.len()
            };
            assert_eq!([statements(1, 1), statements(2, 15), statements(1, 200)], [3; 3], "{caller:?}");
        }
    }
}

#[test]
fn the_dashboard_reads_counters_and_what_was_closed_today() {
    let conn = open::readable(file()).unwrap();
    for caller in callers() {
        let (_, run) = traced(&conn, |tx| ticket::store::dashboard(tx, &caller, tx.now.plus(-DAY / 2)));
        assert_eq!(run.len(), 1);
        let plan = plan(&conn, &run[0]);
        let faults = faults(&run[0], &plan, "", false);
        assert!(faults.is_empty(), "{caller:?} {faults:?}");
        let by_closing = |line: &&String| line.contains("_closed (") && line.contains("closed_at>?");
        let rows =
            plan.iter().filter(|line| line.contains(" ticket USING") || line.contains(" ticket_agent USING"));
        assert!(
            matches!(caller, Visibility::Desk) || rows.clone().all(|line| by_closing(&line)),
            "{plan:#?}"
        );
    }
}

#[test]
fn conversations_and_notifications_are_found_by_their_indexes() {
    let conn = open::readable(file()).unwrap();
    let customer = CustomerReference { id: 1, name: "Eva".into(), email: "eva@customer.example".into() };
    for paging in [FIRST, Paging { page: 2, per_page: 2 }] {
        for order in [Order::Asc, Order::Desc] {
            let read = |tx: &Tx<'_>| message::store::list(tx, (19_000, &customer), 1, order, paging);
            check(&conn, "messages", "", |_| false, read);
        }
        for only_unread in [false, true] {
            let read = |tx: &Tx<'_>| notification::store::list(tx, 1, only_unread, paging);
            check(
                &conn,
                "notifications",
                "",
                |page: &Page<Written<Vec<Notification>>>| page.items.count() == 0,
                read,
            );
        }
    }
}

#[test]
fn the_other_lists_touch_nothing_large() {
    let conn = open::readable(file()).unwrap();
    check(&conn, "labels", "", |_| true, label::store::list_published);
    check(&conn, "every label", "label_order", |_| false, |tx| Label::list(tx, FIRST));
    check(&conn, "departments", "", |_| true, department::store::list_published);
    check(&conn, "canned responses", "", |_| true, canned_response::store::list_active);
    check(&conn, "customers", "customer_name", |_| false, |tx| Customer::list(tx, FIRST));
    check(
        &conn,
        "some customers",
        "customer_name",
        |_| false,
        |tx| customer::store::search(tx, &text::words("a"), FIRST),
    );
    check(&conn, "articles", "", |_| true, |tx| knowledge::store::search(tx, text::words("password pa")));
}

#[test]
fn one_ticket_is_looked_up_by_its_id() {
    let conn = open::readable(file()).unwrap();
    for caller in callers() {
        check(&conn, "state", "", |_| false, |tx| ticket::store::find_state(tx, &caller, 7));
        check(&conn, "version", "", |_| false, |tx| ticket::store::find_version(tx, &caller, 7));
    }
    check(&conn, "whole", "", |_| false, |tx| ticket::store::find_all(tx, &[7, 8, 9]));
    let (_, run) = traced(&conn, |tx| ticket::store::find_seen(tx, &Visibility::Agent(1), 7));
    assert_eq!(run.len(), 1);
}

#[test]
fn what_the_desk_does_by_itself_is_found_by_its_indexes() {
    let conn = open::readable(file()).unwrap();
    check(&conn, "idle", "ticket_idle", |_| false, |tx| ticket::store::idle(tx, tx.now.plus(-30 * DAY), 100));
    check(&conn, "lead", "", |_| true, |tx| ticket::store::next_lead(tx, 1));
    let since = |tx: &Tx<'_>| ticket::store::count_opened_since(tx, 1, tx.now.plus(-DAY));
    check(&conn, "opened", "", |_| false, since);
}

#[test]
fn a_bad_plan_would_be_noticed() {
    let conn = open::readable(file()).unwrap();
    let bad = |sql: &str| !faults(sql, &plan(&conn, sql), "ticket_created", false).is_empty();
    assert!(bad("SELECT id FROM ticket WHERE title = 'x'"));
    assert!(bad("SELECT count(*) FROM ticket"));
    assert!(bad("SELECT id FROM ticket ORDER BY title LIMIT 15"));
    assert!(bad("SELECT m.id FROM message m JOIN ticket t ON t.id = m.ticket_id WHERE m.content = 'x'"));
    assert!(bad("SELECT rowid FROM knowledge_search WHERE instr(title, 'x')"));
    assert!(bad("SELECT ticket_id FROM ticket_text WHERE instr(body, 'x')"));
    assert!(bad("SELECT id FROM ticket ORDER BY updated_at LIMIT 15"));
    assert!(!bad("SELECT id FROM ticket ORDER BY created_at DESC, id DESC LIMIT 15"));
    let both = "SELECT id FROM (SELECT id, created_at FROM ticket WHERE department_id = 1
                UNION ALL SELECT id, created_at FROM ticket WHERE department_id = 2) ORDER BY created_at DESC LIMIT 15";
    assert!(bad(both));
}
