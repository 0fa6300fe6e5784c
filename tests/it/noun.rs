//! What holds for every plain noun that administrators keep. What holds for one of them alone is in its own file.

use serde_json::{Map, Value, json};

use crate::harness::{Actor, TestApp, fields, just_past_noon};

/// A plain noun, and all that tells it from the others.
struct Plain {
    /// The path, and the scopes without their verb.
    path: &'static str,
    /// The table, and the name in the activity log.
    name: &'static str,
    /// The least that makes one, its title first.
    least: Value,
    /// The rest of what can be said, none of it the default.
    rest: Value,
    /// The fields that null clears.
    nullable: &'static [&'static str],
    /// What the answer to the least has besides.
    defaults: Value,
    /// How many characters fields may have.
    limits: &'static [(&'static str, usize)],
    /// Zebra, Éclair, eclair (all at 0) and apple (at 1), in the order of the list.
    order: [&'static str; 4],
}

const BY_PLACE_AND_NAME: [&str; 4] = ["Éclair", "eclair", "zebra", "apple"];
const BY_PLACE: [&str; 4] = ["zebra", "Éclair", "eclair", "apple"];
const BY_NAME: [&str; 4] = ["apple", "Éclair", "eclair", "zebra"];
const NEWEST_FIRST: [&str; 4] = ["apple", "eclair", "Éclair", "zebra"];

fn nouns() -> Vec<Plain> {
    vec![
        Plain {
            path: "labels",
            name: "label",
            least: json!({ "name": "Urgent", "color": "#e74c3c" }),
            rest: json!({ "status": "draft", "sort_order": 3 }),
            nullable: &[],
            defaults: json!({ "status": "published", "sort_order": 0 }),
            limits: &[("name", 250)],
            order: BY_PLACE_AND_NAME,
        },
        Plain {
            path: "departments",
            name: "department",
            least: json!({ "name": "Sales" }),
            rest: json!({
                "description": "Offers.", "email": "sales@desk.example", "is_default": true, "status": "draft", "sort_order": 3
            }),
            nullable: &["description", "email"],
            defaults: json!({
                "description": null, "email": null, "is_default": false, "status": "published", "sort_order": 0
            }),
            limits: &[("name", 250), ("description", 1000)],
            order: BY_PLACE_AND_NAME,
        },
        Plain {
            path: "categories",
            name: "category",
            least: json!({ "name": "Billing" }),
            rest: json!({ "description": "Money.", "parent_id": 1, "status": "draft", "sort_order": 3 }),
            nullable: &["description", "parent_id"],
            defaults: json!({ "description": null, "parent_id": null, "status": "published", "sort_order": 0 }),
            limits: &[("name", 250), ("description", 1000)],
            order: BY_PLACE_AND_NAME,
        },
        Plain {
            path: "products",
            name: "product",
            least: json!({ "name": "Theme" }),
            rest: json!({ "envato_id": "22714358", "description": "Nice.", "price": "49.90", "status": "draft" }),
            nullable: &["envato_id", "description", "price"],
            defaults: json!({ "envato_id": null, "description": null, "price": null, "status": "published" }),
            limits: &[("name", 250), ("envato_id", 100), ("description", 1000)],
            order: BY_NAME,
        },
        Plain {
            path: "knowledge-categories",
            name: "knowledge_category",
            least: json!({ "name": "Account" }),
            rest: json!({ "description": "Keys.", "icon": "key", "status": "draft", "sort_order": 3 }),
            nullable: &["description", "icon"],
            defaults: json!({
                "description": null, "icon": null, "status": "published", "sort_order": 0, "articles_count": 0
            }),
            limits: &[("name", 250), ("description", 1000), ("icon", 100)],
            order: BY_PLACE,
        },
        Plain {
            path: "knowledge-articles",
            name: "knowledge_article",
            least: json!({ "title": "Keys" }),
            rest: json!({ "slug": "all-keys", "content": "Turn it.", "excerpt": "Turn.", "status": "draft" }),
            nullable: &["excerpt", "category_id"],
            defaults: json!({
                "slug": "keys", "content": "", "excerpt": null, "category": null, "views": 0, "status": "published"
            }),
            limits: &[("title", 250), ("slug", 250), ("content", 100_000), ("excerpt", 500)],
            order: NEWEST_FIRST,
        },
        Plain {
            path: "canned-responses",
            name: "canned_response",
            least: json!({ "title": "Greeting" }),
            rest: json!({
                "content": "Hello!", "category": "General", "shortcut": "/hi", "is_active": false, "sort_order": 3
            }),
            nullable: &["category", "shortcut"],
            defaults: json!({
                "content": "", "category": null, "shortcut": null, "is_active": true, "sort_order": 0
            }),
            limits: &[("title", 250), ("content", 100_000), ("category", 100), ("shortcut", 100)],
            order: BY_PLACE_AND_NAME,
        },
        Plain {
            path: "custom-fields",
            name: "custom_field",
            least: json!({ "label": "Order number", "type": "text" }),
            rest: json!({ "description": "From the receipt.", "is_required": true, "sort_order": 3, "status": "draft" }),
            nullable: &["description"],
            defaults: json!({ "description": null, "is_required": false, "sort_order": 0, "status": "published" }),
            limits: &[("label", 250), ("description", 1000)],
            order: BY_PLACE,
        },
    ]
}

impl Plain {
    fn list(&self) -> String {
        format!("/{}", self.path)
    }

    fn one(&self, id: impl std::fmt::Display) -> String {
        format!("/{}/{id}", self.path)
    }

    /// The field that people know one by.
    fn title(&self) -> &str {
        fields(&self.least)[0]
    }

    fn full(&self) -> Value {
        merged(&self.least, &self.rest)
    }

    /// Every field that can be sent.
    fn names(&self) -> Vec<String> {
        let full = self.full();
        let sent = full.as_object().unwrap().keys().map(String::as_str);
        let mut names: Vec<String> = sent.chain(self.nullable.iter().copied()).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Those of them that nothing clears.
    fn firm(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| !self.nullable.contains(&name.as_str())).collect()
    }

    /// Null for everything that null clears.
    fn nulls(&self) -> Value {
        self.nullable.iter().map(|name| ((*name).to_owned(), Value::Null)).collect::<Map<_, _>>().into()
    }

    fn count(&self, app: &TestApp) -> i64 {
        app.look_up(&format!("SELECT count(*) FROM {}", self.name))
    }
}

fn merged(one: &Value, other: &Value) -> Value {
    let mut all = one.as_object().unwrap().clone();
    all.extend(other.as_object().unwrap().clone());
    all.into()
}

fn all_of(names: &[String], value: &Value) -> Value {
    names.iter().map(|name| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

#[track_caller]
fn invalid(answer: &crate::harness::Response, names: &[String]) {
    answer.invalid(&names.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The last entry of the activity log: action, description, changes.
pub fn last_entry(app: &TestApp) -> (String, String, Value) {
    let text =
        |column| app.look_up::<String>(&format!("SELECT {column} FROM activity ORDER BY id DESC LIMIT 1"));
    (text("action"), text("description"), serde_json::from_str(&text("changes")).unwrap())
}

fn entries(app: &TestApp) -> i64 {
    app.look_up("SELECT count(*) FROM activity")
}

#[test]
fn the_least_that_makes_one_gets_the_defaults() {
    for noun in nouns() {
        let app = TestApp::desk();
        let answer = app.admin().post(&noun.list(), noun.least.clone());
        let id = &answer.data()["id"];
        let now = just_past_noon(&answer.data()["created_at"]);
        let times = json!({ "id": id, "created_at": now, "updated_at": now });
        assert_eq!(answer.status, 201);
        assert_eq!(*answer.data(), merged(&merged(&noun.least, &noun.defaults), &times), "{}", noun.path);
        let location = format!("/api/v1/internal/{}/{id}", noun.path);
        assert_eq!(answer.header("location"), Some(&*location));
        assert_eq!(app.admin().get(&noun.one(id)).data(), answer.data());
        let (action, description, changes) = last_entry(&app);
        assert_eq!(action, format!("{}.created", noun.name));
        let title = noun.least[noun.title()].as_str().unwrap();
        assert_eq!(description, format!("Robot created the {} “{title}”", noun.name.replace('_', " ")));
        assert_eq!(changes[noun.title()], json!({ "from": null, "to": title }));
    }
}

#[test]
fn what_is_sent_is_what_is_answered() {
    for noun in nouns() {
        let app = TestApp::desk();
        let answer = app.admin().post(&noun.list(), noun.full());
        for (field, value) in noun.full().as_object().unwrap() {
            assert_eq!(answer.data()[field], *value, "{} {field}", noun.path);
        }
        // Nullable fields may be null from the start.
        let app = TestApp::desk();
        let answer = app.admin().post(&noun.list(), merged(&noun.least, &noun.nulls()));
        for field in noun.nullable {
            assert_eq!(answer.data()[*field], Value::Null, "{} {field}", noun.path);
        }
    }
}

#[test]
fn a_change_changes_what_is_sent_and_nothing_else() {
    for noun in nouns() {
        let app = TestApp::desk();
        let before = app.admin().post(&noun.list(), noun.least.clone()).data().clone();
        app.advance(60);
        let after = app.admin().put(&noun.one(&before["id"]), noun.rest.clone());
        let later = json!({ "updated_at": "2026-03-16T12:01:00Z" });
        assert_eq!(*after.data(), merged(&merged(&before, &noun.rest), &later), "{}", noun.path);
        assert_eq!(app.admin().get(&noun.one(&before["id"])).data(), after.data());
        let (action, _, changes) = last_entry(&app);
        assert_eq!(action, format!("{}.updated", noun.name));
        let mut changed = fields(&changes);
        let mut sent = fields(&noun.rest);
        changed.sort_unstable();
        sent.sort_unstable();
        assert_eq!(changed, sent);
        let renamed = app.admin().put(&noun.one(&before["id"]), json!({ noun.title(): "Other" }));
        assert_eq!(*renamed.data(), merged(after.data(), &json!({ noun.title(): "Other" })));
    }
}

#[test]
fn a_change_of_nothing_leaves_no_trace() {
    for noun in nouns() {
        let app = TestApp::desk();
        let before = app.admin().post(&noun.list(), noun.full()).data().clone();
        let entries_before = entries(&app);
        app.advance(60);
        for nothing in [json!({}), noun.full()] {
            let answer = app.admin().put(&noun.one(&before["id"]), nothing);
            assert_eq!((answer.status, answer.data()), (200, &before), "{}", noun.path);
        }
        assert_eq!(entries(&app), entries_before);
    }
}

#[test]
fn null_clears_what_is_nullable_and_is_refused_elsewhere() {
    for noun in nouns() {
        let app = TestApp::desk();
        let id = app.admin().post(&noun.list(), noun.full()).data()["id"].clone();
        invalid(&app.admin().put(&noun.one(&id), all_of(&noun.firm(), &Value::Null)), &noun.firm());
        invalid(&app.admin().post(&noun.list(), all_of(&noun.firm(), &Value::Null)), &noun.firm());
        let answer = app.admin().put(&noun.one(&id), noun.nulls());
        for field in noun.nullable {
            assert_eq!(answer.data()[*field], Value::Null, "{} {field}", noun.path);
        }
    }
}

#[test]
fn every_wrong_field_is_named_and_nothing_is_written() {
    for noun in nouns() {
        let app = TestApp::desk();
        let (count, entries_before) = (noun.count(&app), entries(&app));
        let required: Vec<String> = fields(&noun.least).iter().map(|name| (*name).to_owned()).collect();
        invalid(&app.admin().post(&noun.list(), json!({})), &required);
        let mut wrong = noun.names();
        for value in [json!([]), json!({})] {
            invalid(&app.admin().post(&noun.list(), all_of(&wrong, &value)), &wrong);
            invalid(&app.admin().put(&noun.one(1), all_of(&wrong, &value)), &wrong);
        }
        wrong = vec!["nonsense".into(), "id".into(), "created_at".into(), "views".into()];
        let body = merged(&noun.least, &all_of(&wrong, &json!(1)));
        invalid(&app.admin().post(&noun.list(), body), &wrong);
        invalid(&app.admin().put(&noun.one(1), all_of(&wrong, &json!(1))), &wrong);
        assert_eq!((noun.count(&app), entries(&app)), (count, entries_before), "{}", noun.path);
    }
}

#[test]
fn limits_are_counted_in_characters() {
    for noun in nouns() {
        let app = TestApp::desk();
        let id = app.admin().post(&noun.list(), noun.least.clone()).data()["id"].clone();
        for (field, most) in noun.limits {
            let letter = if *field == "slug" { "x" } else { "ü" };
            let long = json!({ *field: letter.repeat(*most) });
            assert_eq!(app.admin().put(&noun.one(&id), long.clone()).data()[*field], long[*field]);
            let longer = json!({ *field: letter.repeat(most + 1) });
            app.admin().put(&noun.one(&id), longer.clone()).invalid(&[field]);
            app.admin().post(&noun.list(), merged(&noun.least, &longer)).invalid(&[field]);
            app.admin().put(&noun.one(&id), json!({ *field: "a\u{1}b" })).invalid(&[field]);
        }
        app.admin().put(&noun.one(&id), json!({ noun.title(): " \t" })).invalid(&[noun.title()]);
        if noun.names().contains(&"sort_order".to_owned()) {
            for bad in [-1, 2_147_483_648_i64] {
                app.admin().put(&noun.one(&id), json!({ "sort_order": bad })).invalid(&["sort_order"]);
            }
            app.admin().put(&noun.one(&id), json!({ "sort_order": 2_147_483_647 })).data();
        }
        if noun.names().contains(&"status".to_owned()) {
            app.admin().put(&noun.one(&id), json!({ "status": "hidden" })).invalid(&["status"]);
        }
    }
}

#[test]
fn what_is_deleted_is_gone() {
    for noun in nouns() {
        let app = TestApp::desk();
        let id = app.admin().post(&noun.list(), noun.full()).data()["id"].clone();
        let count = noun.count(&app);
        let answer = app.admin().delete(&noun.one(&id));
        assert_eq!(answer.json, json!({ "status": true, "message": "Deleted" }));
        assert_eq!(noun.count(&app), count - 1);
        let (action, _, changes) = last_entry(&app);
        assert_eq!(action, format!("{}.deleted", noun.name));
        assert_eq!(changes[noun.title()], json!({ "from": noun.least[noun.title()], "to": null }));
        for path in [noun.one(&id), noun.one(i64::MAX)] {
            app.admin().get(&path).refused(404, "not_found");
            app.admin().put(&path, json!({})).refused(404, "not_found");
            app.admin().delete(&path).refused(404, "not_found");
        }
        assert_ne!(app.admin().post(&noun.list(), noun.full()).data()["id"], id, "ids never come back");
    }
}

#[test]
fn an_id_is_a_positive_integer() {
    let app = TestApp::desk();
    for noun in nouns() {
        for bad in ["0", "-1", "x", "01", "9223372036854775808"] {
            app.admin().get(&noun.one(bad)).invalid(&["id"]);
            app.admin().put(&noun.one(bad), json!({})).invalid(&["id"]);
            app.admin().delete(&noun.one(bad)).invalid(&["id"]);
        }
    }
}

/// Asks for each of the five operations, the deletion last.
fn five(caller: &Actor, noun: &Plain, id: &Value) -> [u16; 5] {
    [
        caller.get(&noun.list()),
        caller.post(&noun.list(), noun.least.clone()),
        caller.get(&noun.one(id)),
        caller.put(&noun.one(id), json!({})),
        caller.delete(&noun.one(id)),
    ]
    .map(|answer| answer.status)
}

#[test]
fn every_operation_asks_for_its_own_scope() {
    let app = TestApp::desk();
    for noun in nouns() {
        let made = || app.admin().post(&noun.list(), noun.least.clone()).data()["id"].clone();
        let good = [200, 201, 200, 200, 200];
        for (n, verb) in ["list", "create", "read", "update", "delete"].iter().enumerate() {
            let mut expected = [403; 5];
            expected[n] = good[n];
            let caller = app.admin_with(&[&format!("{}:{verb}", noun.path)]);
            assert_eq!(five(&caller, &noun, &made()), expected, "{} {verb}", noun.path);
        }
        let id = made();
        assert_eq!(five(&app.admin_with(&["tickets:list", "settings:update"]), &noun, &id), [403; 5]);
        assert_eq!(five(&app.internal(&crate::harness::key_of("ada")), &noun, &id), [403; 5]);
        assert_eq!(five(&app.internal("nonsense"), &noun, &id), [401; 5]);
        assert_eq!(five(&app.admin(), &noun, &id), good);
    }
}

#[test]
fn a_creation_that_is_sent_twice_happens_once() {
    for noun in nouns() {
        let app = TestApp::desk();
        let count = noun.count(&app);
        let send = |body: &Value| {
            app.admin().call("POST", &noun.list()).header("Idempotency-Key", "once").json(body).send()
        };
        let (first, again) = (send(&noun.full()), send(&noun.full()));
        assert_eq!((again.status, &again.body), (201, &first.body), "{}", noun.path);
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(noun.count(&app), count + 1);
        send(&noun.least).refused(422, "idempotency_key_reused");
    }
}

#[test]
fn there_is_no_patch() {
    let app = TestApp::desk();
    for noun in nouns() {
        let answer = app.admin().call("PATCH", &noun.one(1)).json(&json!({})).send();
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("GET, HEAD, PUT, DELETE, OPTIONS"));
        let answer = app.admin().call("PUT", &noun.list()).json(&json!({})).send();
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, POST, OPTIONS")));
    }
}

#[test]
fn lists_have_their_order_and_pages() {
    for noun in nouns() {
        let app = TestApp::desk();
        app.sql(&format!("DELETE FROM {}", noun.name));
        assert_eq!(
            app.admin().get(&noun.list()).json,
            json!({
                "status": true, "data": [], "meta": { "current_page": 1, "last_page": 1, "per_page": 15, "total": 0 }
            })
        );
        for (title, place) in [("zebra", 0), ("Éclair", 0), ("eclair", 0), ("apple", 1)] {
            let mut new = merged(&noun.least, &json!({ noun.title(): title }));
            if noun.names().contains(&"sort_order".to_owned()) {
                new["sort_order"] = json!(place);
            }
            app.admin().post(&noun.list(), new).data();
        }
        let all = app.admin().get(&noun.list());
        assert_eq!(all.each(noun.title()), noun.order, "{}", noun.path);
        assert_eq!(all.items()[0], *app.admin().get(&noun.one(all.ids()[0])).data());
        let page = app.admin().get(&format!("/{}?per_page=3&page=2", noun.path));
        assert_eq!(page.each(noun.title()), noun.order[3..]);
        assert_eq!(
            page.json["meta"],
            json!({ "current_page": 2, "last_page": 2, "per_page": 3, "total": 4 })
        );
        assert!(page.header("link").unwrap().contains("rel=\"prev\""));
        assert_eq!(app.admin().get(&format!("/{}?page=9", noun.path)).items().len(), 0);
        app.admin().get(&format!("/{}?page=0&per_page=201", noun.path)).invalid(&["page", "per_page"]);
    }
}

/// What ticket 1 refers to: its path, the field of its name, where the ticket shows that, and what the ticket is without it.
struct Shown(&'static str, &'static str, &'static str, fn(&mut Value));

const SHOWN: [Shown; 5] = [
    Shown("/departments/1", "name", "/department/name", |ticket| ticket["department"] = Value::Null),
    Shown("/categories/1", "name", "/category/name", |ticket| ticket["category"] = Value::Null),
    Shown("/products/1", "name", "/product/name", |ticket| ticket["product"] = Value::Null),
    Shown("/labels/1", "name", "/labels/0/name", |ticket| {
        ticket["labels"].as_array_mut().unwrap().remove(0);
    }),
    Shown("/custom-fields/2", "label", "/custom_fields/0/label", |ticket| {
        ticket["custom_fields"].as_array_mut().unwrap().remove(0);
    }),
];

#[test]
fn tickets_show_new_names_and_lose_what_is_deleted() {
    for Shown(path, field, pointer, take) in SHOWN {
        let app = TestApp::desk();
        let ticket = || app.agent("ben").get("/tickets/1");
        let first = ticket();
        let put_seen = |body: Value| {
            let tag = first.header("etag").unwrap();
            app.agent("ben").call("PUT", "/tickets/1").header("If-Match", tag).json(&body).send()
        };
        app.advance(60);
        app.admin().put(path, json!({ field: "Another" })).data();
        let renamed = ticket();
        let mut expected = first.data().clone();
        *expected.pointer_mut(pointer).unwrap() = json!("Another");
        assert_eq!(*renamed.data(), expected, "{path}");
        assert_ne!(renamed.header("etag"), first.header("etag"), "{path}");
        app.admin().delete(path);
        let gone = ticket();
        take(&mut expected);
        assert_eq!(*gone.data(), expected, "{path}: whole, and updated_at stays");
        assert_ne!(gone.header("etag"), renamed.header("etag"), "{path}");
        // None of this refuses somebody who saw the ticket before.
        assert_eq!(put_seen(json!({})).status, 200, "{path}");
    }
}

#[test]
fn a_draft_still_shows_where_it_is() {
    for Shown(path, ..) in SHOWN {
        let app = TestApp::desk();
        let first = app.agent("ben").get("/tickets/1");
        app.admin().put(path, json!({ "status": "draft" })).data();
        assert_eq!(app.agent("ben").get("/tickets/1").data(), first.data(), "{path}");
    }
}
