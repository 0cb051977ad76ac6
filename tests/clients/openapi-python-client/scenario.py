"""Scenario with the client of openapi-python-client."""

import os
from typing import TypeVar

from rollbook_client import AuthenticatedClient, Client
from rollbook_client.api.sessions import get_me, log_in, log_out, refresh_token, replace_own_password
from rollbook_client.api.students import (
    create_student,
    delete_student,
    export_students_as_csv,
    get_latest_student_change,
    get_student,
    list_student_changes,
    list_students,
    update_student,
)
from rollbook_client.models import (
    Credentials,
    Me,
    PasswordChange,
    Problem,
    RefreshRequest,
    Student,
    StudentChange,
    StudentChangePosition,
    StudentChanges,
    StudentInput,
    StudentPage,
    StudentPatch,
    Token,
)
from rollbook_client.types import UNSET, Response, Unset

from steps import step

T = TypeVar("T")

URL = os.environ["ROLLBOOK_URL"]


def unwrap(response: Response[T | Problem], kind: type[T]) -> T:
    assert isinstance(response.parsed, kind), f"{response.status_code}: {response.parsed}"
    return response.parsed


def rejected(response: Response[T | Problem], status: int, kind: str) -> Problem:
    assert response.status_code == status, f"the status is {response.status_code}, not {status}"
    problem = response.parsed
    assert isinstance(problem, Problem), f"the body is not a problem: {problem}"
    assert (problem.type_, problem.status) == (kind, status), f"the problem is {problem.type_}"
    return problem


def bearer(tokens: Token) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=URL, token=tokens.token)


anonymous = Client(base_url=URL)

with step("log-in"):
    credentials = Credentials(username="shantanu", password="password")
    tokens = unwrap(log_in.sync_detailed(client=anonymous, body=credentials), Token)
    client = bearer(tokens)

with step("pages"):
    sizes: list[int] = []
    ids: set[int] = set()
    after: str | None | Unset = UNSET
    while after is not None:
        page = unwrap(list_students.sync_detailed(client=client, limit=10, after=after), StudentPage)
        sizes.append(len(page.students))
        ids.update(student.id for student in page.students)
        after = page.next_
    assert (sizes, len(ids)) == ([10, 10, 5], 25), f"pages of {sizes}, {len(ids)} students"

with step("export"):
    lines = unwrap(export_students_as_csv.sync_detailed(client=client), str).splitlines()
    assert len(lines) == 26 and lines[0].startswith("id,name,"), f"{len(lines)} lines after {lines[0]}"

with step("create"):
    position = unwrap(get_latest_student_change.sync_detailed(client=client), StudentChangePosition).token
    body = StudentInput(name="Leela Menon", email="leela.menon@example.org", roll_no=4711, age=22)
    student = unwrap(create_student.sync_detailed(client=client, body=body), Student)
    assert (student.roll_no, student.age) == (4711, 22), "the created student differs"

with step("read"):
    response = get_student.sync_detailed(student.id, client=client)
    assert unwrap(response, Student).name == "Leela Menon", "the name differs"
    tag = response.headers["ETag"]

with step("stale"):
    changed = update_student.sync_detailed(
        student.id, client=client, if_match=tag, body=StudentPatch(email="leela@example.org")
    )
    unwrap(changed, Student)
    changed = update_student.sync_detailed(
        student.id, client=client, if_match=tag, body=StudentPatch(email="menon@example.org")
    )
    rejected(changed, 412, "/problems/stale-version")

with step("null"):
    patched = unwrap(update_student.sync_detailed(student.id, client=client, body=StudentPatch(age=None)), Student)
    now = unwrap(get_student.sync_detailed(student.id, client=client), Student)
    assert patched.age is None and now.age is None, f"the age is {now.age}"
    assert now.email == "leela@example.org", f"the email address is {now.email}"

with step("422"):
    change = PasswordChange(current_password="password", new_password="shantanu's new password")
    problem = rejected(replace_own_password.sync_detailed(client=client, body=change), 422, "/problems/invalid-fields")
    assert not isinstance(problem.errors, Unset), "the problem has no field errors"
    [field_error] = problem.errors
    assert field_error.pointer == "/new_password", f"the pointer is {field_error.pointer}"
    assert field_error.detail, "the field error has no detail"

with step("404"):
    rejected(get_student.sync_detailed(999_999, client=client), 404, "/problems/record-not-found")

with step("refresh"):
    request = RefreshRequest(refresh_token=tokens.refresh_token)
    refreshed = unwrap(refresh_token.sync_detailed(client=anonymous, body=request), Token)
    assert refreshed.refresh_token != tokens.refresh_token, "the refresh token is the same"
    client = bearer(refreshed)
    assert unwrap(get_me.sync_detailed(client=client), Me).username == "shantanu", "another user is logged in"

with step("delete"):
    deleted = delete_student.sync_detailed(student.id, client=client)
    assert deleted.status_code == 204, f"the status is {deleted.status_code}"
    rejected(get_student.sync_detailed(student.id, client=client), 404, "/problems/record-not-found")

with step("follow"):
    changes: list[StudentChange] = []
    has_more = True
    while has_more:
        part = unwrap(
            list_student_changes.sync_detailed(client=client, after=position, limit=3, wait=1), StudentChanges
        )
        changes += part.changes
        has_more, position = part.has_more, part.next_
    versions = [change.version for change in changes if change.student_id == student.id]
    assert versions == [1, 2, 3, 4] and changes[3].student is None, f"the versions are {versions}"

with step("log-out"):
    logged_out = log_out.sync_detailed(client=client)
    assert logged_out.status_code == 204, f"the status is {logged_out.status_code}"

with step("401"):
    rejected(get_me.sync_detailed(client=client), 401, "/problems/unauthorized")
