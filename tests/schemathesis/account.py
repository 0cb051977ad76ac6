"""A user of a contract store, and the way back in: fuzzing logs itself out, and removes its own user, sooner or later."""

import base64
import json

import requests


class Account:
    """One user, who is logged in again, and put right by the spare administrator, whenever the token is refused."""

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
        """A token that the service takes now."""
        if not self._is_let_in() and not self._log_in():
            self._put_right()
        return self.access

    def new_session(self):
        """The id of one more session, which may be ended."""
        self.token()
        granted = self._granted(self.username, self.password)
        if granted is None:
            raise RuntimeError(f"{self.username} has a token, but cannot log in: the password was changed unnoticed")
        claims = granted["token"].split(".")[1]
        return int(json.loads(base64.urlsafe_b64decode(claims + "=="))["sid"])

    def _is_let_in(self):
        me = self._ask("GET", "/me", self.access)
        return me.status_code == 200 and me.json()["role"] == self.role

    def _log_in(self):
        granted = self._granted(self.username, self.password)
        if granted is None:
            return False
        self.access, self.refresh = granted["token"], granted["refresh_token"]
        return self._is_let_in()

    def _put_right(self):
        """Makes the user anew where it is gone, and gives it its role, a good status and the known password."""
        spare = self._granted("spare", self._known_password)["token"]
        one_time = self._ask("POST", f"/users/{self.id}/password-reset", spare)
        if one_time.status_code == 404:
            new = {"username": self.username, "role": self.role, "password": self._known_password}
            self.id = self._done(self._ask("POST", "/users", spare, new)).json()["id"]
            one_time = self._ask("POST", f"/users/{self.id}/password-reset", spare)
        one_time = self._done(one_time).json()["password"]
        self._done(self._ask("PATCH", f"/users/{self.id}", spare, {"role": self.role, "status": "active"}))
        token = self._granted(self.username, one_time)["token"]
        change = {"current_password": one_time, "new_password": self._known_password}
        self._done(self._ask("PUT", "/me/password", token, change))
        self.password = self._known_password
        if not self._log_in():
            raise RuntimeError(f"{self.username} cannot be logged in again")

    def _granted(self, username, password):
        """What a login answers, or nothing where it is refused."""
        answer = self._ask("POST", "/login", None, {"Username": username, "Password": password})
        return answer.json() if answer.status_code == 200 else None

    def _done(self, answer):
        if not answer.ok:
            raise RuntimeError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
        return answer

    def _ask(self, method, path, token, body=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._http.request(method, self._base + path, json=body, headers=headers, timeout=30)
