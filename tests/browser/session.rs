//! Login in the bar of the documentation page: in one tab and several, renewal and end.

use std::fs;

use domain::Escaped;
use tempfile::TempDir;
use tests::program::{self, Program};

use crate::chromium::Chromium;
use crate::{expand, in_browser, log_in, operation, try_out, wait_for_status};

/// Key of the storage entry with the shared login, and name of the lock of the tabs, as a JavaScript literal.
const KEY: &str = "'rollbook.session /'";

/// Marks the stored login as due for renewal.
async fn make_due(browser: &Chromium) {
    let change = "localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), renewAt: 0 }))";
    browser.run(&format!("const key = {KEY}; {change}")).await;
}

/// Number of refresh requests sent by this tab.
async fn refresh_count(browser: &Chromium) -> u64 {
    let script = "return performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/token/refresh')).length";
    browser.run(script).await.as_u64().expect("a number")
}

async fn token(browser: &Chromium) -> String {
    let token = browser.run(&format!("return JSON.parse(localStorage.getItem({KEY})).token")).await;
    token.as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn bar_login_allows_writes_until_logout() {
    let server = Program::demo().await;
    let (page, origin) = (server.url("/docs/"), server.url("/"));
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        wait_for_status(&browser, "Not logged in").await;
        log_in(&browser, "shantanu", "password").await;
        wait_for_status(&browser, "Logged in as shantanu (registrar)").await;
        browser.wait_for("//*[@role = 'timer' and starts-with(., 'Token: 7:59:')]").await;
        let token = token(&browser).await;

        expand(&browser, "createStudent").await;
        try_out(&browser, "createStudent", 201).await;
        browser.press("//button[normalize-space() = 'Log out']").await;
        wait_for_status(&browser, "Not logged in").await;
        try_out(&browser, "createStudent", 401).await;
        assert_eq!(browser.run("return localStorage.length").await, 0, "the stored login was not removed");

        let urls = browser.requested_urls().await;
        let foreign: Vec<_> =
            urls.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        assert!(urls.contains(&format!("{origin}logout")), "the session was not ended on the server: {urls:?}");
        for secret in [&token, "password"] {
            assert!(!urls.iter().any(|url| url.contains(secret)), "a secret in a URL: {urls:?}");
        }
        let errors = browser.console_errors().await;
        assert!(errors.is_empty(), "{errors:?}");
    })
    .await;
}

#[tokio::test]
async fn rejected_login_shows_the_reason_in_the_bar() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "shantanu", "a wrong password").await;
        wait_for_status(&browser, "Not logged in: Invalid Credentials").await;
    })
    .await;
}

#[tokio::test]
async fn bar_escapes_the_characters_that_the_command_line_escapes() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        let script = "const { escaped } = await import(new URL('session-bar.js', document.baseURI)); \
             const all = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)); \
             return all.map(escaped).filter((text) => text.length > 2)";
        let by_page = browser.run(&format!("return (async () => {{ {script} }})()")).await;
        let is_escaped = |c: &char| matches!(c, '\n' | '\t') || Escaped(c).to_string() != c.to_string();
        let by_command_line: Vec<_> =
            ('\0'..=char::MAX).filter(is_escaped).map(|c| c.escape_unicode().to_string()).collect();
        assert_eq!(by_page, serde_json::json!(by_command_line));

        let me = "Response.json({ ...(await (await real(url, request)).json()), username: 'shan\\u202etanu' })";
        let fetch = format!("`${{url}}`.endsWith('/me') ? {me} : real(url, request)");
        browser.run(&format!("const real = fetch; window.fetch = async (url, request) => {fetch}")).await;
        log_in(&browser, "shantanu", "password").await;
        wait_for_status(&browser, "Logged in as shan\\u{202e}tanu (registrar)").await;
    })
    .await;
}

#[tokio::test]
async fn two_tabs_share_one_login_one_refresh_and_one_logout() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "shantanu", "password").await;
        wait_for_status(&browser, "Logged in as shantanu").await;
        let before = token(&browser).await;
        let tabs = browser.open_tab().await;
        browser.go_to(&page).await;
        wait_for_status(&browser, "Logged in as shantanu").await;
        expand(&browser, "listStudents").await;
        try_out(&browser, "listStudents", 200).await;

        // Holds the lock until both tabs wait for it.
        let hold = "await new Promise((held) => navigator.locks.request(key, () => new Promise((release) => { window.release = release; held(); })))";
        browser.run(&format!("return (async () => {{ const key = {KEY}; {hold} }})()")).await;
        make_due(&browser).await;
        browser.wait_until("navigator.locks.query().then((locks) => locks.pending.length === 2)").await;
        browser.run("window.release()").await;

        let renewed = format!("JSON.parse(localStorage.getItem({KEY})).token !== '{before}'");
        let idle = "navigator.locks.query().then((locks) => locks.pending.length + locks.held.length === 0)";
        let mut count = 0;
        for tab in &tabs {
            browser.switch_to(tab).await;
            browser.wait_until(&renewed).await;
            browser.wait_until(idle).await;
            count += refresh_count(&browser).await;
            wait_for_status(&browser, "Logged in as shantanu (registrar)").await;
        }
        assert_eq!(count, 1);

        // Swagger UI sends the new token.
        let after = token(&browser).await;
        try_out(&browser, "listStudents", 200).await;
        let curl = format!("{}//*[contains(@class, 'curl') and contains(., '{after}')]", operation("listStudents"));
        browser.wait_for(&curl).await;

        browser.switch_to(&tabs[0]).await;
        browser.press("//button[normalize-space() = 'Log out']").await;
        wait_for_status(&browser, "Not logged in").await;
        browser.switch_to(&tabs[1]).await;
        wait_for_status(&browser, "Not logged in").await;
        try_out(&browser, "listStudents", 401).await;
    })
    .await;
}

#[tokio::test]
async fn failed_renewal_ends_login_and_shows_the_reason() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "shantanu", "password").await;
        wait_for_status(&browser, "Logged in as shantanu").await;
        let headers = format!("{{ Authorization: 'Bearer {}' }}", token(&browser).await);
        let log_out =
            format!("return fetch('../logout', {{ method: 'POST', headers: {headers} }}).then((it) => it.status)");
        assert_eq!(browser.run(&log_out).await, 204);
        make_due(&browser).await;
        wait_for_status(&browser, "Not logged in: the login could not be renewed: ").await;
        browser.wait_for("//form//input[@name = 'username']").await;
    })
    .await;
}

#[tokio::test]
async fn first_administrator_is_prompted_to_change_the_password() {
    let home = TempDir::new().expect("a temporary folder");
    let server = Program::start(program::command(home.path(), &["serve", "--listen", "127.0.0.1:0"])).await;
    let password = fs::read_to_string(home.path().join("rollbook-data/initial-admin-password")).expect("a password");
    let page = server.url("/docs/");
    in_browser(move |browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "admin", password.trim()).await;
        wait_for_status(&browser, "Logged in").await;
        browser.press("//*[@role = 'alert']//button[normalize-space() = 'Change password']").await;
        browser.wait_for(&format!("{}//button[contains(@class, 'execute')]", operation("replaceOwnPassword"))).await;
    })
    .await;
}
