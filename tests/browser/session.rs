//! The login in the documentation page's bar: in one tab, in several, renewed and ended.

use std::fs;

use tempfile::TempDir;
use tests::program::{self, Program};

use crate::chromium::Chromium;
use crate::{bar_says, expand, in_browser, log_in, operation, try_out};

/// The name of the entry in which the tabs share their login, and of the lock by which they take turns.
const KEY: &str = "'rollbook.session /'";

/// Makes the stored login due to be renewed.
async fn make_due(browser: &Chromium) {
    let change = "localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), renewAt: 0 }))";
    browser.run(&format!("const key = {KEY}; {change}")).await;
}

/// How many requests for a refresh this tab has made.
async fn refreshes(browser: &Chromium) -> u64 {
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
        bar_says(&browser, "Not logged in").await;
        log_in(&browser, "shantanu", "password").await;
        bar_says(&browser, "Logged in as shantanu (registrar)").await;
        browser.wait_for("//*[@role = 'timer' and starts-with(., 'Token: 7:59:')]").await;
        let token = token(&browser).await;

        expand(&browser, "createStudent").await;
        try_out(&browser, "createStudent", 201).await;
        browser.press("//button[normalize-space() = 'Log out']").await;
        bar_says(&browser, "Not logged in").await;
        try_out(&browser, "createStudent", 401).await;
        assert_eq!(browser.run("return localStorage.length").await, 0, "something is left of the login");

        let urls = browser.requested_urls().await;
        let elsewhere: Vec<_> =
            urls.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
        assert!(urls.contains(&format!("{origin}logout")), "the session is not ended at the server: {urls:?}");
        for secret in [&token, "password"] {
            assert!(!urls.iter().any(|url| url.contains(secret)), "a secret in a URL: {urls:?}");
        }
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_login_says_why_in_the_bar() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "shantanu", "a wrong password").await;
        bar_says(&browser, "Not logged in: Invalid Credentials").await;
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
        bar_says(&browser, "Logged in as shantanu").await;
        let before = token(&browser).await;
        let tabs = browser.open_tab().await;
        browser.go_to(&page).await;
        bar_says(&browser, "Logged in as shantanu").await;
        expand(&browser, "listStudents").await;
        try_out(&browser, "listStudents", 200).await;

        // Both are to want the refresh before either may make it.
        let hold = "await new Promise((held) => navigator.locks.request(key, () => new Promise((release) => { window.release = release; held(); })))";
        browser.run(&format!("return (async () => {{ const key = {KEY}; {hold} }})()")).await;
        make_due(&browser).await;
        browser.until("navigator.locks.query().then((locks) => locks.pending.length === 2)").await;
        browser.run("window.release()").await;

        let renewed = format!("JSON.parse(localStorage.getItem({KEY})).token !== '{before}'");
        let idle = "navigator.locks.query().then((locks) => locks.pending.length + locks.held.length === 0)";
        let mut count = 0;
        for tab in &tabs {
            browser.switch_to(tab).await;
            browser.until(&renewed).await;
            browser.until(idle).await;
            count += refreshes(&browser).await;
            bar_says(&browser, "Logged in as shantanu (registrar)").await;
        }
        assert_eq!(count, 1);

        // Swagger UI has heard of the new token, too.
        let after = token(&browser).await;
        try_out(&browser, "listStudents", 200).await;
        let curl = format!("{}//*[contains(@class, 'curl') and contains(., '{after}')]", operation("listStudents"));
        browser.wait_for(&curl).await;

        browser.switch_to(&tabs[0]).await;
        browser.press("//button[normalize-space() = 'Log out']").await;
        bar_says(&browser, "Not logged in").await;
        browser.switch_to(&tabs[1]).await;
        bar_says(&browser, "Not logged in").await;
        try_out(&browser, "listStudents", 401).await;
    })
    .await;
}

#[tokio::test]
async fn a_login_that_cannot_be_renewed_ends_with_a_sentence() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "shantanu", "password").await;
        bar_says(&browser, "Logged in as shantanu").await;
        let headers = format!("{{ Authorization: 'Bearer {}' }}", token(&browser).await);
        let end =
            format!("return fetch('../logout', {{ method: 'POST', headers: {headers} }}).then((it) => it.status)");
        assert_eq!(browser.run(&end).await, 204);
        make_due(&browser).await;
        bar_says(&browser, "Not logged in: the login could not be renewed: ").await;
        browser.wait_for("//form//input[@name = 'username']").await;
    })
    .await;
}

#[tokio::test]
async fn first_administrator_is_directed_to_change_the_password() {
    let home = TempDir::new().expect("a temporary folder");
    let server = Program::start(program::command(home.path(), &["serve", "--listen", "127.0.0.1:0"])).await;
    let password = fs::read_to_string(home.path().join("rollbook-data/initial-admin-password")).expect("a password");
    let page = server.url("/docs/");
    in_browser(move |browser| async move {
        browser.go_to(&page).await;
        log_in(&browser, "admin", password.trim()).await;
        bar_says(&browser, "Logged in").await;
        browser.press("//*[@role = 'alert']//button[normalize-space() = 'Change it']").await;
        browser.wait_for(&format!("{}//button[contains(@class, 'execute')]", operation("replaceOwnPassword"))).await;
    })
    .await;
}
