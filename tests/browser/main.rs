//! Tests of the documentation page in a browser.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod chromium;
mod narrow;
mod session;

use chromium::{Chromium, Driver};
use tests::program::Program;

/// `XPath` of an operation's block in Swagger UI: `#operations-<tag>-<operationId>`.
fn operation(id: &str) -> String {
    // XPath 1.0 has no ends-with.
    let suffix_start = format!("string-length(@id) - {}", id.len());
    format!("//*[starts-with(@id, 'operations-') and substring(@id, {suffix_start}) = '-{id}']")
}

async fn expand(browser: &Chromium, id: &str) {
    browser.press(&format!("{}//button[contains(@class, 'opblock-summary-control')]", operation(id))).await;
}

/// Presses "Execute" in an expanded operation with its example, and waits for a response with `status`.
async fn try_out(browser: &Chromium, id: &str, status: u16) {
    let block = operation(id);
    // Swagger UI shows the button before it has resolved the operation, and ignores an earlier press.
    let resolved = "[not(.//*[contains(@class, 'opblock-loading-animation')])]";
    browser.press(&format!("{block}{resolved}//button[contains(@class, 'execute')]")).await;
    let response = format!(
        "{block}//table[contains(@class, 'live-responses-table')]\
         //td[contains(@class, 'response-col_status') and starts-with(normalize-space(), '{status}')]"
    );
    browser.wait_for(&response).await;
}

/// Logs in with the form in the bar.
async fn log_in(browser: &Chromium, username: &str, password: &str) {
    browser.type_into("//form//input[@name = 'username']", username).await;
    browser.type_into("//form//input[@name = 'password']", password).await;
    browser.press("//form//button[normalize-space() = 'Log in']").await;
}

/// Waits until the status in the bar above Swagger UI starts with `text`.
async fn wait_for_status(browser: &Chromium, text: &str) {
    browser.wait_for(&format!("//*[@role = 'status' and starts-with(normalize-space(), '{text}')]")).await;
}

/// Runs steps in a new browser, and quits it even if they panic.
async fn in_browser<F>(steps: impl FnOnce(Chromium) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let driver = Driver::start();
    let browser = Chromium::open(&driver).await;
    let outcome = tokio::spawn(steps(browser.clone())).await;
    browser.quit().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

#[tokio::test]
async fn login_survives_reload_and_ends_with_logout() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        wait_for_status(&browser, "Not logged in: try out POST /login").await;

        expand(&browser, "logIn").await;
        try_out(&browser, "logIn", 200).await;
        wait_for_status(&browser, "Logged in as ").await;
        expand(&browser, "listStudents").await;
        try_out(&browser, "listStudents", 200).await;

        browser.reload().await;
        wait_for_status(&browser, "Logged in as ").await;
        // The URL's fragment identifies the open operation, so a reload opens it again.
        let students = operation("listStudents");
        browser
            .wait_for(&format!("{students}//button[contains(@class, 'authorization__btn')]//*[@class = 'locked']"))
            .await;
        try_out(&browser, "listStudents", 200).await;

        browser.press("//button[normalize-space() = 'Log out']").await;
        wait_for_status(&browser, "Not logged in: try out POST /login").await;
        try_out(&browser, "listStudents", 401).await;
        browser.reload().await;
        wait_for_status(&browser, "Not logged in: try out POST /login").await;
    })
    .await;
}

#[tokio::test]
async fn authorize_dialog_matches_bar_and_drops_rejected_token() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    let in_dialog = |element: &str| format!("//*[contains(@class, 'modal-ux')]//{element}");
    let (log_out, token) = (in_dialog("button[. = 'Logout']"), in_dialog("input"));
    let authorize = in_dialog("button[. = 'Authorize']");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        expand(&browser, "logIn").await;
        try_out(&browser, "logIn", 200).await;
        wait_for_status(&browser, "Logged in as ").await;

        browser.press("//button[contains(@class, 'authorize')]").await;
        browser.press(&log_out).await;
        wait_for_status(&browser, "Not logged in: try out POST /login").await;

        browser.type_into(&token, "no.such.token").await;
        browser.press(&authorize).await;
        wait_for_status(&browser, "Not logged in: the server rejected the token").await;
        browser.wait_for(&token).await;
    })
    .await;
}

/// REQ 32.
#[tokio::test]
async fn page_requests_no_other_host_and_keeps_its_security_policy() {
    let server = Program::demo().await;
    let (page, origin) = (server.url("/docs/"), server.url("/"));
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        expand(&browser, "logIn").await;
        try_out(&browser, "logIn", 200).await;
        wait_for_status(&browser, "Logged in as ").await;

        let urls = browser.requested_urls().await;
        let foreign: Vec<_> =
            urls.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        assert!(urls.contains(&format!("{origin}login")), "the log is incomplete: {urls:?}");
        let errors = browser.console_errors().await;
        assert!(errors.is_empty(), "{errors:?}");
    })
    .await;
}
