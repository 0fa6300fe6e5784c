//! `model`: two agents and an administrator do random things, and every answer must be that of a reference model.
//!
//! Shows that nobody sees, counts, finds or changes what is not theirs, and that what they do see is right. Every ticket
//! holds a canary, a word of its own, which must not occur in any answer to an agent who does not see the ticket. Cannot
//! show what timing tells, nor what several do at the same moment: that is for `races`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::Failure;
use crate::client::{Answer, Client, Request};
use crate::desk::Desk;
use crate::options::Options;
use crate::report::Report;
use crate::server::Start;
use crate::world::{CUSTOMER, KINDS, Message, Patch, Ticket, Who, World};

/// How many things are done in a sequence.
const STEPS: u32 = 50;
/// The agents who call. A third one is on tickets and never calls.
const CALLERS: std::ops::RangeInclusive<i64> = 1..=2;
/// Which agent is in which department.
const MEMBERS: [(i64, i64); 4] = [(1, 1), (2, 1), (2, 2), (3, 3)];
const STATUSES: [&str; 4] = ["open", "in_progress", "on_hold", "closed"];
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "critical"];
const SORTS: [&str; 8] =
    ["", "created_at", "-created_at", "priority", "-priority", "updated_at", "-updated_at", "-last_reply_at"];

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let cycles = options.cycles(2000, 50);
    let report = Report::new("model", "two agents, an administrator and a reference model", options.seed);
    let folder = options.scratch_in_memory("model")?;
    let desk = Desk::make(&options.binary, folder.path())?;
    let mut server = Start::new(&options.binary, &desk.file).serve()?;
    let rng = fastrand::Rng::with_seed(options.seed);
    let client = Client::new(server.address);
    let mut play =
        Play { desk, client, rng, report, world: World::default(), said: String::new(), counts: [0; 4] };
    play.prepare()?;
    let mut done = 0;
    for _ in 0..cycles {
        play.sequence()?;
        done += 1;
        if !play.report.is_clean() {
            break;
        }
    }
    let Play { mut report, counts: [asked, canaries, hidden, changes], .. } = play;
    if server.told().contains("panicked") {
        report.violation(format!("a panic: {}", server.told()));
    }
    server.stop()?;
    report.figure(format!("{done} sequences of {STEPS} operations"));
    report.figure(format!(
        "{asked} answers compared, {changes} of them to changes, {hidden} to hidden tickets"
    ));
    report.figure(format!("{canaries} times a hidden ticket's canary was looked for"));
    Ok(report)
}

/// The desk, the model and what was asked last.
struct Play {
    desk: Desk,
    client: Client,
    rng: fastrand::Rng,
    report: Report,
    world: World,
    said: String,
    /// Answers, canaries looked for, answers about hidden tickets, changes.
    counts: [u64; 4],
}

impl Play {
    fn prepare(&mut self) -> Result<(), Failure> {
        for id in 1..=3 {
            let made =
                self.ask(None, "POST", "/departments", Some(json!({ "name": format!("Department {id}") })))?;
            self.expect(&made, 201, None);
        }
        for agent in 1..=3 {
            let of = MEMBERS.iter().filter(|(member, _)| *member == agent).map(|(_, department)| department);
            let body = json!({ "departments": of.collect::<Vec<_>>() });
            let put = self.ask(None, "PUT", &format!("/agents/{agent}"), Some(body))?;
            self.expect(&put, 200, None);
        }
        self.world.members = MEMBERS.to_vec();
        Ok(())
    }

    fn sequence(&mut self) -> Result<(), Failure> {
        for _ in 0..STEPS {
            self.step()?;
            if !self.report.is_clean() {
                return Ok(());
            }
        }
        for caller in CALLERS {
            self.list(Some(caller), true)?;
            self.dashboard(caller)?;
            self.notices(caller)?;
            for id in self.world.tickets.iter().map(|ticket| ticket.id).collect::<Vec<_>>() {
                self.get(Some(caller), id)?;
                self.conversation(Some(caller), id)?;
            }
        }
        for id in self.world.tickets.iter().map(|ticket| ticket.id).collect::<Vec<_>>() {
            self.delete(id)?;
        }
        CALLERS.into_iter().try_for_each(|caller| self.list(Some(caller), true))
    }

    fn step(&mut self) -> Result<(), Failure> {
        let caller = self.rng.i64(CALLERS);
        let anyone = Some(caller).filter(|_| self.rng.u32(0..4) > 0);
        let ticket = self.some_ticket();
        match self.rng.u32(0..100) {
            0..10 => self.create(),
            10..24 => self.put(None, ticket),
            24..33 => self.put(Some(caller), ticket),
            33..38 => self.close(caller, ticket),
            38..48 => self.reply(caller, ticket),
            48..55 => self.post(ticket),
            55..61 => self.like(caller, ticket),
            61..75 => self.list(anyone, false),
            75..80 => self.get(anyone, ticket),
            80..84 => self.conversation(anyone, ticket),
            84..88 => self.dashboard(caller),
            88..92 => self.notices(caller),
            92..95 => self.read_all(caller),
            95..97 => self.toggle_departments(),
            97..99 => self.mute(caller),
            _ => self.delete(ticket),
        }
    }

    /// Mostly one that is there.
    fn some_ticket(&mut self) -> i64 {
        let known = &self.world.tickets;
        if known.is_empty() || self.rng.u32(0..12) == 0 {
            return 1_000_000_007;
        }
        known[self.rng.usize(0..known.len())].id
    }

    fn create(&mut self) -> Result<(), Failure> {
        let canary = format!("canary{:016x}", self.rng.u64(..));
        let lead = Some(self.rng.i64(1..=3)).filter(|_| self.rng.u32(0..4) > 0);
        let department = Some(self.rng.i64(1..=3)).filter(|_| self.rng.bool());
        let mut ticket = Ticket {
            title: format!("Printer {canary}"),
            content: format!("It prints a black line, {canary}."),
            status: "open",
            priority: self.rng.choice(PRIORITIES).unwrap_or("low"),
            department,
            lead,
            labels: self.some_labels(),
            awaits: true,
            ..Ticket::default()
        };
        let body = json!({
            "customer_id": CUSTOMER.0, "title": ticket.title, "content": ticket.content, "assigned_to": lead,
            "department_id": department, "priority": ticket.priority, "labels": ticket.labels,
        });
        let answer = self.ask(None, "POST", "/tickets", Some(body))?;
        ticket.id = answer.id();
        ticket.reference = answer.body["data"]["reference_id"].as_str().unwrap_or_default().to_owned();
        if ticket.id == 0 || self.world.tickets.iter().any(|known| known.reference == ticket.reference) {
            self.wrong("a reference of its own", &answer);
        }
        self.world.open(ticket);
        let expected = self.world.tickets.last().map(Ticket::json);
        self.expect(&answer, 201, expected);
        Ok(())
    }

    fn some_labels(&mut self) -> BTreeSet<i64> {
        (1..=4).filter(|_| self.rng.bool()).collect()
    }

    fn put(&mut self, caller: Option<i64>, id: i64) -> Result<(), Failure> {
        let mut patch = Patch::default();
        if self.rng.bool() {
            patch.status = self.rng.choice(STATUSES);
        }
        if self.rng.u32(0..4) == 0 {
            patch.priority = self.rng.choice(PRIORITIES);
        }
        if self.rng.u32(0..4) == 0 {
            patch.labels = Some(self.some_labels());
        }
        if caller.is_none() {
            self.widen(&mut patch);
        }
        let answer = self.ask(caller, "PUT", &format!("/tickets/{id}"), Some(patch.json()))?;
        if self.is_hidden(caller, id, &answer) {
            return Ok(());
        }
        self.counts[3] += 1;
        self.world.change(id, &patch, caller.map_or(Who::Admin, Who::Agent));
        let expected = self.world.find(None, id).map(Ticket::json);
        self.expect(&answer, 200, expected);
        Ok(())
    }

    /// What only an administrator may change.
    fn widen(&mut self, patch: &mut Patch) {
        let nobody_or = |id: i64| Some(id).filter(|id| *id > 0);
        if self.rng.u32(0..3) == 0 {
            patch.agents = Some((1..=3).filter(|_| self.rng.bool()).collect());
        }
        if self.rng.u32(0..3) == 0 {
            patch.lead = Some(nobody_or(self.rng.i64(0..=3)));
        }
        if self.rng.u32(0..4) == 0 {
            patch.department = Some(nobody_or(self.rng.i64(0..=3)));
        }
        if self.rng.u32(0..5) == 0 {
            patch.is_locked = Some(self.rng.bool());
        }
        if self.rng.u32(0..8) == 0 {
            patch.is_resolved = Some(self.rng.bool());
        }
    }

    fn close(&mut self, caller: i64, id: i64) -> Result<(), Failure> {
        let answer = self.ask(Some(caller), "POST", &format!("/tickets/{id}/close"), None)?;
        if self.is_hidden(Some(caller), id, &answer) {
            return Ok(());
        }
        self.counts[3] += 1;
        let patch = Patch { status: Some("closed"), ..Patch::default() };
        // A closed ticket stays as it is, `is_resolved` included.
        self.world.change(id, &patch, Who::Agent(caller));
        let expected = self.world.find(None, id).map(Ticket::json);
        self.expect(&answer, 200, expected);
        Ok(())
    }

    fn reply(&mut self, caller: i64, id: i64) -> Result<(), Failure> {
        let is_internal = self.rng.u32(0..3) == 0;
        self.message(Some(caller), Who::Agent(caller), id, is_internal)
    }

    fn post(&mut self, id: i64) -> Result<(), Failure> {
        let who = if self.rng.bool() { Who::Customer } else { Who::Admin };
        let is_internal = who == Who::Admin && self.rng.bool();
        self.message(None, who, id, is_internal)
    }

    fn message(
        &mut self,
        caller: Option<i64>,
        sender: Who,
        id: i64,
        is_internal: bool,
    ) -> Result<(), Failure> {
        let canary = self.world.find(None, id).map_or(String::new(), |ticket| canary(ticket).to_owned());
        let content = format!("Number {}: have you tried another cable? {canary}", self.world.tick);
        let mut body = json!({ "content": content, "is_internal": is_internal });
        if sender == Who::Customer {
            body["customer_id"] = CUSTOMER.0.into();
        }
        let answer = self.ask(caller, "POST", &format!("/tickets/{id}/messages"), Some(body))?;
        if self.is_hidden(caller, id, &answer) {
            return Ok(());
        }
        if sender != Who::Admin && self.world.find(None, id).is_some_and(|ticket| ticket.is_locked) {
            self.expect(&answer, 403, None);
            return Ok(());
        }
        self.counts[3] += 1;
        let message = Message { id: answer.id(), content, is_internal, sender, likes: BTreeSet::new() };
        let expected = message.json(id, caller, self.admin_key());
        self.world.write(id, message);
        self.expect(&answer, 201, Some(expected));
        Ok(())
    }

    /// The desk's administrator's key is the one made after those of the agents.
    fn admin_key(&self) -> i64 {
        i64::try_from(self.desk.agents.len()).unwrap_or_default() + 1
    }

    fn like(&mut self, caller: i64, id: i64) -> Result<(), Failure> {
        // Of any ticket: a message of another one is not found under this.
        let tickets = &self.world.tickets;
        let all: Vec<i64> =
            tickets.iter().flat_map(|ticket| &ticket.messages).map(|message| message.id).collect();
        let own = self
            .world
            .find(None, id)
            .map(|ticket| ticket.messages.iter().map(|message| message.id).collect());
        let from: Vec<i64> = if self.rng.u32(0..4) > 0 { own.unwrap_or_default() } else { all };
        let message = self.rng.choice(from).unwrap_or(1_000_000_007);
        let path = format!("/tickets/{id}/messages/{message}/like");
        let answer = self.ask(Some(caller), "POST", &path, None)?;
        if self.is_hidden(Some(caller), id, &answer) {
            return Ok(());
        }
        match self.world.like(id, message, caller) {
            Some((liked, count)) => {
                self.expect(&answer, 200, Some(json!({ "liked": liked, "count": count })))
            }
            None => self.expect(&answer, 404, None),
        }
        Ok(())
    }

    fn list(&mut self, caller: Option<i64>, plain: bool) -> Result<(), Failure> {
        let draw = |rng: &mut fastrand::Rng, of: u32| !plain && rng.u32(0..of) == 0;
        let status = draw(&mut self.rng, 3).then(|| self.rng.choice(STATUSES)).flatten();
        let priority = draw(&mut self.rng, 4).then(|| self.rng.choice(PRIORITIES)).flatten();
        let department = draw(&mut self.rng, 4).then(|| self.rng.i64(1..=4));
        let word = draw(&mut self.rng, 3).then(|| self.some_word());
        let sort = if plain { "" } else { self.rng.choice(SORTS).unwrap_or_default() };
        let per_page = if plain { 200 } else { self.rng.usize(1..=4) };
        let page = if plain { 1 } else { self.rng.usize(1..=3) };
        let mut found: Vec<&Ticket> =
            self.world.tickets.iter().filter(|ticket| self.world.sees(caller, ticket)).collect();
        found.retain(|ticket| {
            status.is_none_or(|status| ticket.status == status)
                && priority.is_none_or(|priority| ticket.priority == priority)
                && department.is_none_or(|department| ticket.department == Some(department))
                && word.as_ref().is_none_or(|word| has(ticket, word))
        });
        found.sort_by_key(|ticket| std::cmp::Reverse(ticket.id));
        found.sort_by_key(|ticket| rank(ticket, sort));
        let total = found.len();
        let items: Vec<Value> =
            found.iter().skip((page - 1) * per_page).take(per_page).map(|ticket| ticket.json()).collect();
        let mut path = format!("/tickets?page={page}&per_page={per_page}");
        for (name, value) in [("status", status), ("priority", priority), ("q", word.as_deref())] {
            path += &value.map_or(String::new(), |value| format!("&{name}={value}"));
        }
        path += &department.map_or(String::new(), |id| format!("&department_id={id}"));
        path += &if sort.is_empty() { String::new() } else { format!("&sort={sort}") };
        let answer = self.ask(caller, "GET", &path, None)?;
        let meta = json!({
            "current_page": page, "last_page": total.div_ceil(per_page).max(1), "per_page": per_page, "total": total,
        });
        if answer.body["meta"] != meta {
            self.wrong(&format!("meta {meta}"), &answer);
        }
        self.expect(&answer, 200, Some(items.into()));
        Ok(())
    }

    /// What to search for: a ticket's canary, or what many have.
    fn some_word(&mut self) -> String {
        let id = self.some_ticket();
        let common = self.rng.choice(["black", "PRINTER", "john", "nothing"]).unwrap_or_default().to_owned();
        let one = self.world.find(None, id).map(|ticket| canary(ticket).to_owned());
        if self.rng.bool() { one.unwrap_or(common) } else { common }
    }

    fn get(&mut self, caller: Option<i64>, id: i64) -> Result<(), Failure> {
        let answer = self.ask(caller, "GET", &format!("/tickets/{id}"), None)?;
        if !self.is_hidden(caller, id, &answer) {
            let expected = self.world.find(caller, id).map(Ticket::json);
            self.expect(&answer, 200, expected);
        }
        Ok(())
    }

    fn conversation(&mut self, caller: Option<i64>, id: i64) -> Result<(), Failure> {
        let answer = self.ask(caller, "GET", &format!("/tickets/{id}/messages?per_page=200"), None)?;
        if !self.is_hidden(caller, id, &answer) {
            let key = self.admin_key();
            let messages = self.world.find(caller, id).map(|ticket| &ticket.messages);
            let expected =
                messages.into_iter().flatten().map(|message| message.json(id, caller, key)).collect();
            self.expect(&answer, 200, Some(expected));
        }
        Ok(())
    }

    fn dashboard(&mut self, caller: i64) -> Result<(), Failure> {
        let answer = self.ask(Some(caller), "GET", "/dashboard", None)?;
        let mut expected = self.world.dashboard(caller);
        // A sequence that runs across midnight has closed tickets that were closed yesterday.
        if answer.body["data"]["closed_today"].as_i64() < expected["closed_today"].as_i64()
            && is_about_midnight()
        {
            expected["closed_today"] = answer.body["data"]["closed_today"].clone();
        }
        self.expect(&answer, 200, Some(expected));
        Ok(())
    }

    /// The list and the count, one that is read, and another agent's that cannot be.
    fn notices(&mut self, caller: i64) -> Result<(), Failure> {
        let answer = self.ask(Some(caller), "GET", "/notifications?per_page=200", None)?;
        let ids: Vec<i64> =
            answer.body["data"].as_array().into_iter().flatten().filter_map(|it| it["id"].as_i64()).collect();
        let expected: Vec<Value> =
            self.world.told(caller).zip(&ids).map(|(notice, id)| with_id(notice.json(), *id)).collect();
        let all = self.world.told(caller).count();
        if all <= 200 && all != ids.len() {
            self.wrong(&format!("{all} notifications"), &answer);
        }
        self.expect(&answer, 200, Some(expected.into()));
        let unread = self.world.told(caller).filter(|notice| !notice.is_read).count();
        let answer = self.ask(Some(caller), "GET", "/notifications/unread-count", None)?;
        self.expect(&answer, 200, Some(json!({ "unread_count": unread })));
        let Some(at) = (!ids.is_empty()).then(|| self.rng.usize(0..ids.len())) else { return Ok(()) };
        let other = if caller == 1 { 2 } else { 1 };
        let path = format!("/notifications/{}/read", ids[at]);
        let answer = self.ask(Some(other), "POST", &path, None)?;
        self.expect(&answer, 404, None);
        let answer = self.ask(Some(caller), "POST", &path, None)?;
        let mut own = self.world.notices.iter_mut().rev().filter(|notice| notice.agent == caller);
        if let Some(notice) = own.nth(at) {
            notice.is_read = true;
            let expected = with_id(notice.json(), ids[at]);
            self.expect(&answer, 200, Some(expected));
        }
        Ok(())
    }

    fn read_all(&mut self, caller: i64) -> Result<(), Failure> {
        let answer = self.ask(Some(caller), "POST", "/notifications/read-all", None)?;
        let own = self.world.notices.iter_mut().filter(|notice| notice.agent == caller && !notice.is_read);
        let marked = own.map(|notice| notice.is_read = true).count();
        self.expect(&answer, 200, Some(json!({ "marked": marked })));
        Ok(())
    }

    fn toggle_departments(&mut self) -> Result<(), Failure> {
        self.world.by_department = !self.world.by_department;
        let body = json!({ "department_visibility": self.world.by_department });
        let answer = self.ask(None, "PUT", "/settings", Some(body))?;
        self.expect(&answer, 200, None);
        Ok(())
    }

    fn mute(&mut self, caller: i64) -> Result<(), Failure> {
        let muted: Vec<&'static str> = KINDS.into_iter().filter(|_| self.rng.u32(0..4) == 0).collect();
        self.world.muted.retain(|(agent, _)| *agent != caller);
        self.world.muted.extend(muted.iter().map(|kind| (caller, *kind)));
        let settings: Value = muted.into_iter().map(|kind| (kind.to_owned(), Value::from(false))).collect();
        let body = json!({ "notification_settings": settings });
        let answer = self.ask(Some(caller), "PUT", "/profile", Some(body))?;
        self.expect(&answer, 200, None);
        Ok(())
    }

    fn delete(&mut self, id: i64) -> Result<(), Failure> {
        let answer = self.ask(None, "DELETE", &format!("/tickets/{id}"), None)?;
        if !self.is_hidden(None, id, &answer) {
            self.world.delete(id);
            self.expect(&answer, 200, None);
        }
        Ok(())
    }

    /// Whether a ticket is not there for the caller; the answer must then be the same whether it exists or not.
    fn is_hidden(&mut self, caller: Option<i64>, id: i64, answer: &Answer) -> bool {
        if self.world.find(caller, id).is_some() {
            return false;
        }
        self.counts[2] += 1;
        self.expect(answer, 404, None);
        if answer.text != r#"{"status":false,"code":"not_found","message":"Not found"}"# {
            self.wrong("the same body as for a ticket that does not exist", answer);
        }
        true
    }

    /// Asks as an agent, or as the administrator, and looks for canaries in the answer.
    fn ask(
        &mut self,
        caller: Option<i64>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let side = if caller.is_some() { "external" } else { "internal" };
        let (path, body) = (format!("/{side}{path}"), body.map(|body| body.to_string()));
        let agent = caller.and_then(|id| self.desk.agents.get(usize::try_from(id - 1).ok()?));
        let key = agent.unwrap_or(&self.desk.admin);
        self.said = format!("{caller:?} {method} {path} {}", body.as_deref().unwrap_or_default());
        let answer =
            self.client.call(&Request { method, path: &path, key, once: None, body: body.as_deref() })?;
        self.counts[0] += 1;
        let foreign: Vec<String> = self
            .world
            .tickets
            .iter()
            .filter(|ticket| !self.world.sees(caller, ticket))
            .map(|ticket| canary(ticket).to_owned())
            .collect();
        self.counts[1] += foreign.len() as u64;
        for canary in foreign.iter().filter(|canary| answer.text.contains(*canary)) {
            self.wrong(&format!("no {canary}"), &answer);
        }
        Ok(answer)
    }

    fn expect(&mut self, answer: &Answer, status: u16, data: Option<Value>) {
        let differs = data.as_ref().is_some_and(|data| plain(&answer.body["data"]) != *data);
        if answer.status != status || differs {
            self.wrong(&format!("{status} {}", data.unwrap_or_default()), answer);
        }
    }

    fn wrong(&mut self, expected: &str, answer: &Answer) {
        let said = format!("{}: {} {} instead of {expected}", self.said, answer.status, answer.text);
        self.report.violation(said);
    }
}

/// The word that only this ticket has.
fn canary(ticket: &Ticket) -> &str {
    ticket.title.split(' ').nth(1).unwrap_or_default()
}

fn has(ticket: &Ticket, word: &str) -> bool {
    let all =
        format!("{} {} {} {} {}", ticket.title, ticket.content, ticket.reference, CUSTOMER.1, CUSTOMER.2);
    all.to_lowercase().contains(&word.to_lowercase())
}

/// Where a ticket stands in a list; of equal ones the newest comes first.
fn rank(ticket: &Ticket, sort: &str) -> i64 {
    let priority = PRIORITIES.iter().position(|known| *known == ticket.priority).unwrap_or_default();
    let value = match sort.trim_start_matches('-') {
        "priority" => i64::try_from(priority).unwrap_or_default(),
        "updated_at" => i64::try_from(ticket.touched).unwrap_or_default(),
        "last_reply_at" => i64::try_from(ticket.replied).unwrap_or_default(),
        _ => ticket.id,
    };
    if sort.is_empty() || sort.starts_with('-') { -value } else { value }
}

fn with_id(mut value: Value, id: i64) -> Value {
    value["id"] = id.into();
    value
}

/// An answer with every time that is there replaced by `then`.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let is_time = name.ends_with("_at") && value.is_string();
                (name.clone(), if is_time { "then".into() } else { plain(value) })
            })
            .collect(),
        other => other.clone(),
    }
}

/// Whether midnight (UTC) was less than ten minutes ago.
fn is_about_midnight() -> bool {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.is_ok_and(|now| now.as_secs() % 86_400 < 600)
}
