"""Hooks for schemathesis: authentication, and conditions of valid requests that a schema cannot express."""

import collections
import json
import os
import re
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote

import schemathesis
from schemathesis.core.deserialization import deserialize_yaml
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.media_types import YAML_MEDIA_TYPES
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData

sys.path.insert(0, str(Path(__file__).parent))
from account import Account  # noqa: E402: in this folder

ANNOUNCEMENT = json.loads(os.environ["CONTRACT_ANNOUNCEMENT"])
ROLE = os.environ["CONTRACT_ROLE"]
# Generated values of these headers break the framing of the request, so that it reaches no operation.
FRAMING = {"content-length", "transfer-encoding"}
# A query of several such values fits into a target of 16 KiB.
MAX_ENCODED = 2_000
# Rejections of valid requests, which depend on the store. The status alone is ambiguous: 400 is also a malformed request.
EXPECTED_PROBLEMS = {
    "createLegacyStudent": {"/problems/invalid-student-data"},
    "updateLegacyStudent": {"/problems/invalid-student-data", "/problems/wrong-student-id"},
    "deleteLegacyStudent": {"/problems/wrong-student-id"},
}
# Valid passwords without common characters: a new password must not contain the username.
NEW_PASSWORDS = ("grey geese over a marsh", "5183 7204 6915 3847")
# The operation whose `after` is a token of the feed of changes, not a cursor.
FEED = "listStudentChanges"
# The property with a roll number.
ROLL_NUMBERS = {"createStudent": "roll_no", "replaceStudent": "roll_no", "createLegacyStudent": "rollno"}
SPARE = next(str(user["id"]) for user in ANNOUNCEMENT["users"] if user["username"] == "spare")

# Anonymous requests send no token, but may log in.
account = Account(ANNOUNCEMENT, "viewer" if ROLE == "anonymous" else ROLE)
calls = collections.Counter()
roll_numbers = iter(ANNOUNCEMENT["unused_roll_numbers"])

if ROLE != "anonymous":

    # No caching: each request may invalidate the token.
    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        """Authenticates each request with a valid token."""

        def get(self, case, context):
            return account.token()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.deserializer(*YAML_MEDIA_TYPES)
def text_of_yaml(context, response):
    """Returns the body as text, as documented. Fails if it is not YAML."""
    text = response.content.decode()
    deserialize_yaml(text)
    return text


def is_rejected_in_names(character):
    """Whether the server rejects a character that the patterns accept: regex engines differ on classes beyond ASCII."""
    return not character.isascii() and (character.isspace() or unicodedata.category(character) == "Cc")


def is_not_ascii(character):
    return not character.isascii()


# Characters that are replaced in text, by the name of the property or query parameter. RFC 8265 rejects many characters in
# usernames, and external ids are printable.
REPLACED = {"name": is_rejected_in_names, "username": is_not_ascii, "external_id": is_not_ascii}


def with_valid_text(fields):
    """Returns the fields with text that the patterns and the server accept."""
    return {
        key: "".join("x" if REPLACED[key](character) else character for character in value)
        if key in REPLACED and isinstance(value, str)
        else value
        for key, value in fields.items()
    }


# A value of each order, as in cursors. The others have none.
SORT_VALUES = {"name": ".t61", "username": ".t61", "roll_no": ".n0000000000000007"}


def with_one_order(query):
    """Returns the query with a cursor of the same order, which is that of the id in a search."""
    if not isinstance(query.get("after"), str) and "sort" not in query:
        return query
    query = {key: value for key, value in query.items() if key != "sort" or "name" not in query}
    order = query.get("sort", "id")
    if isinstance(query.get("after"), str):
        suffix = "" if order == "id" else f".{order}{SORT_VALUES.get(str(order).removeprefix('-'), '')}"
        query["after"] = query["after"][:16] + suffix
    return query


def with_change_token(query):
    """Returns the query with a token of the server's feed, because random ones are of others, and with a short time to wait."""
    token = ANNOUNCEMENT["change_token"]
    is_of_feed = str(query.get("after")).startswith(token[:16])
    return {**query, **({} if is_of_feed else {"after": token}), **({"wait": 1} if "wait" in query else {})}


def with_short_target(query):
    """Returns the query with text of the same length, but of ASCII letters where its encoding would exceed that of a target."""
    return {
        key: "z" * len(value) if isinstance(value, str) and len(quote(value)) > MAX_ENCODED else value
        for key, value in query.items()
    }


@schemathesis.hook
def map_case(context, case):
    """Removes framing headers, shortens targets that no operation receives, and makes text in positive cases valid."""
    for name in [name for name in case.headers or {} if name.lower() in FRAMING]:
        del case.headers[name]
    if case.query:
        case.query = with_short_target(case.query)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        if isinstance(case.body, dict):
            case.body = with_valid_text(case.body)
        if case.query:
            query = with_valid_text(case.query)
            case.query = with_change_token(query) if operation_id(case) == FEED else with_one_order(query)
    return case


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Ignores the expected rejections of valid requests, and the acceptance of a malformed `If-None-Match`.

    The latter matches no tag (RFC 9110, section 13.1.2).
    """
    if isinstance(failure, RejectedPositiveData) and response.status_code == 410:
        return operation_id(case) != FEED
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        if response.json().get("type") == "/problems/malformed-condition":
            return has_documented_condition(case)
        expected = EXPECTED_PROBLEMS.get(operation_id(case), set())
        return response.json().get("type") not in expected
    is_conditional = any(parameter.name == "If-None-Match" for parameter in case.operation.headers)
    if not isinstance(failure, AcceptedNegativeData) or not is_conditional or case.meta is None:
        return True
    negated = [place for place, component in case.meta.components.items() if component.mode.is_negative]
    return negated != [ParameterLocation.HEADER]


def has_documented_condition(case):
    """Whether `If-Match` has its documented form: the coverage phase also counts the number 0 as valid text."""
    schema = next(parameter.definition["schema"] for parameter in case.operation.headers if parameter.name == "If-Match")
    return re.search(schema["pattern"], str((case.headers or {}).get("If-Match", ""))) is not None


def operation_id(case):
    return case.operation.definition.raw.get("operationId")


def calls_operation(case):
    """Whether the request has the operation's method: some checks send others, such as OPTIONS."""
    return case.method.upper() == case.operation.method.upper()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Sets what cannot be generated: passwords; in every second case, credentials, free roll numbers and session ids."""
    operation = operation_id(case)
    path = case.path_parameters
    # The administrator `spare` restores users, so writes to it are redirected to the fuzzing user.
    if case.path.startswith("/users/") and case.method.upper() != "GET" and path and str(path.get("id")) == SPARE:
        path["id"] = account.id
    if case.meta is None or not case.meta.generation.mode.is_positive or not calls_operation(case):
        return
    calls[operation] += 1
    body = case.body if isinstance(case.body, dict) else {}
    if operation == "createUser" and "password" in body:
        username = str(body.get("username")).casefold()
        body["password"] = next(password for password in NEW_PASSWORDS if username not in password)
    elif operation == "replaceOwnPassword" and body:
        # Different from the current one.
        body["new_password"] = f"{NEW_PASSWORDS[0]} {calls[operation]}"
        body["current_password"] = account.password
    if calls[operation] % 2 == 0:
        return
    if operation in ROLL_NUMBERS and ROLL_NUMBERS[operation] in body:
        body[ROLL_NUMBERS[operation]] = next(roll_numbers, body[ROLL_NUMBERS[operation]])
    if operation == "logIn":
        case.body = {"Username": account.username, "Password": account.password}
    elif operation == "refreshToken":
        account.token()
        case.body = {"refresh_token": account.refresh}
    elif operation == "deleteOwnSession" and ROLE != "anonymous" and path:
        path["id"] = account.new_session()


@schemathesis.hook
def after_call(context, case, response):
    """Records a changed password and rotated tokens."""
    if not calls_operation(case):
        return
    operation = operation_id(case)
    if operation == "replaceOwnPassword" and response.status_code == 204:
        account.password = case.body["new_password"]
    elif operation == "refreshToken" and response.status_code == 200:
        tokens = response.json()
        account.access, account.refresh = tokens["token"], tokens["refresh_token"]
