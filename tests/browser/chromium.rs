//! Headless Chromium, one per test, controlled through its own chromedriver.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element, key::Key, wd::WindowHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

const REQUIREMENT: &str = "needs chromium and chromedriver (Debian: chromium, chromium-driver)";
/// Timeout for an element to appear. Far above the duration of any step.
const ELEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Browser window. [`Chromium::quit`] ends its processes.
#[derive(Clone)]
pub struct Chromium {
    client: Client,
    driver_url: String,
}

/// Running chromedriver, killed on drop.
pub struct Driver {
    process: Child,
    url: String,
    /// Kept open, because chromedriver exits if its output is closed.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts chromedriver on a free port. It selects the port and prints it.
    pub fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{REQUIREMENT}: chromedriver did not start: {error}"));
        let mut output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let mut printed = String::new();
        let port = loop {
            let line_start = printed.len();
            let length = output.read_line(&mut printed).expect("chromedriver prints UTF-8");
            assert_ne!(length, 0, "{REQUIREMENT}: chromedriver exited after printing: {printed}");
            if let Some((_, port)) = printed[line_start..].split_once("started successfully on port ") {
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
    /// Opens a window with a new profile. Requests and console messages are logged.
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
            .unwrap_or_else(|error| panic!("{REQUIREMENT}: cannot open a browser window: {error}"));
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

    /// Waits for the first element that matches the `XPath`.
    pub async fn wait_for(&self, xpath: &str) -> Element {
        match self.client.wait().at_most(ELEMENT_TIMEOUT).for_element(Locator::XPath(xpath)).await {
            Ok(element) => element,
            Err(error) => {
                let text = self.client.execute("return document.body.innerText", vec![]).await.unwrap_or_default();
                panic!("{error} while waiting for {xpath}; the page contains:\n{}", text.as_str().unwrap_or_default())
            }
        }
    }

    /// Waits for a button and presses it with the Enter key, because a mouse click misses while the page scrolls.
    pub async fn press(&self, xpath: &str) {
        self.type_into(xpath, &Key::Enter.to_string()).await;
    }

    pub async fn type_into(&self, xpath: &str, text: &str) {
        let element = self.wait_for(xpath).await;
        element.send_keys(text).await.unwrap_or_else(|error| panic!("cannot type into {xpath}: {error}"));
    }

    /// Opens another tab of the same profile and switches to it. Returns the handles of the previous tab and the new one.
    pub async fn open_tab(&self) -> [WindowHandle; 2] {
        let first = self.client.window().await.expect("a window");
        let second = self.client.new_window(true).await.expect("a new tab").handle;
        self.switch_to(&second).await;
        [first, second]
    }

    pub async fn switch_to(&self, tab: &WindowHandle) {
        self.client.switch_to_window(tab.clone()).await.expect("an open tab");
    }

    /// Emulates a phone screen of this width in pixels, which may be below the minimum width of a window.
    pub async fn emulate_phone(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 740, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.send_command("goog/cdp/execute", &command).await;
    }

    /// Runs a function body in the page. If it returns a promise, waits for it.
    pub async fn run(&self, script: &str) -> Value {
        let outcome = self.client.execute(script, vec![]).await;
        outcome.unwrap_or_else(|error| panic!("{error} in the script {script}"))
    }

    /// Waits until an expression, or the promise that it returns, is true in the page. Limited by the script timeout.
    pub async fn wait_until(&self, condition: &str) {
        let pause = "await new Promise((resolve) => setTimeout(resolve, 20))";
        self.run(&format!("return (async () => {{ while (!(await ({condition}))) {pause} }})()")).await;
    }

    /// URLs requested since the last call.
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

    /// Console errors and violations of the content security policy since the last call, without responses of 400 and above.
    pub async fn console_errors(&self) -> Vec<Value> {
        let entries = self.log("browser").await;
        let is_error = |entry: &Value| {
            let violates_policy = entry.to_string().contains("Content Security Policy");
            violates_policy || (entry["level"] == "SEVERE" && entry["source"] != "network")
        };
        entries.into_iter().filter(is_error).collect()
    }

    /// Takes the entries of a log from chromedriver.
    async fn log(&self, kind: &str) -> Vec<Value> {
        let response = self.send_command("se/log", &json!({ "type": kind })).await;
        response["value"].as_array().unwrap_or_else(|| panic!("no {kind} log: {response}")).clone()
    }

    /// Sends a command that chromedriver adds to the `WebDriver` protocol.
    async fn send_command(&self, command: &str, body: &Value) -> Value {
        let session = self.client.session_id().await.expect("the window is open").expect("a session has an id");
        let request = reqwest::Client::new().post(format!("{}/session/{session}/{command}", self.driver_url));
        let response = request.json(body).send().await.expect("chromedriver responds");
        response.json().await.expect("the response is JSON")
    }
}
