//! A minimal HTTP/1.1 client connection with keep-alive (RFC 9112).

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An open connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
}

/// A response with its whole body.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Connection {
    pub async fn open(host: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host })
    }

    /// Sends a GET request, with the bearer token if there is one.
    pub async fn get(&mut self, path: &str, token: Option<&str>) -> Result<Response> {
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{bearer}\r\n", self.host)).await
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&mut self, path: &str, json: &str) -> Result<Response> {
        self.send("POST", path, "", json).await
    }

    /// Sends a request with a JSON body and, unless `header` is empty, one more header line.
    pub async fn send(&mut self, method: &str, path: &str, header: &str, json: &str) -> Result<Response> {
        let (host, length) = (self.host, json.len());
        let more = if header.is_empty() { "" } else { "\r\n" };
        self.exchange(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{header}{more}Content-Length: \
             {length}\r\n\r\n{json}"
        ))
        .await
    }

    async fn exchange(&mut self, request: &str) -> Result<Response> {
        self.stream.write_all(request.as_bytes()).await?;
        let status = status(&self.line().await?).ok_or_else(|| invalid("no status line"))?;
        let mut length = None;
        loop {
            let line = self.line().await?;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse::<usize>().ok();
                }
                Some(_) => {}
                None if line.is_empty() => break,
                None => return Err(invalid("a header without a colon")),
            }
        }
        let mut body = vec![0; length.ok_or_else(|| invalid("a response without Content-Length"))?];
        self.stream.read_exact(&mut body).await?;
        Ok(Response { status, body })
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The status code in a status line, for example 200 in `HTTP/1.1 200 OK`.
fn status(line: &str) -> Option<u16> {
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn connection_is_reused_for_second_request() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            let mut request = String::new();
            BufReader::new(stream).read_line(&mut request).await.unwrap();
            request
        });
        let mut connection = Connection::open(address).await.unwrap();
        assert_eq!(connection.post("/login", "{}").await.unwrap(), Response { status: 401, body: b"no".to_vec() });
        assert_eq!(connection.get("/", None).await.unwrap(), Response { status: 200, body: Vec::new() });
        assert_eq!(server.await.unwrap(), "POST /login HTTP/1.1\r\n");
    }

    #[test]
    fn status_has_three_digits() {
        assert_eq!(status("HTTP/1.1 200 OK"), Some(200));
        assert_eq!(status("HTTP/1.1 2"), None);
        assert_eq!(status("PONG"), None);
    }
}
