"""The user of a fuzzing run. Restores its access, because fuzzing ends its own sessions and deletes its own user."""

import base64
import json

import requests


class Account:
    """A user with a token. After a rejection it logs in again or is restored by the administrator `spare`."""

    def __init__(self, announcement, username):
        users = {user["username"]: user for user in announcement["users"]}
        self._base = announcement["base_url"]
        self._known_password = users["spare"]["password"]
        self.username, self.role = username, users[username]["role"]
        self.id, self.password = users[username]["id"], users[username]["password"]
        self.access, self.refresh = announcement["tokens"][username], announcement["refresh_tokens"][username]
        self._http = requests.Session()
        self._http.trust_env = False

    def token(self):
        """Returns a valid token."""
        if not self._has_access() and not self._log_in():
            self._restore()
        return self.access

    def new_session(self):
        """Creates another session and returns its id."""
        self.token()
        tokens = self._request_tokens(self.username, self.password)
        if tokens is None:
            raise RuntimeError(f"{self.username} has a token but cannot log in: an unobserved request changed the password")
        claims = tokens["token"].split(".")[1]
        return int(json.loads(base64.urlsafe_b64decode(claims + "=="))["sid"])

    def _has_access(self):
        me = self._send("GET", "/me", self.access)
        return me.status_code == 200 and me.json()["role"] == self.role

    def _log_in(self):
        tokens = self._request_tokens(self.username, self.password)
        if tokens is None:
            return False
        self.access, self.refresh = tokens["token"], tokens["refresh_token"]
        return self._has_access()

    def _restore(self):
        """Creates the user if it was deleted, and resets its role, status and password."""
        spare = self._request_tokens("spare", self._known_password)["token"]
        one_time = self._send("POST", f"/users/{self.id}/password-reset", spare)
        if one_time.status_code == 404:
            new = {"username": self.username, "role": self.role, "password": self._known_password}
            self.id = self._checked(self._send("POST", "/users", spare, new)).json()["id"]
            one_time = self._send("POST", f"/users/{self.id}/password-reset", spare)
        one_time = self._checked(one_time).json()["password"]
        self._checked(self._send("PATCH", f"/users/{self.id}", spare, {"role": self.role, "status": "active"}))
        token = self._request_tokens(self.username, one_time)["token"]
        change = {"current_password": one_time, "new_password": self._known_password}
        self._checked(self._send("PUT", "/me/password", token, change))
        self.password = self._known_password
        if not self._log_in():
            raise RuntimeError(f"{self.username} cannot log in after its password was reset")

    def _request_tokens(self, username, password):
        """Returns the response body of a login, or None if the login is rejected."""
        response = self._send("POST", "/login", None, {"Username": username, "Password": password})
        return response.json() if response.status_code == 200 else None

    def _checked(self, response):
        if not response.ok:
            request = response.request
            raise RuntimeError(f"{request.method} {request.url}: {response.status_code} {response.text}")
        return response

    def _send(self, method, path, token, body=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._http.request(method, self._base + path, json=body, headers=headers, timeout=30)
