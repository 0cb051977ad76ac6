//! A headless Chromium of the test's own, driven through a chromedriver of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element, key::Key, wd::WindowHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

const NEEDS: &str = "needs chromium and chromedriver (Debian: chromium, chromium-driver)";
/// Far above what any step takes, so that only a step that never comes fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// One browser window. Ends its processes with [`Chromium::quit`].
#[derive(Clone)]
pub struct Chromium {
    client: Client,
    driver_url: String,
}

/// A running chromedriver; killed when dropped.
pub struct Driver {
    process: Child,
    url: String,
    /// Kept open: the driver ends when its output is closed.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts a chromedriver on a free port, which it selects and prints.
    pub fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{NEEDS}: chromedriver does not start: {error}"));
        let mut output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let mut said = String::new();
        let port = loop {
            let line_start = said.len();
            let length = output.read_line(&mut said).expect("chromedriver speaks UTF-8");
            assert_ne!(length, 0, "{NEEDS}: chromedriver stopped, having said: {said}");
            if let Some((_, port)) = said[line_start..].split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').to_owned();
            }
        };
        Self { process, url: format!("http://127.0.0.1:{port}"), _output: output }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Chromium {
    /// Opens a window with a fresh profile, which keeps a log of every request and of the console.
    pub async fn open(driver: &Driver) -> Self {
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
            "goog:chromeOptions": { "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=1024,900",
            ]},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("written as an object above") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .unwrap_or_else(|error| panic!("{NEEDS}: no browser window opens: {error}"));
        Self { client, driver_url: driver.url.clone() }
    }

    pub async fn quit(self) {
        self.client.close().await.expect("the browser quits");
    }

    pub async fn go_to(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// Waits for the element that the `XPath` names.
    pub async fn wait_for(&self, xpath: &str) -> Element {
        match self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await {
            Ok(element) => element,
            Err(error) => {
                let text = self.client.execute("return document.body.innerText", vec![]).await.unwrap_or_default();
                panic!("{error} while waiting for {xpath} on a page that reads:\n{}", text.as_str().unwrap_or_default())
            }
        }
    }

    /// Waits for the button that the `XPath` names, and presses it with the Enter key: a mouse misses where the page
    /// still scrolls.
    pub async fn press(&self, xpath: &str) {
        self.type_into(xpath, &Key::Enter.to_string()).await;
    }

    pub async fn type_into(&self, xpath: &str, text: &str) {
        let element = self.wait_for(xpath).await;
        element.send_keys(text).await.unwrap_or_else(|error| panic!("{xpath} takes no text: {error}"));
    }

    /// Opens another tab of the same profile, and goes on there. Answers what the tab before and the new one are called.
    pub async fn open_tab(&self) -> [WindowHandle; 2] {
        let first = self.client.window().await.expect("a window");
        let second = self.client.new_window(true).await.expect("a new tab").handle;
        self.switch_to(&second).await;
        [first, second]
    }

    pub async fn switch_to(&self, tab: &WindowHandle) {
        self.client.switch_to_window(tab.clone()).await.expect("an open tab");
    }

    /// Makes the page as wide as a telephone's screen, whatever the least width of a window is.
    pub async fn narrow(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 740, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.ask_driver("goog/cdp/execute", &command).await;
    }

    /// Runs a function's body in the page, and waits for the promise where it returns one.
    pub async fn run(&self, script: &str) -> Value {
        let outcome = self.client.execute(script, vec![]).await;
        outcome.unwrap_or_else(|error| panic!("{error} in the page's script {script}"))
    }

    /// Waits until the expression, or what it promises, is true in the page; for as long as a script may run.
    pub async fn until(&self, condition: &str) {
        let look = "await new Promise((resolve) => setTimeout(resolve, 20))";
        self.run(&format!("return (async () => {{ while (!(await ({condition}))) {look} }})()")).await;
    }

    /// Every URL asked for since the last call.
    pub async fn requested_urls(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let events = entries.iter().map(|entry| -> Value {
            let event = entry["message"].as_str().expect("an entry has a message");
            serde_json::from_str(event).expect("the message is JSON")
        });
        events
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| event["message"]["params"]["request"]["url"].as_str().expect("a request has a URL").to_owned())
            .collect()
    }

    /// What the console has said since the last call, but for answers of 400 and above, which it repeats.
    pub async fn complaints(&self) -> Vec<Value> {
        let entries = self.log("browser").await;
        let is_complaint = |entry: &Value| {
            let violates_policy = entry.to_string().contains("Content Security Policy");
            violates_policy || (entry["level"] == "SEVERE" && entry["source"] != "network")
        };
        entries.into_iter().filter(is_complaint).collect()
    }

    /// Takes what chromedriver has gathered in a log.
    async fn log(&self, kind: &str) -> Vec<Value> {
        let answer = self.ask_driver("se/log", &json!({ "type": kind })).await;
        answer["value"].as_array().unwrap_or_else(|| panic!("no {kind} log: {answer}")).clone()
    }

    /// Sends one of chromedriver's own extensions to `WebDriver`.
    async fn ask_driver(&self, command: &str, body: &Value) -> Value {
        let session = self.client.session_id().await.expect("the window is open").expect("a session has an id");
        let request = reqwest::Client::new().post(format!("{}/session/{session}/{command}", self.driver_url));
        let answer = request.json(body).send().await.expect("chromedriver answers");
        answer.json().await.expect("chromedriver answers in JSON")
    }
}
