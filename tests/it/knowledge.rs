//! Articles as the search returns them. What the search finds is in `search.rs`.

use lodge::scalar::PublicationStatus;
use serde_json::{Value, json};

use crate::harness::{TestApp, encode, fields};

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
