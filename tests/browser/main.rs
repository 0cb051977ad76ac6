//! The documentation page as a person uses it, in a real browser.

#![expect(clippy::expect_used, reason = "a test's own steps, too, may fail only by panicking")]

mod chromium;
mod narrow;
mod session;

use chromium::{Chromium, Driver};
use tests::program::Program;

/// The `XPath` of an operation's block in Swagger UI: `#operations-<tag>-<operationId>`.
fn operation(id: &str) -> String {
    // XPath 1.0 has no ends-with.
    let suffix_start = format!("string-length(@id) - {}", id.len());
    format!("//*[starts-with(@id, 'operations-') and substring(@id, {suffix_start}) = '-{id}']")
}

async fn expand(browser: &Chromium, id: &str) {
    browser.press(&format!("{}//button[contains(@class, 'opblock-summary-control')]", operation(id))).await;
}

/// Presses "Execute" in an expanded operation, its example untouched, and waits for an answer with `status`.
async fn try_out(browser: &Chromium, id: &str, status: u16) {
    let block = operation(id);
    // Swagger UI shows the button a moment before it has resolved the operation, and then loses the press.
    let resolved = "[not(.//*[contains(@class, 'opblock-loading-animation')])]";
    browser.press(&format!("{block}{resolved}//button[contains(@class, 'execute')]")).await;
    let answered = format!(
        "{block}//table[contains(@class, 'live-responses-table')]\
         //td[contains(@class, 'response-col_status') and starts-with(normalize-space(), '{status}')]"
    );
    browser.wait_for(&answered).await;
}

/// Logs in with the form in the bar.
async fn log_in(browser: &Chromium, username: &str, password: &str) {
    browser.type_into("//form//input[@name = 'username']", username).await;
    browser.type_into("//form//input[@name = 'password']", password).await;
    browser.press("//form//button[normalize-space() = 'Log in']").await;
}

/// Waits until the bar above Swagger UI begins so.
async fn bar_says(browser: &Chromium, text: &str) {
    browser.wait_for(&format!("//*[@role = 'status' and starts-with(normalize-space(), '{text}')]")).await;
}

/// Runs what a person does, and quits the browser however that ends.
async fn in_browser<F>(journey: impl FnOnce(Chromium) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let driver = Driver::start();
    let browser = Chromium::open(&driver).await;
    let outcome = tokio::spawn(journey(browser.clone())).await;
    browser.quit().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

#[tokio::test]
async fn one_login_lasts_on_the_page_through_a_reload_until_log_out() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        bar_says(&browser, "Not logged in: try out POST /login").await;

        expand(&browser, "logIn").await;
        try_out(&browser, "logIn", 200).await;
        bar_says(&browser, "Logged in as ").await;
        expand(&browser, "listStudents").await;
        try_out(&browser, "listStudents", 200).await;

        browser.reload().await;
        bar_says(&browser, "Logged in as ").await;
        // The address names the operation that was open last, which a reload opens again.
        let students = operation("listStudents");
        browser
            .wait_for(&format!("{students}//button[contains(@class, 'authorization__btn')]//*[@class = 'locked']"))
            .await;
        try_out(&browser, "listStudents", 200).await;

        browser.press("//button[normalize-space() = 'Log out']").await;
        bar_says(&browser, "Not logged in: try out POST /login").await;
        try_out(&browser, "listStudents", 401).await;
        browser.reload().await;
        bar_says(&browser, "Not logged in: try out POST /login").await;
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
        bar_says(&browser, "Logged in as ").await;

        browser.press("//button[contains(@class, 'authorize')]").await;
        browser.press(&log_out).await;
        bar_says(&browser, "Not logged in: try out POST /login").await;

        browser.type_into(&token, "no.such.token").await;
        browser.press(&authorize).await;
        bar_says(&browser, "Not logged in: the server rejected the token").await;
        browser.wait_for(&token).await;
    })
    .await;
}

/// REQ 32.
#[tokio::test]
async fn page_asks_no_other_host_and_breaks_no_rule_of_its_policy() {
    let server = Program::demo().await;
    let (page, origin) = (server.url("/docs/"), server.url("/"));
    in_browser(|browser| async move {
        browser.go_to(&page).await;
        expand(&browser, "logIn").await;
        try_out(&browser, "logIn", 200).await;
        bar_says(&browser, "Logged in as ").await;

        let urls = browser.requested_urls().await;
        let elsewhere: Vec<_> =
            urls.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
        assert!(urls.contains(&format!("{origin}login")), "the log misses requests: {urls:?}");
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
    })
    .await;
}
