//! Articles as the search returns them and as administrators keep them. What the search finds is in `search.rs`.

use lodge::scalar::PublicationStatus;
use serde_json::{Value, json};

use crate::harness::{TestApp, encode, fields, just_past_noon};
use crate::noun::last_entry;

#[test]
fn an_article_is_the_users_shape_field_for_field() {
    let app = TestApp::sample();
    let answer = app.agent("mira").get("/knowledge-base/search?q=how%20to%20reset%20your%20password");
    let article = &answer.items()[0];
    let shape = ["id", "title", "slug", "excerpt", "content", "category", "views", "status", "created_at"];
    assert_eq!(fields(article), shape);
    assert_eq!(
        [&article["title"], &article["slug"]],
        ["How to reset your password", "how-to-reset-your-password"]
    );
    assert_eq!(fields(&article["category"]), ["id", "name"]);
    assert_eq!((&article["category"]["name"], &article["status"]), (&json!("Account"), &json!("published")));
    assert!(
        article["views"].as_i64().is_some()
            && article["excerpt"].is_string()
            && article["content"].is_string()
    );
    assert_eq!(article["created_at"].as_str().unwrap().len(), 20);
}

#[test]
fn what_an_article_lacks_is_null() {
    let app = TestApp::desk();
    let id = app.add_article("Lonely article", "", "Text");
    app.sql("UPDATE knowledge_article SET excerpt = NULL");
    let answer = app.agent("ada").get("/knowledge-base/search?q=lonely");
    assert_eq!(
        answer.json,
        json!({ "status": true, "data": [{
            "id": id, "title": "Lonely article", "slug": "a-0", "excerpt": null, "content": "Text", "category": null, "views": 0,
            "status": "published", "created_at": answer.items()[0]["created_at"],
        }]})
    );
}

#[test]
fn a_search_is_unpaginated_and_has_twenty_articles_at_most() {
    let app = TestApp::desk();
    for n in 0..25 {
        app.add_article(&format!("Common {n}"), "", "Text");
    }
    let answer = app.agent("ada").get("/knowledge-base/search?q=common&per_page=3&page=2");
    assert_eq!(answer.items().len(), 20);
    assert_eq!((fields(&answer.json), answer.header("link")), (vec!["status", "data"], None));
}

#[test]
fn what_nothing_matches_is_an_empty_list() {
    let answer = TestApp::sample().agent("mira").get("/knowledge-base/search?q=quetzalcoatlus");
    assert_eq!(answer.json, json!({ "status": true, "data": [] }));
}

#[test]
fn a_search_does_not_count_as_reading() {
    let app = TestApp::desk();
    app.add_article("Lonely article", "", "Text");
    for _ in 0..2 {
        assert_eq!(app.agent("ada").get("/knowledge-base/search?q=lonely").items()[0]["views"], 0);
    }
}

#[test]
fn drafts_are_never_found() {
    let app = TestApp::desk();
    let draft = PublicationStatus::Draft;
    app.add_article_as(draft, "Hidden gem", "Hidden gem", "Hidden gem 日本 q");
    for query in ["hidden", "gem", "hi", "日本", "h g", "q n"] {
        let answer = app.agent("ada").get(&format!("/knowledge-base/search?q={}", encode(query)));
        assert_eq!(answer.json["data"], json!([]), "{query}");
    }
}

#[test]
fn q_is_required() {
    let app = TestApp::desk();
    app.agent("ada").get("/knowledge-base/search").invalid(&["q"]);
    app.agent("ada").get("/knowledge-base/search?q").invalid(&["q"]);
    app.agent("ada").get("/knowledge-base/search?query=password").invalid(&["q"]);
}

#[test]
fn q_has_2_to_200_characters_after_trimming() {
    let app = TestApp::desk();
    let search = |q: &str| app.agent("ada").get(&format!("/knowledge-base/search?q={}", encode(q)));
    for bad in ["", " ", "a", "  a  ", "日", " \u{3000} ", &"a".repeat(201), &"日".repeat(201)] {
        search(bad).invalid(&["q"]);
    }
    for good in
        ["ab", "  ab  ", "日本", &"a".repeat(200), &"日".repeat(200), &format!("   {}   ", "a".repeat(200))]
    {
        search(good).data();
    }
}

#[test]
fn q_has_at_most_ten_words() {
    let app = TestApp::desk();
    let search = |words: usize| {
        app.agent("ada").get(&format!("/knowledge-base/search?q={}", vec!["ab"; words].join("+")))
    };
    search(10).data();
    search(11).invalid(&["q"]);
}

#[test]
fn q_holds_no_control_characters_and_is_utf_8() {
    let app = TestApp::desk();
    app.agent("ada").get("/knowledge-base/search?q=a%00b").invalid(&["q"]);
    app.agent("ada").get("/knowledge-base/search?q=%1bab").invalid(&["q"]);
    app.agent("ada").get("/knowledge-base/search?q=%ff%fe").invalid(&["q"]);
}

#[test]
fn q_is_given_once() {
    TestApp::desk().agent("ada").get("/knowledge-base/search?q=ab&q=cd").invalid(&["q"]);
}

#[test]
fn every_agent_searches_the_same_articles() {
    let app = TestApp::sample();
    let one = app.agent("mira").get("/knowledge-base/search?q=password").json;
    assert_eq!(one, app.agent("sam").get("/knowledge-base/search?q=password").json);
    assert_ne!(one["data"], Value::Array(vec![]));
}

/// A new article of an administrator's.
fn write(app: &TestApp, article: Value) -> Value {
    app.admin().post("/knowledge-articles", article).data().clone()
}

fn found(app: &TestApp, words: &str) -> Vec<i64> {
    app.agent("ada").get(&format!("/knowledge-base/search?q={}", encode(words))).ids()
}

#[test]
fn an_administrator_sees_the_users_shape_and_when_it_changed() {
    let app = TestApp::desk();
    app.admin().post("/knowledge-categories", json!({ "name": "Account", "status": "draft" })).data();
    let article = write(
        &app,
        json!({ "title": "Reset", "content": "Click.", "excerpt": "In short.", "category_id": 1 }),
    );
    let now = just_past_noon(&article["created_at"]);
    let expected = json!({
        "id": 1, "title": "Reset", "slug": "reset", "excerpt": "In short.", "content": "Click.",
        "category": { "id": 1, "name": "Account" }, "views": 0, "status": "published",
        "created_at": now, "updated_at": now,
    });
    assert_eq!(article, expected);
    assert_eq!(fields(&article), fields(&expected));
    let (_, _, changes) = last_entry(&app);
    assert_eq!(changes["content"], json!({ "from": null, "to": "6 characters" }));
}

#[test]
fn an_article_is_in_a_category_that_is_there() {
    let app = TestApp::desk();
    for name in ["One", "Two"] {
        app.admin().post("/knowledge-categories", json!({ "name": name })).data();
    }
    write(&app, json!({ "title": "A", "category_id": 1 }));
    app.admin()
        .post("/knowledge-articles", json!({ "title": "B", "category_id": 9 }))
        .invalid(&["category_id"]);
    app.admin().put("/knowledge-articles/1", json!({ "category_id": 9 })).invalid(&["category_id"]);
    let moved = app.admin().put("/knowledge-articles/1", json!({ "category_id": 2 }));
    assert_eq!(moved.data()["category"], json!({ "id": 2, "name": "Two" }));
    assert_eq!(fields(&last_entry(&app).2), ["category"]);
    app.admin().put("/knowledge-categories/2", json!({ "name": "Deux" })).data();
    assert_eq!(app.admin().get("/knowledge-articles/1").data()["category"]["name"], "Deux");
    let cleared = app.admin().put("/knowledge-articles/1", json!({ "category_id": null }));
    assert_eq!(cleared.data()["category"], Value::Null);
}

#[test]
fn a_category_counts_its_articles_and_leaves_them_whole() {
    let app = TestApp::desk();
    app.admin().post("/knowledge-categories", json!({ "name": "One" })).data();
    for (n, status) in ["published", "draft"].iter().enumerate() {
        write(&app, json!({ "title": format!("Article {n}"), "category_id": 1, "status": status }));
    }
    write(&app, json!({ "title": "Elsewhere" }));
    assert_eq!(app.admin().get("/knowledge-categories/1").data()["articles_count"], 2);
    assert_eq!(app.admin().get("/knowledge-categories").items()[0]["articles_count"], 2);
    let renamed = app.admin().put("/knowledge-categories/1", json!({ "name": "Uno" }));
    assert_eq!(renamed.data()["articles_count"], 2);
    let before = app.admin().get("/knowledge-articles/1").data().clone();
    app.advance(60);
    app.admin().delete("/knowledge-categories/1");
    let mut after = before;
    after["category"] = Value::Null;
    assert_eq!(*app.admin().get("/knowledge-articles/1").data(), after);
    assert_eq!(found(&app, "article"), [1]);
}

#[test]
fn a_slug_is_made_from_the_title_and_numbered_when_taken() {
    let app = TestApp::desk();
    for (title, slug) in [
        ("Größe & Maße?", "grosse-masse"),
        ("Grösse, Masse", "grosse-masse-2"),
        ("GROSSE--MASSE", "grosse-masse-3"),
        ("Как дела", "kak-dela"),
        ("!!!", "article"),
        ("???", "article-2"),
    ] {
        assert_eq!(write(&app, json!({ "title": title }))["slug"], slug);
    }
    let long = "a".repeat(250);
    for (n, slug) in [(1, long.clone()), (2, format!("{}-2", "a".repeat(248)))] {
        assert_eq!(write(&app, json!({ "title": long }))["slug"], slug, "{n}");
    }
    // A number that is given up is free again.
    app.admin().delete("/knowledge-articles/2");
    assert_eq!(write(&app, json!({ "title": "Grosse Masse" }))["slug"], "grosse-masse-2");
}

#[test]
fn a_slug_that_is_given_is_kept_and_unique() {
    let app = TestApp::desk();
    assert_eq!(write(&app, json!({ "title": "A", "slug": "Mine_1.0~x-" }))["slug"], "Mine_1.0~x-");
    assert_eq!(write(&app, json!({ "title": "B" }))["slug"], "b");
    app.admin().post("/knowledge-articles", json!({ "title": "C", "slug": "b" })).invalid(&["slug"]);
    app.admin().put("/knowledge-articles/1", json!({ "slug": "b" })).invalid(&["slug"]);
    for bad in ["", "-a", ".a", "a b", "a/b", "ä", "a?", &"a".repeat(251)] {
        app.admin().post("/knowledge-articles", json!({ "title": "C", "slug": bad })).invalid(&["slug"]);
        app.admin().put("/knowledge-articles/1", json!({ "slug": bad })).invalid(&["slug"]);
    }
    let renamed = app.admin().put("/knowledge-articles/2", json!({ "title": "Brand new" }));
    assert_eq!([&renamed.data()["title"], &renamed.data()["slug"]], ["Brand new", "b"]);
    assert_eq!(app.admin().put("/knowledge-articles/2", json!({ "slug": "B" })).data()["slug"], "B");
}

#[test]
fn a_search_is_never_behind_an_administrator() {
    let app = TestApp::desk();
    let id = write(&app, json!({ "title": "Magnet", "content": "日本 iron" }))["id"].as_i64().unwrap();
    let path = format!("/knowledge-articles/{id}");
    let put = |patch: Value| app.admin().put(&path, patch).data().clone();
    for words in ["magnet", "iron", "日本"] {
        assert_eq!(found(&app, words), [id], "{words}");
    }
    put(json!({ "title": "Compass", "excerpt": "Shows north." }));
    assert_eq!((found(&app, "magnet"), found(&app, "compass")), (vec![], vec![id]));
    assert_eq!(found(&app, "north"), [id]);
    put(json!({ "status": "draft" }));
    for words in ["compass", "north", "iron", "日本", "co"] {
        assert!(found(&app, words).is_empty(), "{words}");
    }
    put(json!({ "content": "copper" }));
    assert!(found(&app, "copper").is_empty());
    put(json!({ "status": "published" }));
    assert_eq!((found(&app, "copper"), found(&app, "iron")), (vec![id], vec![]));
    app.admin().delete(&path);
    assert!(found(&app, "copper").is_empty());
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM knowledge_search"), 0);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM knowledge_bigram"), 0);
}

#[test]
fn a_draft_is_never_found_from_the_start() {
    let app = TestApp::desk();
    write(&app, json!({ "title": "Hidden", "status": "draft" }));
    assert!(found(&app, "hidden").is_empty());
}
