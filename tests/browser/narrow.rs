//! The documentation page on a narrow screen.

use tests::program::Program;

use crate::{bar_says, expand, in_browser, log_in, try_out};

#[tokio::test]
async fn the_page_fits_360_pixels_whatever_is_open() {
    let server = Program::demo().await;
    let page = server.url("/docs/");
    in_browser(|browser| async move {
        browser.narrow(360).await;
        browser.go_to(&page).await;
        bar_says(&browser, "Not logged in").await;
        log_in(&browser, "shantanu", "a wrong password").await;
        bar_says(&browser, "Not logged in: Invalid").await;
        browser.run("document.querySelector('#log-in').reset()").await;
        log_in(&browser, "shantanu", "password").await;
        bar_says(&browser, "Logged in as ").await;
        for (operation, status) in [("listStudents", 200), ("createStudent", 201), ("listLegacyStudents", 200)] {
            expand(&browser, operation).await;
            try_out(&browser, operation, status).await;
        }
        assert_eq!(browser.run("return window.innerWidth").await, 360);
        // A scrollbar beside the page, where there is one, takes some of it.
        let [width, scrolled] =
            ["clientWidth", "scrollWidth"].map(|name| format!("return document.documentElement.{name}"));
        assert_eq!(browser.run(&scrolled).await, browser.run(&width).await, "the page scrolls sideways");
    })
    .await;
}
