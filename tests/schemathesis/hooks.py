"""What schemathesis has to be told about Rollbook: who it is, and what no schema can say of a request that succeeds."""

import collections
import json
import os
import sys
from pathlib import Path

import schemathesis

sys.path.insert(0, str(Path(__file__).parent))
from account import Account  # noqa: E402: lies beside this file

ANNOUNCEMENT = json.loads(os.environ["CONTRACT_ANNOUNCEMENT"])
ROLE = os.environ["CONTRACT_ROLE"]
SPARE = next(str(user["id"]) for user in ANNOUNCEMENT["users"] if user["username"] == "spare")

# Who has no token knows at least a name and a password.
account = Account(ANNOUNCEMENT, "viewer" if ROLE == "anonymous" else ROLE)
calls = collections.Counter()

if ROLE != "anonymous":

    # Nothing is kept: the token that was good a request ago may be refused now.
    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        """A token that is good at the time of the request."""

        def get(self, case, context):
            return account.token()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


def asks_for_operation(case):
    """Whether the request is for the operation itself: others try its path with another method, OPTIONS for one."""
    return case.method.upper() == case.operation.method.upper()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every second valid request is given what only somebody who was told knows: a password, a token, a session."""
    operation = case.operation.definition.raw.get("operationId")
    path = case.path_parameters
    # The spare administrator mends what the others break: whoever writes to it meets the fuzzing user itself.
    if case.path.startswith("/users/") and case.method.upper() != "GET" and path and str(path.get("id")) == SPARE:
        path["id"] = account.id
    if case.meta is None or not case.meta.generation.mode.is_positive or not asks_for_operation(case):
        return
    calls[operation] += 1
    if calls[operation] % 2 == 0:
        return
    if operation == "logIn":
        case.body = {"Username": account.username, "Password": account.password}
    elif operation == "refreshToken":
        account.token()
        case.body = {"refresh_token": account.refresh}
    elif operation == "changeOwnPassword" and isinstance(case.body, dict):
        case.body["current_password"] = account.password
    elif operation == "endOwnSession" and ROLE != "anonymous" and path:
        path["id"] = account.new_session()


@schemathesis.hook
def after_call(context, case, response):
    """What was changed by the request has to be known afterwards."""
    if not asks_for_operation(case):
        return
    operation = case.operation.definition.raw.get("operationId")
    if operation == "changeOwnPassword" and response.status_code == 204:
        account.password = case.body["new_password"]
    elif operation == "refreshToken" and response.status_code == 200:
        granted = response.json()
        account.access, account.refresh = granted["token"], granted["refresh_token"]
