"""Uses Rollbook through a reverse proxy with TLS and a path prefix, with Python's standard library alone.

Arguments: the base URL, the username, the password, and optionally the number of requests, the number of connections, and the
minimum and maximum idle time in seconds. Prints one line of JSON; exits with 1 if anything is not as a client expects.
"""

import gzip
import http.client
import json
import random
import select
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

BASE = urlsplit(sys.argv[1])
USERNAME, PASSWORD = sys.argv[2:4]
REQUESTS, CONNECTIONS, MIN_IDLE, MAX_IDLE = [int(text) for text in sys.argv[4:8]] or [0, 0, 0, 0]
# The proxy must forward this address, not the forged one.
SOURCE = "127.0.0.5"
FORGED = {"X-Forwarded-For": "1.1.1.1", "Forwarded": "for=1.1.1.1", "X-Real-IP": "1.1.1.1", "X-Forwarded-Prefix": "/evil"}
TLS = ssl.create_default_context()
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


class Connection:
    """A persistent connection that is opened again if the proxy has closed it while it was unused, as HTTP libraries do."""

    def __init__(self):
        self.connection = None
        self.opened = 0

    def request(self, method, path, body=None, **headers):
        connection = self.connection
        if connection is not None and (connection.sock is None or select.select([connection.sock], [], [], 0)[0]):
            connection.close()
            connection = None
        if connection is None:
            kind, options = (http.client.HTTPSConnection, {"context": TLS}) if BASE.scheme == "https" else (http.client.HTTPConnection, {})
            connection = kind(BASE.hostname, BASE.port, timeout=40, source_address=(SOURCE, 0), **options)
            self.connection = connection
            self.opened += 1
        if body is not None:
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, {**FORGED, **headers})
        response = connection.getresponse()
        content = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return response.status, response.headers, content


def expect(actual, expected, what):
    if actual != expected:
        sys.exit(f"{what}: {actual!r} instead of {expected!r}")


def scenario():
    client = Connection()
    send = client.request
    root = BASE.path

    status, headers, _ = send("GET", f"{root}/")
    expect((status, headers["Location"]), (303, "./docs/"), "the root")
    status, _, page = send("GET", f"{root}/docs/", **{"Accept-Encoding": "gzip"})
    expect((status, b"Rollbook API" in page), (200, True), "the documentation page")
    for name in ("swagger-ui-bundle.js", "swagger-initializer.js", "session-api.js", "page.css"):
        expect(send("GET", f"{root}/docs/{name}", **{"Accept-Encoding": "gzip"})[0], 200, name)
    status, _, document = send("GET", f"{root}/openapi.json", **{"Accept-Encoding": "gzip"})
    expect((status, json.loads(document)["servers"][0]["url"]), (200, root or "/"), "the document")

    status, _, granted = send("POST", f"{root}/login", {"Username": USERNAME, "Password": PASSWORD})
    expect(status, 200, "login")
    status, _, granted = send("POST", f"{root}/token/refresh", {"refresh_token": json.loads(granted)["refresh_token"]})
    expect(status, 200, "refresh")
    authorization = {"Authorization": f"Bearer {json.loads(granted)['token']}"}

    expected = set()
    for number in range(5):
        student = {"name": "Proxied", "email": "proxied@example.org", "roll_no": 900_000 + number}
        status, headers, created = send("POST", f"{root}/students", student, **authorization)
        expect(status, 201, "create")
        expect(headers["Location"], f"{root}/students/{json.loads(created)['id']}", "Location")
        expected.add(headers["Location"])
    listed, path = set(), f"{root}/students?name=Proxied&limit=2"
    while path:
        status, headers, page = send("GET", path, **authorization)
        expect(status, 200, path)
        listed |= {f"{root}/students/{student['id']}" for student in json.loads(page)["students"]}
        link = headers["Link"]
        path = link and link[1:link.index(">")]
    expect(listed, expected, "pages by Link")

    path = expected.pop()
    status, headers, _ = send("GET", path, **authorization, **{"Accept-Encoding": "gzip"})
    tag = headers["ETag"]
    expect((status, tag.startswith('"')), (200, True), f"the strong entity tag {tag}")
    expect(send("GET", path, **authorization, **{"If-None-Match": tag})[0], 304, "If-None-Match")
    expect(send("PATCH", path, {"age": 21}, **authorization, **{"If-Match": tag})[0], 200, "update with the current tag")
    expect(send("PATCH", path, {"age": 22}, **authorization, **{"If-Match": tag})[0], 412, "update with a stale tag")

    expect(send("GET", f"{root}/students/999999", **authorization)[0], 404, "an unknown student")
    large = send("POST", f"{root}/login", {"Username": "x" * 20_000, "Password": "x"})
    expect(large[0], 413, "a large body")
    expect(client.opened, 1, "connections")
    return authorization


def load(authorization):
    """Sends the requests over the connections, with one idle time after each fifth part of them."""
    lost, opened = [], []

    def run():
        client = Connection()
        for number in range(REQUESTS // CONNECTIONS):
            if number % max(1, REQUESTS // CONNECTIONS // 5) == 1:
                time.sleep(random.uniform(MIN_IDLE, MAX_IDLE))
            try:
                status, _, _ = client.request("GET", f"{BASE.path}/students/1", **authorization)
                if status != 200:
                    lost.append(str(status))
            except OSError as error:
                lost.append(repr(error))
            except http.client.HTTPException as error:
                lost.append(repr(error))
        opened.append(client.opened)

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"lost": lost, "connections": sum(opened)}


authorization = scenario()
result = load(authorization) if REQUESTS else {"lost": [], "connections": 0}
print(json.dumps(result))
sys.exit(1 if result["lost"] else 0)
