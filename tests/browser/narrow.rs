//! The documentation page on a narrow screen.

use tests::program::Program;

use crate::{expand, in_browser, log_in, try_out, wait_for_status};

#[tokio::test]
async fn page_with_open_operations_fits_360_pixels() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.emulate_phone(360).await;
        browser.go_to(&page).await;
        wait_for_status(&browser, "Not logged in").await;
        log_in(&browser, "shantanu", "a wrong password").await;
        wait_for_status(&browser, "Not logged in: Invalid").await;
        browser.run("document.querySelector('#log-in').reset()").await;
        log_in(&browser, "shantanu", "password").await;
        wait_for_status(&browser, "Logged in as ").await;
        for (operation, status) in [("listStudents", 200), ("createStudent", 201), ("listLegacyStudents", 200)] {
            expand(&browser, operation).await;
            try_out(&browser, operation, status).await;
        }
        assert_eq!(browser.run("return window.innerWidth").await, 360);
        // `clientWidth` excludes the scrollbar, if there is one.
        let [width, scrolled] =
            ["clientWidth", "scrollWidth"].map(|name| format!("return document.documentElement.{name}"));
        assert_eq!(browser.run(&scrolled).await, browser.run(&width).await, "the page scrolls sideways");
    })
    .await;
}
