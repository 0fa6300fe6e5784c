//! Pages: `meta`, the `Link` header, and where a list ends.

use serde_json::json;

use crate::harness::{Response, TestApp};

const LAST: &str = "9223372036854775807";

/// The `Link` header as relation and target.
fn links(answer: &Response) -> Vec<(String, String)> {
    let header = answer.header("link").unwrap();
    let parts = header.split(", ").map(|link| {
        let (target, relation) = link.split_once(">; rel=").unwrap();
        (relation.trim_matches('"').to_owned(), target.strip_prefix('<').unwrap().to_owned())
    });
    parts.collect()
}

fn relations(answer: &Response) -> Vec<String> {
    links(answer).into_iter().map(|(relation, _)| relation).collect()
}

#[test]
fn the_first_page_has_no_previous_one() {
    let answer = TestApp::desk().agent("ada").get("/tickets?per_page=2");
    assert_eq!(
        links(&answer),
        [
            ("first".into(), "/api/v1/external/tickets?per_page=2&page=1".into()),
            ("next".into(), "/api/v1/external/tickets?per_page=2&page=2".into()),
            ("last".into(), "/api/v1/external/tickets?per_page=2&page=2".into()),
        ]
    );
    assert_eq!(answer.json["meta"], json!({ "current_page": 1, "last_page": 2, "per_page": 2, "total": 4 }));
}

#[test]
fn a_page_in_the_middle_has_all_four() {
    let answer = TestApp::desk().agent("ada").get("/tickets?per_page=1&page=2");
    assert_eq!(relations(&answer), ["first", "prev", "next", "last"]);
    assert_eq!(answer.json["meta"]["current_page"], 2);
}

#[test]
fn the_last_page_has_no_next_one() {
    let answer = TestApp::desk().agent("ada").get("/tickets?per_page=3&page=2");
    assert_eq!(
        (answer.items().len(), relations(&answer)),
        (1, vec!["first".into(), "prev".into(), "last".into()])
    );
}

#[test]
fn an_only_page_is_first_and_last() {
    assert_eq!(relations(&TestApp::desk().agent("ada").get("/tickets")), ["first", "last"]);
}

#[test]
fn past_the_end_is_an_empty_list_whose_previous_page_is_the_last() {
    let answer = TestApp::desk().agent("ada").get("/tickets?per_page=2&page=9");
    assert_eq!(answer.json["data"], json!([]));
    assert_eq!(answer.json["meta"], json!({ "current_page": 9, "last_page": 2, "per_page": 2, "total": 4 }));
    let links = links(&answer);
    assert_eq!(
        links.iter().map(|(relation, _)| relation.as_str()).collect::<Vec<_>>(),
        ["first", "prev", "last"]
    );
    assert!(links[1].1.ends_with("page=2"), "{links:?}");
}

#[test]
fn the_largest_page_there_can_be_is_just_empty() {
    let app = TestApp::desk();
    for list in ["/tickets", "/tickets/1/messages", "/notifications"] {
        for per_page in [1, 200] {
            let answer = app.agent("ada").get(&format!("{list}?page={LAST}&per_page={per_page}"));
            assert_eq!(answer.json["data"], json!([]), "{list}");
            assert_eq!(answer.json["meta"]["current_page"], json!(i64::MAX));
        }
    }
}

#[test]
fn an_empty_list_has_one_page() {
    let answer = TestApp::desk().agent("ada").get("/notifications");
    assert_eq!(answer.json["meta"], json!({ "current_page": 1, "last_page": 1, "per_page": 20, "total": 0 }));
    assert_eq!(relations(&answer), ["first", "last"]);
}

#[test]
fn links_keep_the_other_parameters_as_they_were() {
    let app = TestApp::desk();
    let answer =
        app.agent("ada").get("/tickets?page=2&status=open&per_page=1&q=customer%20example&x=%2F&x=1");
    for (relation, target) in links(&answer) {
        assert!(target.starts_with("/api/v1/external/tickets?"), "{relation} {target}");
        for kept in ["status=open", "per_page=1", "q=customer%20example", "x=%2F", "x=1"] {
            assert!(target.contains(kept), "{relation} {target}");
        }
        assert_eq!(target.matches("page=").count(), 2, "page and per_page: {target}");
    }
}

#[test]
fn following_the_links_meets_every_item_once() {
    let app = TestApp::desk();
    for n in 0..20 {
        app.add_ticket(1, &format!("Ticket {n}"), "Text");
    }
    let root = app.agent("ada").at_root();
    let (mut next, mut met) = (Some("/api/v1/external/tickets?per_page=5&sort=priority".to_owned()), vec![]);
    while let Some(target) = next {
        let answer = root.get(&target);
        met.extend(answer.ids());
        next = links(&answer).into_iter().find(|(relation, _)| relation == "next").map(|(_, target)| target);
    }
    let total = met.len();
    met.sort_unstable();
    met.dedup();
    assert_eq!((met.len(), total), (24, 24));
}

#[test]
fn the_total_is_exact_under_every_filter() {
    let app = TestApp::desk();
    for filter in [
        "",
        "status=open",
        "priority=low",
        "department_id=1",
        "status=open&priority=high",
        "q=customer",
        "status=closed&q=ed",
    ] {
        let all = app.agent("ada").get(&format!("/tickets?per_page=200&{filter}"));
        assert_eq!(all.json["meta"]["total"], all.items().len(), "{filter}");
        let one = app.agent("ada").get(&format!("/tickets?per_page=1&{filter}"));
        assert_eq!(one.json["meta"]["total"], all.json["meta"]["total"], "{filter}");
    }
}

#[test]
fn every_page_number_that_is_none_is_refused() {
    let app = TestApp::desk();
    for list in ["/tickets", "/tickets/1/messages", "/notifications"] {
        for page in ["0", "-1", "abc", "", "1.0", "1e2", "%201", "9223372036854775808", "null"] {
            app.agent("ada").get(&format!("{list}?page={page}")).invalid(&["page"]);
        }
    }
}

#[test]
fn a_page_has_1_to_200_items() {
    let app = TestApp::desk();
    for list in ["/tickets", "/tickets/1/messages", "/notifications"] {
        for size in ["0", "201", "-5", "abc", "", "9223372036854775808"] {
            app.agent("ada").get(&format!("{list}?per_page={size}")).invalid(&["per_page"]);
        }
        for size in [1, 200] {
            let answer = app.agent("ada").get(&format!("{list}?per_page={size}"));
            assert_eq!(answer.json["meta"]["per_page"], size);
        }
    }
}

#[test]
fn paging_given_twice_is_refused() {
    let app = TestApp::desk();
    app.agent("ada").get("/tickets?page=1&page=2&per_page=1&per_page=1").invalid(&["page", "per_page"]);
}

#[test]
fn pages_of_one_list_do_not_overlap() {
    let app = TestApp::sample();
    let mut met = vec![];
    for page in 1..=3 {
        met.extend(app.agent("mira").get(&format!("/tickets?per_page=5&page={page}")).ids());
    }
    let all = app.agent("mira").get("/tickets?per_page=15").ids();
    assert_eq!(met, all);
}
