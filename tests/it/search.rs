//! What a search finds: the same word rules for articles and for tickets.

use serde_json::json;

use crate::cli::Desk;
use crate::harness::{Actor, TestApp, encode};

/// The titles of the articles a search finds.
#[track_caller]
fn articles(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.agent("ada").get(&format!("/knowledge-base/search?q={}", encode(query)));
    answer.items().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// Asserts for a text that each search finds it or does not, as an article and as a ticket alike.
#[track_caller]
fn check(text: &str, found: &[&str], not_found: &[&str]) {
    let app = TestApp::desk();
    app.add_article("T", "", text);
    let ticket = app.add_ticket(3, "T", text);
    for (query, expected) in found.iter().map(|q| (q, true)).chain(not_found.iter().map(|q| (q, false))) {
        let article = articles(&app, query);
        assert_eq!(!article.is_empty(), expected, "article {text:?} by {query:?}");
        let tickets = app.agent("cleo").get(&format!("/tickets?q={}", encode(query))).ids();
        assert_eq!(tickets.contains(&ticket), expected, "ticket {text:?} by {query:?}");
    }
}

// ---------------------------------------------------------------- words

#[test]
fn a_word_may_be_part_of_a_longer_one() {
    check("Reset your passwords", &["password", "assword", "reset", "eset you"], &["passwordz", "rest"]);
}

#[test]
fn every_word_must_occur_and_their_order_does_not_matter() {
    check("alpha beta gamma", &["beta alpha", "gamma beta alpha", "alp gam"], &["alpha delta", "alphabeta"]);
}

#[test]
fn words_may_be_apart_by_any_white_space() {
    check("alpha beta", &["alpha  beta", " alpha\tbeta ", "alpha\u{3000}beta", "alpha\nbeta"], &[]);
}

#[test]
fn a_repeated_word_is_one() {
    check("alpha beta", &["alpha alpha", "beta alpha beta"], &[]);
}

#[test]
fn words_of_two_characters_count() {
    check("The vpn on my tv", &["tv", "vp", "on tv", "pn my"], &["xq", "vx", "on xq"]);
}

#[test]
fn two_characters_must_stand_together() {
    check("a b\nc d", &["a b", "c d"], &["ab", "bc", "cd"]);
}

#[test]
fn words_of_one_character_count() {
    check("Plan B costs 7 euros", &["b 7", "plan b", "7 eu", "p l"], &["plan z", "z q", "costs 8"]);
}

#[test]
fn three_kinds_of_words_hold_together() {
    check("Router in room 9", &["router in 9", "9 ro in"], &["router in 8", "router xx 9", "routers in 9"]);
}

#[test]
fn case_does_not_matter() {
    check("WiFi ÄRGER Москва", &["wifi", "WIFI", "ärger", "МОСКВА", "москва"], &[]);
}

// ---------------------------------------------------------------- scripts

#[test]
fn diacritics_do_not_matter() {
    check("Café naïve résumé", &["cafe", "CAFÉ", "naive", "resume", "résumé"], &["caffe"]);
    check("cafe", &["café", "cafe\u{301}", "ćáfé"], &[]);
    check("Việt Nam, Đà Nẵng", &["viet nam", "nang", "viêt"], &[]);
    check("Ёлка и чай", &["елка", "ёлка", "чай"], &[]);
}

#[test]
fn sharp_s_is_two() {
    check("Große Straße", &["strasse", "STRASSE", "straße", "grosse", "ss"], &["strase"]);
    check("Strasse", &["straße", "STRAẞE"], &[]);
}

#[test]
fn stroked_letters_are_plain_ones() {
    check("Łódź and Ørsted", &["lodz", "łódź", "LODZ", "orsted", "ørsted"], &[]);
    check("lodz orsted", &["Łódź", "Ørsted"], &[]);
}

#[test]
fn final_sigma_is_sigma() {
    check("Ο δρόμος", &["δρομος", "ΔΡΟΜΟΣ", "δρομοσ", "δρόμος"], &["δρομον"]);
}

#[test]
fn compatibility_forms_are_resolved() {
    check("ﬁnance ｃａｆｅ ①", &["finance", "cafe", "ca 1"], &[]);
    check("office", &["oﬃce", "ｏｆｆｉｃｅ"], &[]);
}

#[test]
fn japanese_is_found_by_any_part() {
    check(
        "パスワードを再設定する方法",
        &["パスワード", "再設定", "再設", "方法", "を 方"],
        &["再起動", "法方", "バス"],
    );
}

#[test]
fn kana_keep_their_voicing() {
    check("がんばる", &["がん", "がんばる"], &["かん", "かんはる", "んは"]);
    check("ｶﾞｲﾄﾞ", &["ガイド"], &["カイト"]);
}

#[test]
fn chinese_is_found_by_any_part() {
    check("如何重置您的密码", &["密码", "重置", "如何重置", "您 码"], &["密碼", "码密", "置重"]);
}

#[test]
fn hangul_syllables_stay_whole() {
    check(
        "비밀번호 재설정",
        &["비밀", "번호", "재설정", "비 호", "\u{1107}\u{1175}\u{1106}\u{1175}\u{11af}"],
        &["비미", "하하", "바밀"],
    );
}

#[test]
fn arabic_and_hebrew_marks_do_not_matter() {
    check("مُحَمَّد", &["محمد", "مُحَمَّد"], &[]);
    check("שָׁלוֹם", &["שלום"], &[]);
}

#[test]
fn a_dotted_capital_i_is_an_i() {
    check("İstanbul", &["istanbul", "İSTANBUL"], &[]);
}

#[test]
fn characters_outside_the_basic_plane_are_characters() {
    check("Ship it 🚀🎉 now 𠮷野家", &["🚀🎉", "𠮷野", "𠮷野家", "it 🚀"], &["🎉🚀", "🚢🚢"]);
}

// ---------------------------------------------------------------- never operators

#[test]
fn operators_are_text() {
    check(
        r#"say "hello" AND (maybe) NOT x* title:bug a-b ^top 100% off_now c:\dir {k} it's -- ; + ~ !"#,
        &[
            r#""hello""#,
            r#""hel"#,
            "AND",
            "and (maybe)",
            "(maybe)",
            "NOT x*",
            "x*",
            "title:bug",
            "a-b",
            "^top",
            "100%",
            "off_now",
            r"c:\dir",
            "{k}",
            "it's",
            "--",
            "; +",
            "~ !",
        ],
        &[
            "hello OR nothing",
            "hel*",
            "NEAR(say hello)",
            "say NOT hello nothing",
            "bug:title",
            "%off",
            "off%now",
            "offxnow",
            "content:hello",
            "{title} : hello",
            "'' OR 1=1",
        ],
    );
}

#[test]
fn wildcards_of_like_and_glob_are_text() {
    check(
        "plain words",
        &[],
        &["%%", "__", "p%s", "pla?n", "[p]lain", "pl_in", "*", "**", "??"]
            .map(|q| if q == "*" { "* *" } else { q }),
    );
}

#[test]
fn quotes_of_any_number_do_not_break_a_search() {
    let app = TestApp::desk();
    for query in ["\"\"", "\"\"\"", "''", "\"a", "a\"b\"c", "\\\"", "\" OR \"", "\u{201c}x\u{201d}"] {
        assert!(articles(&app, query).is_empty(), "{query}");
        assert!(app.agent("ada").get(&format!("/tickets?q={}", encode(query))).ids().is_empty(), "{query}");
    }
}

// ---------------------------------------------------------------- articles

#[test]
fn words_may_be_in_different_parts_of_an_article() {
    let app = TestApp::desk();
    app.add_article("Alpha", "Beta", "Gamma");
    assert_eq!(articles(&app, "gamma alpha beta"), ["Alpha"]);
    assert!(articles(&app, "alphabeta").is_empty());
    assert!(articles(&app, "ab").is_empty(), "the end of one part and the start of the next are apart");
}

#[test]
fn titles_come_before_excerpts_and_those_before_contents() {
    let app = TestApp::desk();
    app.add_article("In title: magnet", "", "x");
    app.add_article("Excerpt", "the magnet", "x");
    app.add_article("Content", "", "some magnet");
    app.add_article("Later content", "", "some magnet");
    app.add_article("Later excerpt", "a magnet", "x");
    app.add_article("Later title: magnets", "", "x");
    let found = articles(&app, "magnet");
    let expected =
        ["Later title: magnets", "In title: magnet", "Later excerpt", "Excerpt", "Later content", "Content"];
    assert_eq!(found, expected);
}

#[test]
fn a_tier_wants_all_the_words() {
    let app = TestApp::desk();
    app.add_article("Both red apple", "", "x");
    app.add_article("Split red", "apple", "x");
    app.add_article("Wide red", "x", "apple");
    app.add_article("Only red", "red", "red");
    assert_eq!(articles(&app, "apple red"), ["Both red apple", "Split red", "Wide red"]);
}

#[test]
fn tiers_hold_for_words_of_one_and_two_characters() {
    let app = TestApp::desk();
    app.add_article("tv q", "", "x");
    app.add_article("tv", "q", "x");
    app.add_article("tv!", "", "q");
    app.add_article("Newest", "", "tv q");
    assert_eq!(articles(&app, "q tv"), ["tv q", "tv", "Newest", "tv!"]);
}

#[test]
fn the_best_twenty_are_returned() {
    let app = TestApp::desk();
    app.add_article("The magnet", "", "x");
    for n in 0..22 {
        app.add_article(&format!("Number {n}"), "", "magnet");
    }
    let found = articles(&app, "magnet");
    assert_eq!(
        (found.len(), &*found[0], &*found[1], &*found[19]),
        (20, "The magnet", "Number 21", "Number 3")
    );
}

#[test]
fn an_article_is_found_as_soon_as_it_is_saved() {
    let app = TestApp::desk();
    assert!(articles(&app, "magnet").is_empty());
    app.add_article("Magnet", "", "x");
    assert_eq!(articles(&app, "magnet"), ["Magnet"]);
}

// ---------------------------------------------------------------- tickets

fn tickets(app: &TestApp, query: &str) -> Vec<i64> {
    app.agent("ada").get(&format!("/tickets?q={}", encode(query))).ids()
}

#[test]
fn a_ticket_is_found_by_title_text_reference_customer_and_address() {
    let app = TestApp::desk();
    for query in ["cannot access", "log in", "#1001", "1001", "wrong account #1001"] {
        let expected: &[i64] = if query.starts_with("wrong") { &[] } else { &[1] };
        assert_eq!(tickets(&app, query), expected, "{query}");
    }
    for query in ["john doe", "john@customer.example", "customer.ex", "doe"] {
        assert_eq!(tickets(&app, query), [5, 4, 3, 1], "{query}");
    }
}

#[test]
fn a_ticket_is_not_found_by_its_messages_labels_or_fields() {
    let app = TestApp::desk();
    for query in ["wrong password", "looking into", "mistyped", "bug", "chrome", "support"] {
        assert!(tickets(&app, query).is_empty(), "{query}");
    }
}

#[test]
fn words_may_be_in_different_parts_of_a_ticket() {
    assert_eq!(tickets(&TestApp::desk(), "1001 doe account unable"), [1]);
}

#[test]
fn a_ticket_search_keeps_the_order_of_the_list() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?q=doe&sort=created_at").ids(), [1, 3, 4, 5]);
    assert_eq!(app.agent("ada").get("/tickets?q=doe&sort=-priority").ids(), [5, 1, 3, 4]);
}

#[test]
fn a_ticket_search_goes_with_filters_and_pages() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?q=doe&status=open&department_id=1").ids(), [4, 1]);
    let page = app.agent("ada").get("/tickets?q=doe&per_page=3&page=2");
    assert_eq!((page.ids(), page.json["meta"]["total"].as_i64()), (vec![1], Some(4)));
}

#[test]
fn a_ticket_search_of_one_character_words_counts_exactly() {
    let app = TestApp::desk();
    let answer = app.agent("ada").get("/tickets?q=%23%204&per_page=1");
    assert_eq!((answer.ids(), answer.json["meta"]["total"].as_i64()), (vec![4], Some(1)));
}

#[test]
fn a_ticket_search_has_the_same_limits() {
    let app = TestApp::desk();
    for query in ["", "a", "%20a%20", &"a".repeat(201), &["ab"; 11].join("+"), "a%00b"] {
        app.agent("ada").get(&format!("/tickets?q={query}")).invalid(&["q"]);
    }
    app.agent("ada").get("/tickets?q=ab&q=ab").invalid(&["q"]);
}

// ---------------------------------------------------------------- who finds a ticket

/// The tickets that somebody finds, having made sure that the total says as many.
#[track_caller]
fn found_by(who: &Actor, query: &str) -> Vec<i64> {
    let list = who.get(&format!("/tickets?q={}", encode(query)));
    assert_eq!(list.json["meta"]["total"].as_u64(), Some(list.ids().len() as u64), "{query}");
    list.ids()
}

/// Asserts that the indexes hold exactly what they should.
#[track_caller]
fn is_sound(app: &TestApp) {
    let said = Desk::new().ok(&["check", "--db", app.path().to_str().unwrap()]);
    assert!(said.lines().all(|line| line.ends_with("\tok")), "{said}");
}

#[test]
fn whoever_is_put_on_a_ticket_finds_it_and_whoever_is_taken_off_no_longer() {
    let app = TestApp::desk();
    let ticket = app.add_ticket(3, "A quagga", "it ate 7 ax");
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| app.agent(name));
    for (agents, finders) in [
        (json!([1, 3]), [true, false, true]),
        (json!([2]), [false, true, false]),
        (json!([]), [false, false, false]),
        (json!([1, 2, 3]), [true, true, true]),
        (json!([]), [false, false, false]),
        (json!([3]), [false, false, true]),
    ] {
        app.admin().put(&format!("/tickets/{ticket}"), json!({ "agents": agents })).data();
        for query in ["quagga", "ax", "quagga ax", "quagga 7", "7 q"] {
            for (who, finds) in [&ada, &ben, &cleo].into_iter().zip(finders) {
                assert_eq!(found_by(who, query).contains(&ticket), finds, "{query} {agents}");
            }
            assert!(found_by(&app.admin(), query).contains(&ticket), "{query} {agents}");
        }
        is_sound(&app);
    }
    app.admin().put(&format!("/tickets/{ticket}"), json!({ "assigned_to": 1 })).data();
    assert_eq!(found_by(&ada, "quagga"), [ticket], "the lead joins");
    is_sound(&app);
}

#[test]
fn a_new_ticket_is_found_by_its_lead_or_by_nobody_but_the_desk() {
    let app = TestApp::desk();
    let open = |lead| {
        let new = json!({ "customer_id": 1, "title": "A quagga", "content": "ax", "assigned_to": lead });
        app.admin().post("/tickets", new).data()["id"].as_i64().unwrap()
    };
    let (led, left) = (open(json!(2)), open(json!(null)));
    for query in ["quagga", "ax"] {
        assert_eq!(found_by(&app.agent("ben"), query), [led]);
        assert_eq!(found_by(&app.agent("ada"), query), [0; 0]);
        assert_eq!(found_by(&app.admin(), query), [left, led]);
    }
    is_sound(&app);
}

#[test]
fn a_ticket_of_many_agents_is_found_and_counted_once() {
    let app = TestApp::desk();
    let open = |department, agents| {
        let ticket = app.add_ticket(1, "A quagga", "it ate 7 ax ~");
        let change = json!({ "department_id": department, "agents": agents });
        app.admin().put(&format!("/tickets/{ticket}"), change).data();
        ticket
    };
    let (ours, mine, theirs) = (open(1, json!([1, 2, 3])), open(2, json!([1, 3])), open(2, json!([2, 3])));
    let nobodys = open(1, json!([]));
    app.sql("UPDATE setting SET department_visibility = 1; DELETE FROM agent_department; INSERT INTO agent_department VALUES (1, 1);");
    for query in ["quagga", "ax", "quagga ax", "quagga 7", "7 ~"] {
        assert_eq!(found_by(&app.admin(), query), [nobodys, theirs, mine, ours], "{query}");
        assert_eq!(found_by(&app.agent("ada"), query), [nobodys, mine, ours], "{query}");
        assert_eq!(found_by(&app.agent("cleo"), query), [theirs, mine, ours], "{query}");
    }
}

#[test]
fn a_deleted_agents_tickets_are_found_by_the_others_and_by_whoever_comes_after() {
    let app = TestApp::desk();
    let (alone, shared) = (app.add_ticket(1, "A quagga", "ax"), app.add_ticket(2, "A quagga too", "ax"));
    app.admin().put(&format!("/tickets/{shared}"), json!({ "agents": [1, 2] })).data();
    assert_eq!(found_by(&app.agent("ada"), "quagga"), [shared, alone]);
    app.admin().delete("/agents/1");
    is_sound(&app);
    assert_eq!(found_by(&app.admin(), "quagga ax"), [shared, alone]);
    assert_eq!(found_by(&app.agent("ben"), "quagga"), [shared]);
    // What it says changes while nobody is on it, and then somebody is.
    app.admin().put(&format!("/tickets/{alone}"), json!({ "title": "An okapi" })).data();
    is_sound(&app);
    assert_eq!(found_by(&app.admin(), "okapi"), [alone]);
    app.admin().put(&format!("/tickets/{alone}"), json!({ "agents": [3] })).data();
    is_sound(&app);
    assert_eq!(found_by(&app.agent("cleo"), "okapi ax"), [alone]);
    app.admin().put(&format!("/tickets/{alone}"), json!({ "agents": [] })).data();
    is_sound(&app);
    app.admin().delete(&format!("/tickets/{shared}"));
    app.admin().delete(&format!("/tickets/{alone}"));
    is_sound(&app);
    assert_eq!(found_by(&app.admin(), "ax"), [0; 0]);
}

#[test]
fn what_a_ticket_said_once_finds_it_no_longer() {
    let app = TestApp::desk();
    let ticket = app.add_ticket(1, "A quagga", "ax");
    let path = format!("/tickets/{ticket}");
    app.admin().put(&path, json!({ "agents": [1, 2], "title": "An okapi" })).data();
    for who in [app.agent("ada"), app.agent("ben"), app.admin()] {
        assert_eq!(found_by(&who, "okapi ax"), [ticket]);
        assert_eq!(found_by(&who, "quagga"), [0; 0]);
    }
    app.admin().put(&path, json!({ "content": "a zebu" })).data();
    let customer = app.look_up::<i64>(&format!("SELECT customer_id FROM ticket WHERE id = {ticket}"));
    app.admin().put(&format!("/customers/{customer}"), json!({ "name": "Quex" })).data();
    for who in [app.agent("ada"), app.agent("ben"), app.admin()] {
        assert_eq!(found_by(&who, "okapi zebu quex"), [ticket]);
        assert_eq!(found_by(&who, "ax"), [0; 0]);
    }
    is_sound(&app);
}

#[test]
fn an_agents_hits_are_paged_in_the_order_of_their_creation_and_not_of_their_ids() {
    let app = TestApp::desk();
    let other: Vec<i64> = (0..30).map(|_| app.add_ticket(1, "Another", "x")).collect();
    let tickets: Vec<i64> = (0..12).map(|n| app.add_ticket(1, &format!("A quagga {n}"), "x")).collect();
    // The clock was put back: what came later seems older, some at the same time; other tickets lie between.
    app.sql(&format!(
        "UPDATE ticket SET created_at = 1000000000 * (100 - id / 2) WHERE id >= {};
         UPDATE ticket SET created_at = 2000000000 WHERE id = {};",
        other[0], tickets[5]
    ));
    for (sort, way) in [("-created_at", "DESC"), ("created_at", "ASC")] {
        let expected: Vec<i64> = app.column(&format!(
            "SELECT id FROM ticket WHERE title LIKE 'A quagga%' ORDER BY created_at {way}, id DESC"
        ));
        for per_page in [1, 5, 11, 12, 50] {
            let page = |n| format!("/tickets?q=quagga&sort={sort}&per_page={per_page}&page={n}");
            let pages =
                (1..=12_i64.div_euclid(per_page) + 1).flat_map(|n| app.agent("ada").get(&page(n)).ids());
            assert_eq!(pages.collect::<Vec<_>>(), expected, "{sort} {per_page}");
        }
    }
}

// ---------------------------------------------------------------- texts that repeat themselves

#[test]
fn a_search_for_what_repeats_itself_in_texts_that_do_ends_in_time() {
    let app = TestApp::desk();
    for n in 0..6 {
        app.add_ticket(1, &format!("Endless {n}"), &"x".repeat(99_000));
    }
    let found = |word: String| {
        let list = app.agent("ada").get(&format!("/tickets?q={word}"));
        assert_eq!(list.status, 200, "{}", list.json);
        list.json["meta"]["total"].as_i64()
    };
    assert_eq!(found("x".repeat(200)), Some(6));
    assert_eq!(found("x".repeat(199) + "y"), Some(0), "the whole word counts, not its beginning");
}
