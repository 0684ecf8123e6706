//! Jobs of a workflow.

use super::shop;
use super::support::Ran;

/// The jobs of a matrix, as `name: services`.
#[track_caller]
fn matrix(ran: Ran) -> Vec<String> {
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let json = ran.json();
    let jobs = json["include"].as_array().unwrap().iter();
    jobs.map(|job| format!("{}: {}", job["name"], job["services"]).replace('"', "")).collect()
}

#[test]
fn jobs_of_a_workflow() {
    let shop = shop();
    let all = |args: &[&str]| matrix(shop.xtask(&[&["matrix"], args].concat()).run().success());
    assert_eq!(all(&[]), ["base, web: base web", "db: db"]);
    assert_eq!(all(&["--jobs", "1"]), ["base, db, web: base db web"]);
    assert_eq!(all(&["some"]), ["db: db"]);
    let report = r#"{"services":[{"service":"db","seconds":9},{"service":"web","seconds":1}]}"#;
    shop.write("target/xtask/report.json", report);
    assert_eq!(all(&[]), ["base, web: base web", "db: db"]);
    shop.write("target/xtask/report.json", &report.replace('9', "3"));
    let json = shop.xtask(&["matrix", "--json"]).run().success().json();
    assert_eq!(json["jobs"][0]["seconds"], 4.0, "base counts as the median: {json}");
    // A run that builds nothing, or other services, does not make it forget.
    shop.write("target/xtask/built.json", &report.replace('9', "8"));
    shop.write(
        "target/xtask/report.json",
        r#"{"services":[{"service":"db"},{"service":"web","seconds":2}]}"#,
    );
    let json = shop.xtask(&["matrix", "--json"]).run().success().json();
    let seconds: Vec<_> =
        json["jobs"].as_array().unwrap().iter().map(|job| &job["seconds"]).collect();
    assert_eq!(seconds, [10.0, 8.0], "base counts as the median: {json}");
    let since = ["affected", "--since", "HEAD", "--matrix"];
    let none = shop.xtask(&since).run().success();
    assert_eq!(none.stdout, "{\"include\":[]}\n");
    shop.write("services/base/a", "other\n");
    assert_eq!(matrix(shop.xtask(&since).run().success()), ["base, web: base web"]);
    for wrong in ["0", "257", "x"] {
        shop.xtask(&["matrix", "--jobs", wrong]).run().refused("from 1 to 256");
    }
    shop.xtask(&["matrix", "wbe"]).run().refused("did you mean `web`?");
}
