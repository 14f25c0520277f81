//! Pages of every list, forwards and backwards, in every order.

use serde_json::Value;

use crate::app::App;

/// Reads a list to its end in pages of `limit`, and back again; returns the ids.
async fn walk(app: &App, path: &str, limit: usize, id: &str) -> Vec<String> {
    let separator = if path.contains('?') { '&' } else { '?' };
    let base = format!("{path}{separator}limit={limit}");
    let ids = |body: &Value| -> Vec<String> {
        let rows = body["data"].as_array().expect("rows");
        rows.iter().map(|row| row[id].as_str().expect("an id").to_owned()).collect()
    };
    let mut body = app.ok(&base).await;
    assert!(body["page"]["prev_cursor"].is_null(), "{path}");
    let mut pages = vec![ids(&body)];
    while let Some(cursor) = body["page"]["next_cursor"].as_str().map(str::to_owned) {
        assert_eq!(body["page"]["has_more"], true);
        body = app.ok(&format!("{base}&cursor={cursor}")).await;
        pages.push(ids(&body));
        assert!(pages.len() < 1000, "{path} does not end");
    }
    assert_eq!(body["page"]["has_more"], false);
    let all = pages.concat();
    pages.pop();
    while let Some(cursor) = body["page"]["prev_cursor"].as_str().map(str::to_owned) {
        body = app.ok(&format!("{base}&cursor={cursor}")).await;
        assert_eq!(Some(ids(&body)), pages.pop(), "{path} backwards");
    }
    assert!(pages.is_empty(), "{path}: pages are missing backwards");
    all
}

#[tokio::test]
async fn every_list_in_every_order_pages_without_gap_or_overlap() {
    let app = App::small().await;
    for (path, id, orders) in [
        (
            "/api/v1/instances?x",
            "id",
            &[
                "namespace",
                "-namespace",
                "onset_at",
                "-onset_at",
                "changed_at",
                "created_at",
                "-created_at",
                "-changed_at",
            ][..],
        ),
        (
            "/api/v1/incidents?state=open&state=resolved",
            "id",
            &["-priority,onset_at", "onset_at", "-onset_at", "opened_at", "-opened_at"],
        ),
        ("/api/v1/overview/attention", "id", &[]),
        ("/api/v1/transitions?x", "id", &["at", "-at"]),
        ("/api/v1/scans?range=6h", "id", &["started_at", "-started_at"]),
        (
            "/api/v1/labs?x",
            "code",
            &[
                "code",
                "-failing",
                "unknown,-instances",
                "failing_since",
                "-failing_since",
                "open_incidents",
            ],
        ),
        ("/api/v1/clusters?x", "name", &["name", "-name", "vms", "-cpu_pct,name", "failing"]),
        ("/api/v1/clusters/cnv-01/nodes?x", "node", &["node", "-cpu_pct", "mem_pct"]),
        ("/api/v1/subjects?x", "uid", &["name", "-name", "changed_at", "-changed_at"]),
        (
            "/api/v1/subjects?class=failed_terminal&class=in_progress",
            "uid",
            &["name", "-changed_at"],
        ),
        ("/api/v1/provisioning/jobs?x", "key", &[]),
        ("/api/v1/pools?x", "name", &["name", "-usable,name", "state", "-wanted"]),
        (
            "/api/v1/sessions?x",
            "id",
            &["starts_at", "-attendees", "lab_code,-starts_at", "verdict"],
        ),
        ("/api/v1/mappings?unmatched=true", "from_key", &[]),
        ("/api/v1/sources?x", "source", &["source", "age_s", "-age_s"]),
        ("/api/v1/failure-classes?x", "id", &["id", "-instances", "-severity,id"]),
    ] {
        let path = path.trim_end_matches("?x");
        let separator = if path.contains('?') { '&' } else { '?' };
        let orders: Vec<String> = match orders {
            [] => vec![path.to_owned()],
            orders => orders.iter().map(|order| format!("{path}{separator}sort={order}")).collect(),
        };
        for list in orders {
            let whole = walk(&app, &list, 200, id).await;
            assert!(whole.len() > 2, "{list} is too short to page: {}", whole.len());
            let mut unique = whole.clone();
            unique.sort();
            unique.dedup();
            assert_eq!(unique.len(), whole.len(), "{list} repeats a row");
            for limit in [whole.len().div_ceil(3).min(200), 7] {
                assert_eq!(walk(&app, &list, limit, id).await, whole, "{list} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn orders_are_what_they_say_with_nulls_last() {
    let app = App::small().await;
    for (sort, descending) in [("onset_at", false), ("-onset_at", true)] {
        let body = app.ok(&format!("/api/v1/instances?limit=200&sort={sort}")).await;
        let onsets: Vec<Option<&str>> = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["onset_at"].as_str())
            .collect();
        let known: Vec<&str> = onsets.iter().copied().flatten().collect();
        assert!(!known.is_empty());
        assert!(onsets[..known.len()].iter().all(Option::is_some), "nulls are last");
        assert!(
            known
                .windows(2)
                .all(|pair| if descending { pair[0] >= pair[1] } else { pair[0] <= pair[1] })
        );
    }
    let body = app.ok("/api/v1/incidents").await;
    let rows = body["data"].as_array().unwrap();
    let key = |row: &Value| {
        (
            -(row["priority"].as_f64().unwrap() * 10.0).round(),
            row["onset_at"].as_str().unwrap().to_owned(),
        )
    };
    assert!(rows.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
}

#[tokio::test]
async fn a_row_that_is_gone_or_new_moves_no_other() {
    let app = App::small().await;
    let first = app.ok("/api/v1/instances?limit=5").await;
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let second = app.ok(&format!("/api/v1/instances?limit=5&cursor={cursor}")).await;
    app.execute("update instances set deleted_at = now() where namespace = (select min(namespace) from instances)")
        .await;
    let again = app.ok(&format!("/api/v1/instances?limit=5&cursor={cursor}")).await;
    assert_eq!(second["data"], again["data"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_one_list_filter_and_order() {
    let app = App::small().await;
    let body = app.ok("/api/v1/instances?state=ready&limit=5").await;
    let cursor = body["page"]["next_cursor"].as_str().unwrap();
    app.ok(&format!("/api/v1/instances?limit=9&state=ready&cursor={cursor}")).await;
    for other in [
        "/api/v1/instances?",
        "/api/v1/instances?state=ready&sort=-namespace&",
        "/api/v1/instances?state=failing&",
        "/api/v1/labs?",
    ] {
        let answer = app.get(&format!("{other}cursor={cursor}")).await;
        answer.is_problem(400, "cursor-mismatch", None);
    }
    app.get("/api/v1/instances?cursor=nonsense")
        .await
        .is_problem(400, "cursor-mismatch", None);
}
