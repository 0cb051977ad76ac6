//! A PostgreSQL container, started through the Docker daemon.

use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::IntoContainerPort;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt, TestcontainersError};
use tokio::io::AsyncBufReadExt;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::timeout;

use super::{Server, USER, probe, random_password, settings, url};
use crate::failure::{Failure, Result, Settle};

/// Overrides [`IMAGE`]. The image must support the environment variables of the official one.
const IMAGE_VARIABLE: &str = "ROLLBOOK_TEST_POSTGRES_IMAGE";
const IMAGE: &str = "postgres:17";
const PORT: u16 = 5432;
/// Timeout for a response of the daemon.
const RESPONSE: Duration = Duration::from_secs(2);
const PULL: Duration = Duration::from_mins(3);
const START: Duration = Duration::from_mins(1);

/// A running container, removed when this is dropped.
type Container = ContainerAsync<GenericImage>;

/// Starts a container.
///
/// # Errors
/// No daemon responds, the image is not available, or its server does not start.
pub async fn start() -> Result<Server> {
    let docker = daemon().await?;
    let image = std::env::var(IMAGE_VARIABLE).ok().filter(|image| !image.is_empty());
    let image = image.unwrap_or_else(|| IMAGE.to_owned());
    ensure_image(&docker, &image).await?;

    let password = random_password()?;
    let container = StartingContainer::new(&image, &password).container().await?;
    let host = container.get_host().await.or_fail("Docker reports no host")?.to_string();
    let port = container.get_host_port_ipv4(PORT.tcp()).await.or_fail("Docker reports no port")?;
    let url = url(&host, port, &password, USER);
    let options = url.parse().or_fail("Docker reports an unusable address")?;
    let ready = tokio::select! {
        ready = probe::until_ready(&options, START) => ready,
        line = last_log_line(&container) => Err(line),
    };
    let version = ready.map_err(|reason| Failure::new(format_args!("{image} in Docker did not start: {reason}")))?;
    Ok(Server {
        url,
        description: format!("PostgreSQL {version} from the image {image} in Docker"),
        _guard: Some(Box::new(container)),
    })
}

async fn daemon() -> Result<Docker> {
    let none = || Failure::new("no Docker daemon responds");
    let docker = timeout(RESPONSE, docker_client_instance()).await.map_err(|_| none())?.map_err(|_| none())?;
    timeout(RESPONSE, docker.ping()).await.map_err(|_| none())?.map_err(|_| none())?;
    Ok(docker)
}

/// Pulls the image unless the daemon has it.
async fn ensure_image(docker: &Docker, image: &str) -> Result<()> {
    if docker.inspect_image(image).await.is_ok() {
        return Ok(());
    }
    eprintln!("xtask: pulling {image}");
    let pulled = timeout(PULL, image_of(image).pull_image()).await;
    let pulled = pulled.map_err(|_| Failure::new(format_args!("Docker took too long to pull {image}")))?;
    pulled.map(drop).or_fail(format_args!("Docker cannot get {image}"))
}

fn request(image: &str, password: &str) -> ContainerRequest<GenericImage> {
    let server = ["postgres"].into_iter().chain(settings());
    let request = image_of(image)
        .with_exposed_port(PORT.tcp())
        .with_env_var("POSTGRES_USER", USER)
        .with_env_var("POSTGRES_PASSWORD", password)
        .with_env_var("POSTGRES_DB", USER)
        // Connecting is faster without the hash iterations of SCRAM.
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "password")
        .with_cmd(server)
        .with_startup_timeout(START);
    if !daemon_is_local() {
        return request;
    }
    request.with_host_config_modifier(|host| {
        let loopback = PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some("0".into()) };
        host.publish_all_ports = Some(false);
        host.port_bindings = Some([(format!("{PORT}/tcp"), Some(vec![loopback]))].into());
    })
}

fn image_of(image: &str) -> GenericImage {
    let (name, tag) = name_and_tag(image);
    GenericImage::new(name, tag)
}

/// Splits an image reference. A colon before a slash belongs to the registry's port.
fn name_and_tag(image: &str) -> (&str, &str) {
    image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((image, "latest"))
}

/// Whether a port published on the daemon's loopback address is reachable from this process.
fn daemon_is_local() -> bool {
    let remote = std::env::var("DOCKER_HOST").is_ok_and(|host| !host.is_empty() && !host.starts_with("unix:"));
    let inside_a_container = std::path::Path::new("/.dockerenv").exists();
    !remote && !inside_a_container
}

/// Reads the server's standard error until the container ends, and returns the last line.
async fn last_log_line(container: &Container) -> String {
    let mut lines = container.stderr(true).lines();
    let mut last = "no output".to_owned();
    while let Ok(Some(line)) = lines.next_line().await {
        last = line;
    }
    last
}

/// A container that is being started: the daemon creates it before there is a [`Container`] that removes it.
struct StartingContainer(Option<JoinHandle<Result<Container, TestcontainersError>>>);

impl StartingContainer {
    fn new(image: &str, password: &str) -> Self {
        let request = request(image, password);
        Self(Some(tokio::spawn(async move { request.start().await })))
    }

    async fn container(mut self) -> Result<Container> {
        let Some(task) = &mut self.0 else { return Err(Failure::new("the container has already been started")) };
        let started = task.await;
        self.0 = None;
        started.or_fail("Docker")?.or_fail("Docker does not start the container")
    }
}

impl Drop for StartingContainer {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            // If interrupted, the start runs to its end, so that the container is removed.
            let _ = block_in_place(|| Handle::current().block_on(timeout(START, task)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_without_tag_is_latest() {
        assert_eq!(name_and_tag("postgres:17"), ("postgres", "17"));
        assert_eq!(name_and_tag("postgres"), ("postgres", "latest"));
        assert_eq!(name_and_tag("localhost:5000/postgres"), ("localhost:5000/postgres", "latest"));
        assert_eq!(name_and_tag("localhost:5000/postgres:17"), ("localhost:5000/postgres", "17"));
    }
}
