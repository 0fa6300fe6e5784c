//! The administrator's products. What holds for every plain noun is in `noun.rs`.

use serde_json::{Value, json};

use crate::harness::{Response, TestApp};
use crate::noun::last_entry;

/// Sends a price as it is written here.
fn send(app: &TestApp, price: &str) -> Response {
    let body = format!(r#"{{"name":"Theme","price":{price}}}"#);
    app.admin().call("POST", "/products").header("Content-Type", "application/json").body(body).send()
}

#[test]
fn a_price_is_kept_to_the_cent_however_it_is_sent() {
    let app = TestApp::desk();
    for (sent, kept) in [
        (r#""49.90""#, "49.90"),
        (r#""49.9""#, "49.90"),
        (r#""49""#, "49.00"),
        (r#""0""#, "0.00"),
        (r#""9999999.99""#, "9999999.99"),
        ("49.90", "49.90"),
        ("49.9", "49.90"),
        ("49", "49.00"),
        ("0", "0.00"),
        ("0.07", "0.07"),
        ("1.10", "1.10"),
        // As a 64-bit float times a hundred these would lose a cent.
        ("1.15", "1.15"),
        ("4.35", "4.35"),
        ("9999999.99", "9999999.99"),
    ] {
        let answer = send(&app, sent);
        assert_eq!(answer.data()["price"], kept, "{sent}");
        let again = app.admin().get(&format!("/products/{}", answer.data()["id"]));
        assert_eq!(again.data()["price"], kept, "{sent}");
    }
    assert_eq!(send(&app, "null").data()["price"], Value::Null);
}

#[test]
fn what_is_no_price_is_refused_by_its_name() {
    let app = TestApp::desk();
    for bad in [
        "-1",
        "-0.01",
        "10000000",
        "9999999.991",
        "9999999.999",
        "0.001",
        "49.900",
        "1e2",
        "1e400",
        "1E-400",
        r#""""#,
        r#"" 1""#,
        r#""1,50""#,
        r#""-1""#,
        r#""10000000""#,
        r#""1.""#,
        r#"".5""#,
        r#""49.900""#,
        r#""1e2""#,
        r#""NaN""#,
        "true",
        "[]",
        "[1]",
        "{}",
        "18446744073709551616",
    ] {
        let answer = send(&app, bad);
        answer.invalid(&["price"]);
        assert_eq!(
            answer.json["errors"]["price"],
            json!(["must be a price, a string or a number from 0 to 9999999.99 with at most two decimals"]),
            "{bad}"
        );
        let body = format!(r#"{{"price":{bad}}}"#);
        let put =
            app.admin().call("PUT", "/products/1").header("Content-Type", "application/json").body(body);
        put.send().invalid(&["price"]);
    }
    let answer = app.admin().post("/products", json!({ "name": 1, "price": "x", "envato_id": "" }));
    answer.invalid(&["envato_id", "name", "price"]);
}

#[test]
fn the_same_price_written_otherwise_is_no_change() {
    let app = TestApp::desk();
    let before = app.admin().get("/products/1").data().clone();
    assert_eq!(before["price"], "49.90");
    app.advance(60);
    assert_eq!(*app.admin().put("/products/1", json!({ "price": "49.9" })).data(), before);
    app.admin().put("/products/1", json!({ "price": 50 })).data();
    assert_eq!(last_entry(&app).2, json!({ "price": { "from": "49.90", "to": "50.00" } }));
}

#[test]
fn an_envato_id_belongs_to_one_product() {
    let app = TestApp::desk();
    let id = app.admin().post("/products", json!({ "name": "A", "envato_id": "abc" })).data()["id"].clone();
    app.admin().post("/products", json!({ "name": "B", "envato_id": "abc" })).invalid(&["envato_id"]);
    app.admin().put("/products/1", json!({ "envato_id": "abc" })).invalid(&["envato_id"]);
    app.admin().put("/products/1", json!({ "envato_id": "ABC" })).data();
    let own = app.admin().put(&format!("/products/{id}"), json!({ "envato_id": "abc", "name": "C" }));
    assert_eq!(own.data()["name"], "C");
    app.admin().delete(&format!("/products/{id}"));
    app.admin().put("/products/1", json!({ "envato_id": "abc" })).data();
}
