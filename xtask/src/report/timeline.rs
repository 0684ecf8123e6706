//! A report as one HTML file that needs nothing else: no network, no other file. Pure.

use super::data::Report;

const PAGE: &str = include_str!("timeline/page.html");
const STYLE: &str = include_str!("timeline/style.css");
const SCRIPT: &str = include_str!("timeline/script.js");

/// The page.
pub fn html(report: &Report) -> String {
    let data = serde_json::to_string(report).unwrap_or_default();
    let parts = [
        ("title", escaped(&title(report))),
        ("style", STYLE.trim_end().to_owned()),
        ("report", embedded(&data)),
        ("script", SCRIPT.trim_end().to_owned()),
    ];
    filled(PAGE, &parts)
}

/// `autogit: dev`, `autogit: release v1.2.3`
pub fn title(report: &Report) -> String {
    let version = report.event.version.as_ref().map(|v| format!(" v{v}")).unwrap_or_default();
    format!("{}: {}{version}", report.project, report.event.kind)
}

/// The template with `{{name}}` replaced, once each: what is put in is not looked at again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let size = template.len() + parts.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut page = String::with_capacity(size);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        let part = parts.iter().find(|(known, _)| *known == name);
        page.push_str(part.map_or("", |(_, text)| text));
        rest = after;
    }
    page.push_str(rest);
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// JSON that no HTML parser takes for markup: `</script>` and `<!--` cannot stand in it.
fn embedded(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::{Service, Step};

    fn nasty() -> Report {
        let text = "</script><script>alert(1)</script> <!-- {{script}} & \u{2028} \"'`${x}";
        Report {
            project: text.into(),
            services: vec![Service {
                service: text.into(),
                error: Some(text.into()),
                ..Service::default()
            }],
            timeline: vec![Step { name: text.into(), ..Step::default() }],
            ..Report::default()
        }
    }

    #[test]
    fn what_is_in_the_report_is_no_markup() {
        let page = html(&nasty());
        assert_eq!(page.matches("<script").count(), 2, "the data and our own");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<!-- {{"));
    }

    #[test]
    fn the_data_comes_back_equal() {
        let report = nasty();
        let page = html(&report);
        let data = page.split_once("id=\"report\">").unwrap().1.split_once("</script>").unwrap().0;
        assert_eq!(serde_json::from_str::<Report>(data).unwrap(), report);
    }

    #[test]
    fn it_needs_nothing_from_elsewhere() {
        let page = html(&Report::default());
        let named = page.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http://", "https://", "src=", "@import", "url(", "fetch(", "import("] {
            assert!(!named.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'"));
        assert!(!page.contains("{{"));
    }
}
