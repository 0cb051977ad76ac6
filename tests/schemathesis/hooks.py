"""What schemathesis has to know about Rollbook: who it is, and what no schema can say of a request that succeeds."""

import collections
import json
import os
import sys
import unicodedata
from pathlib import Path

import schemathesis
from schemathesis.core.deserialization import deserialize_yaml
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.media_types import YAML_MEDIA_TYPES
from schemathesis.core.parameters import ParameterLocation

sys.path.insert(0, str(Path(__file__).parent))
from account import Account  # noqa: E402: lies beside this file

ANNOUNCEMENT = json.loads(os.environ["CONTRACT_ANNOUNCEMENT"])
ROLE = os.environ["CONTRACT_ROLE"]
# Made-up values of these headers are no HTTP: such a request ends before there is an operation to answer it.
FRAMING = {"content-length", "transfer-encoding"}
# What names are called in bodies and queries.
NAMES = {"name", "username"}
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


@schemathesis.deserializer(*YAML_MEDIA_TYPES)
def text_of_yaml(context, response):
    """The text, as documented; it has to be YAML all the same."""
    text = response.content.decode()
    deserialize_yaml(text)
    return text


def is_rejected_in_names(character):
    """Whether only the parser rejects it: engines disagree about classes beyond ASCII, so that no pattern names it."""
    return not character.isascii() and (character.isspace() or unicodedata.category(character) == "Cc")


def with_good_names(fields):
    """The fields, with names that the patterns accept and the service, too."""
    return {
        key: "".join("x" if is_rejected_in_names(character) else character for character in value)
        if key in NAMES and isinstance(value, str)
        else value
        for key, value in fields.items()
    }


@schemathesis.hook
def map_case(context, case):
    """Requests are HTTP, and where they are meant to be valid, their names are so for the parser, too."""
    for name in [name for name in case.headers or {} if name.lower() in FRAMING]:
        del case.headers[name]
    if case.meta is not None and case.meta.generation.mode.is_positive:
        if isinstance(case.body, dict):
            case.body = with_good_names(case.body)
        if case.query:
            case.query = with_good_names(case.query)
    return case


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A malformed `If-None-Match` matches nothing (RFC 9110, section 13.1.2): the record is returned."""
    is_conditional = any(parameter.name == "If-None-Match" for parameter in case.operation.headers)
    if not isinstance(failure, AcceptedNegativeData) or not is_conditional or case.meta is None:
        return True
    negated = [place for place, component in case.meta.components.items() if component.mode.is_negative]
    return negated != [ParameterLocation.HEADER]


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
    elif operation == "replaceOwnPassword" and isinstance(case.body, dict):
        case.body["current_password"] = account.password
    elif operation == "deleteOwnSession" and ROLE != "anonymous" and path:
        path["id"] = account.new_session()


@schemathesis.hook
def after_call(context, case, response):
    """What was changed by the request has to be known afterwards."""
    if not asks_for_operation(case):
        return
    operation = case.operation.definition.raw.get("operationId")
    if operation == "replaceOwnPassword" and response.status_code == 204:
        account.password = case.body["new_password"]
    elif operation == "refreshToken" and response.status_code == 200:
        granted = response.json()
        account.access, account.refresh = granted["token"], granted["refresh_token"]
