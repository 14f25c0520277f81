//! What a page is: instructions, a login, or nothing that a learner can use. Pure.
//!
//! A showroom answers 200 long before it has content: its proxy, the platform's router and a web server's default page
//! all do. So the page itself is looked at, and where the showroom says where its instructions are, these are.

use serde::Deserialize;

use crate::objects::network::Content;

/// A page with instructions has at least this many bytes; shells and default pages of servers stay below.
const SUBSTANCE: usize = 400;

/// Texts of pages that routers and web servers make up themselves.
const DEFAULT_PAGES: [&str; 6] = [
    "application is not available",
    "welcome to nginx",
    "apache2 default page",
    "apache http server test page",
    "test page for the",
    "<h1>it works!</h1>",
];

/// Texts of pages that ask who you are.
const LOGINS: [&str; 3] = ["type=\"password\"", "type='password'", "type=password"];

/// What an HTML page with status 200 is.
pub(super) fn page(content_type: &str, body: &[u8]) -> Content {
    let text = String::from_utf8_lossy(body).to_lowercase();
    let is_html = content_type.contains("html") || (content_type.is_empty() && text.trim_start().starts_with('<'));
    if !is_html {
        return Content::Missing;
    }
    if LOGINS.iter().any(|mark| text.contains(mark)) {
        return Content::Login;
    }
    let title = title(&text);
    let says_nothing_here = title.contains("not found") || title.starts_with("404") || title.contains("error 404");
    if says_nothing_here || DEFAULT_PAGES.iter().any(|mark| text.contains(mark)) || body.len() < SUBSTANCE {
        return Content::Missing;
    }
    Content::Page
}

fn title(text: &str) -> &str {
    let after = text
        .split_once("<title")
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or("", |(_, rest)| rest);
    after.split_once("</title").map_or("", |(title, _)| title).trim()
}

/// Files in which a showroom's shell says where the instructions are, in the order in which it looks for them.
pub(super) const CONFIGS: [&str; 2] = ["ui-config.yml", "zero-touch-config.yml"];

/// What is read of the shell's configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(rename = "type")]
    kind: Option<String>,
    antora: Antora,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Antora {
    dir: Option<String>,
    name: Option<String>,
    version: Option<String>,
    modules: Vec<Module>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Module {
    name: Option<String>,
}

/// The path of the first page of instructions, as the configuration says; `None` if this is no configuration. Servers
/// answer unknown paths with a page and 200, so only a YAML mapping counts.
pub(super) fn first_page(file: &str, content_type: &str, body: &[u8]) -> Option<String> {
    if content_type.contains("html") {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let value: serde_json::Value = crate::yaml::from_str(text).ok()?;
    if !value.is_object() {
        return None;
    }
    let Config { kind, antora } = Config::deserialize(&value).unwrap_or_default();
    let zero_touch = file.starts_with("zero-touch");
    let default_dir = if kind.as_deref() == Some("showroom") { "www" } else { "antora" };
    let first_module = antora.modules.into_iter().find_map(|module| module.name).filter(|_| zero_touch);
    let mut path = String::new();
    let parts = [
        Some(antora.dir.unwrap_or_else(|| default_dir.to_owned())),
        Some(antora.name.unwrap_or_else(|| "modules".to_owned())),
        antora.version,
        Some(format!("{}.html", first_module.unwrap_or_else(|| "index".to_owned()))),
    ];
    for part in parts.iter().flatten() {
        let part = part.trim_matches('/');
        // The configuration is somebody's file: its parts are names, and nothing that leaves the showroom.
        if part.is_empty() || part.contains("..") || part.contains(['?', '#', '\\', ':']) {
            return None;
        }
        path.push('/');
        path.push_str(part);
    }
    Some(path)
}

/// What the readiness path said, if it was the showroom's own sidecar that answered: other servers answer any path.
pub(super) fn is_readiness(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Readiness {
        service: String,
    }
    serde_json::from_slice::<Readiness>(body).is_ok_and(|readiness| readiness.service.starts_with("nookbag"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(title: &str, text: &str) -> String {
        format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>")
    }

    #[test]
    fn pages_are_told_apart() {
        let long = "Log in to the terminal and follow the steps. ".repeat(20);
        for (name, content_type, body, expected) in [
            (
                "instructions",
                "text/html; charset=utf-8",
                html("Welcome to the lab", &long),
                Content::Page,
            ),
            ("no content type", "", html("Welcome to the lab", &long), Content::Page),
            ("about 404s", "text/html", html("How to fix a 404", &long), Content::Page),
            (
                "router",
                "text/html",
                html("", &format!("<h1>Application is not available</h1>{long}")),
                Content::Missing,
            ),
            (
                "nginx",
                "text/html",
                html("Welcome to nginx!", &format!("Welcome to nginx! {long}")),
                Content::Missing,
            ),
            ("not found", "text/html", html("404 Not Found", &long), Content::Missing),
            (
                "page not found",
                "text/html",
                html("Page Not Found :: Lab", &long),
                Content::Missing,
            ),
            ("shell", "text/html", html("Showroom", "<div id=root></div>"), Content::Missing),
            ("json", "application/json", "{}".repeat(400), Content::Missing),
            (
                "login",
                "text/html",
                html("Log in", &format!("<input type=\"password\">{long}")),
                Content::Login,
            ),
        ] {
            assert_eq!(page(content_type, body.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn the_first_page_comes_from_the_configuration() {
        let path = |file: &str, text: &str| first_page(file, "text/yaml", text.as_bytes());
        for (file, text, expected) in [
            (CONFIGS[0], "type: showroom\ntabs: []\n", Some("/www/modules/index.html")),
            (CONFIGS[0], "default_width: 40\n", Some("/antora/modules/index.html")),
            (
                CONFIGS[0],
                "type: showroom\nantora: {name: lab, version: v2}\n",
                Some("/www/lab/v2/index.html"),
            ),
            (
                CONFIGS[1],
                "antora:\n  modules:\n  - name: module-01\n  - name: module-02\n",
                Some("/antora/modules/module-01.html"),
            ),
            (CONFIGS[0], "<html>a page for every path</html>", None),
            (CONFIGS[0], "just text", None),
            (CONFIGS[0], "type: showroom\nantora: {dir: ../../etc}\n", None),
            (CONFIGS[0], "type: showroom\nantora: {name: 'x?y'}\n", None),
        ] {
            assert_eq!(path(file, text).as_deref(), expected, "{text}");
        }
        assert_eq!(first_page(CONFIGS[0], "text/html", b"type: showroom"), None);
    }

    #[test]
    fn only_the_sidecar_says_whether_it_is_ready() {
        assert!(is_readiness(br#"{"status":"degraded","service":"nookbag"}"#));
        assert!(!is_readiness(br#"{"status":"ok"}"#));
        assert!(!is_readiness(b"<html>"));
    }
}
