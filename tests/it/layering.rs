//! Who may call whom inside the house: read from the source, so that a shortcut fails a test and not a review.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The nouns, lowest first: a noun uses only those of lower ranks.
const RANKS: [&[&str]; 8] = [
    &["activity", "notification", "idempotency"],
    &["setting"],
    &["label", "department", "category", "product", "custom_field", "canned_response", "knowledge"],
    &["agent", "customer"],
    &["api_key"],
    &["ticket"],
    &["message"],
    &["report"],
];

struct Source {
    /// The path below `src`.
    path: String,
    /// Its code: no comments, no unit tests.
    code: String,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![];
    walk(&root, &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        Source {
            path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
            code: lines.collect::<Vec<_>>().join("\n"),
        }
    };
    files.into_iter().map(read).collect()
}

impl Source {
    fn is(&self, patterns: &[&str]) -> bool {
        patterns.iter().any(|pattern| match pattern.split_once("*/") {
            Some(("", file)) => self.path.split('/').next_back() == Some(file) && self.path.contains('/'),
            _ if pattern.ends_with('/') => self.path.starts_with(pattern),
            _ => self.path == *pattern,
        })
    }

    /// The folder it is in, if that is a noun's.
    fn noun(&self) -> Option<&str> {
        let folder = self.path.split_once('/')?.0;
        RANKS.iter().flat_map(|rank| rank.iter()).any(|noun| *noun == folder).then_some(folder)
    }

    /// Whether a path of this crate is named, such as `rusqlite`.
    fn names(&self, krate: &str) -> bool {
        self.code.match_indices(krate).any(|(at, _)| {
            let before = self.code[..at].chars().next_back().unwrap_or(' ');
            let after = self.code[at + krate.len()..].chars().next().unwrap_or(' ');
            let inside = |c: char| c.is_alphanumeric() || c == '_';
            !inside(before) && !inside(after)
        })
    }

    /// The modules of this crate that are named by `crate::`, alone or in braces.
    fn modules(&self) -> BTreeSet<String> {
        let mut modules = BTreeSet::new();
        for (at, found) in self.code.match_indices("crate::") {
            let rest = &self.code[at + found.len()..];
            let word = |text: &str| -> String {
                text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
            };
            if !rest.starts_with('{') {
                modules.insert(word(rest));
                continue;
            }
            let (mut depth, mut start) = (0, 1);
            for (n, c) in rest.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => {
                        modules.insert(word(&rest[start..n]));
                        start = n + 1;
                    }
                    _ => {}
                }
                if depth == 0 {
                    modules.insert(word(&rest[start..n]));
                    break;
                }
            }
        }
        modules
    }
}

#[track_caller]
fn only_in(krate: &str, allowed: &[&str]) {
    let wrong: Vec<String> =
        sources().into_iter().filter(|it| it.names(krate) && !it.is(allowed)).map(|it| it.path).collect();
    assert!(wrong.is_empty(), "{krate} is named in {wrong:?}");
}

#[test]
fn sql_is_in_the_database_and_the_stores() {
    only_in("rusqlite", &["db/", "*/store.rs", "ticket/store/"]);
    only_in("r2d2_sqlite", &["db/"]);
}

#[test]
fn http_is_at_the_edge() {
    only_in("poem", &["app.rs", "http/", "*/external.rs", "*/internal.rs", "ticket/condition.rs"]);
    only_in("hyper", &["http/serve.rs"]);
}

#[test]
fn the_types_of_the_api_are_in_the_models() {
    only_in(
        "poem_openapi",
        &[
            "app.rs",
            "http/",
            "*/external.rs",
            "*/internal.rs",
            "ticket/condition.rs",
            "*/model.rs",
            "scalar.rs",
            "reference.rs",
            "noun.rs",
            "auth/scope.rs",
            "product/price.rs",
        ],
    );
}

#[test]
fn a_noun_uses_only_lower_ones() {
    let rank = |noun: &str| RANKS.iter().position(|nouns| nouns.contains(&noun));
    let mut wrong = vec![];
    for source in sources() {
        let Some(own) = source.noun().map(str::to_owned) else { continue };
        for used in source.modules().into_iter().filter(|used| *used != own && rank(used) >= rank(&own)) {
            wrong.push(format!("{} uses {used}", source.path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nouns_do_not_know_the_command_line_or_the_samples() {
    for source in sources().into_iter().filter(|source| source.noun().is_some()) {
        for module in ["cli", "seed", "config", "upkeep"] {
            assert!(!source.modules().contains(module), "{} uses {module}", source.path);
        }
    }
}

#[test]
fn rules_and_stores_know_nothing_of_http() {
    for source in sources().into_iter().filter(|source| {
        source.is(&[
            "*/rules.rs",
            "*/store.rs",
            "*/model.rs",
            "ticket/store/",
            "ticket/field.rs",
            "ticket/opening.rs",
            "noun.rs",
            "db/",
            "error.rs",
        ])
    }) {
        assert!(!source.modules().contains("http"), "{} uses http", source.path);
        assert!(
            !source.code.contains("async fn") || source.path.starts_with("db/"),
            "{} is async",
            source.path
        );
    }
}

#[test]
fn every_folder_that_is_no_noun_is_known() {
    let others = ["auth", "cli", "db", "health", "http", "seed"];
    for source in sources() {
        let folder = source.path.split_once('/').map(|(folder, _)| folder.to_owned());
        if let Some(folder) = folder.filter(|_| source.noun().is_none()) {
            assert!(others.contains(&&*folder), "{folder} has no rank in this test");
        }
    }
}

#[test]
fn nobody_but_the_clock_asks_the_system_for_the_time() {
    for source in sources().into_iter().filter(|source| source.path != "time.rs") {
        for call in ["SystemTime::now", "Timestamp::now", "Zoned::now"] {
            assert!(!source.code.contains(call), "{} calls {call}", source.path);
        }
    }
}
