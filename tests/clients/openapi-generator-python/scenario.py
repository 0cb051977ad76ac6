"""Scenario with the openapi-generator client python."""

import os
from collections.abc import Callable

from rollbook_client import (
    ApiClient,
    ApiException,
    Configuration,
    Credentials,
    PasswordChange,
    Problem,
    RefreshRequest,
    SessionsApi,
    StudentChange,
    StudentInput,
    StudentPatch,
    StudentsApi,
)

from steps import step


def rejected(call: Callable[[], object], status: int, kind: str) -> Problem:
    try:
        call()
    except ApiException as error:
        problem = error.data
        assert error.status == status, f"the status is {error.status}, not {status}"
        assert isinstance(problem, Problem), f"the body is not a problem: {error.body}"
        assert (problem.type, problem.status) == (kind, status), f"the problem is {problem.type}"
        return problem
    raise AssertionError("the request was not rejected")


configuration = Configuration(host=os.environ["ROLLBOOK_URL"])
client = ApiClient(configuration)
sessions = SessionsApi(client)
students = StudentsApi(client)

with step("log-in"):
    tokens = sessions.log_in(Credentials(Username="shantanu", Password="password"))
    configuration.access_token = tokens.token

with step("pages"):
    page = students.list_students(limit=10)
    pages = [page]
    while page.next is not None:
        page = students.list_students(limit=10, after=page.next)
        pages.append(page)
    sizes = [len(page.students) for page in pages]
    ids = {student.id for page in pages for student in page.students}
    assert (sizes, len(ids)) == ([10, 10, 5], 25), f"pages of {sizes}, {len(ids)} students"

with step("export"):
    lines = students.export_students_as_csv().splitlines()
    assert len(lines) == 26 and lines[0].startswith("id,name,"), f"{len(lines)} lines after {lines[0]}"

with step("create"):
    position = students.get_latest_student_change().token
    student = students.create_student(
        StudentInput(name="Leela Menon", email="leela.menon@example.org", roll_no=4711, age=22)
    )
    assert (student.roll_no, student.age) == (4711, 22), "the created student differs"

with step("read"):
    response = students.get_student_with_http_info(student.id)
    assert response.data.name == "Leela Menon", "the name differs"
    assert response.headers is not None, "there are no headers"
    # The client stores the headers in a case-sensitive mapping, and the server sends lower-case names.
    tag = response.headers["etag"]

with step("stale"):
    students.update_student(student.id, StudentPatch(email="leela@example.org"), if_match=tag)
    change = StudentPatch(email="menon@example.org")
    rejected(lambda: students.update_student(student.id, change, if_match=tag), 412, "/problems/stale-version")

with step("null"):
    patched = students.update_student(student.id, StudentPatch(age=None))
    now = students.get_student(student.id)
    assert patched.age is None and now.age is None, f"the age is {now.age}"
    assert now.email == "leela@example.org", f"the email address is {now.email}"

with step("422"):
    password_change = PasswordChange(current_password="password", new_password="shantanu's new password")
    problem = rejected(lambda: sessions.replace_own_password(password_change), 422, "/problems/invalid-fields")
    assert problem.errors is not None, "the problem has no field errors"
    [field_error] = problem.errors
    assert field_error.pointer == "/new_password", f"the pointer is {field_error.pointer}"
    assert field_error.detail, "the field error has no detail"

with step("404"):
    rejected(lambda: students.get_student(999_999), 404, "/problems/record-not-found")

with step("refresh"):
    refreshed = sessions.refresh_token(RefreshRequest(refresh_token=tokens.refresh_token))
    assert refreshed.refresh_token != tokens.refresh_token, "the refresh token is the same"
    configuration.access_token = refreshed.token
    assert sessions.get_me().username == "shantanu", "another user is logged in"

with step("delete"):
    students.delete_student(student.id)
    rejected(lambda: students.get_student(student.id), 404, "/problems/record-not-found")

with step("follow"):
    changes: list[StudentChange] = []
    has_more = True
    while has_more:
        part = students.list_student_changes(position, limit=3, wait=1)
        changes += part.changes
        has_more, position = part.has_more, part.next
    versions = [change.version for change in changes if change.student_id == student.id]
    assert versions == [1, 2, 3, 4] and changes[3].student is None, f"the versions are {versions}"

with step("log-out"):
    sessions.log_out()

with step("401"):
    rejected(sessions.get_me, 401, "/problems/unauthorized")
