// Scenario with the client of @hey-api/openapi-ts. Its zod schemas validate requests and responses at run time.

import { client } from "./generated/client.gen.js";
import * as api from "./generated/sdk.gen.js";
import type { Problem, Student, StudentChange, Token } from "./generated/types.gen.js";
import { zProblem } from "./generated/zod.gen.js";
import { check, step } from "./steps.js";

let tokens: Token | undefined;
client.setConfig({ baseUrl: process.env["ROLLBOOK_URL"] ?? "", auth: () => tokens?.token });

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response?: Response;
}

function unwrap<T>({ data, error, response }: Outcome<T>): T {
  // A validation error of zod is an error as well. If the request is invalid, there is no response.
  const message = error instanceof Error ? error.message : JSON.stringify(error);
  check(data !== undefined, `${response?.status ?? "not sent"}: ${message}`);
  return data;
}

function rejected({ error, response }: Outcome<unknown>, status: number, type: string): Problem {
  check(response?.status === status, `the status is ${response?.status}, not ${status}`);
  // The client validates only successful responses.
  const problem = zProblem.parse(error);
  check(problem.type === type && problem.status === status, `the problem is ${problem.type}`);
  return problem;
}

let student: Student;
let tag = "";
let position = "";
const path = () => ({ id: student.id });

await step("log-in", async () => {
  tokens = unwrap(await api.logIn({ body: { Username: "shantanu", Password: "password" } }));
});

await step("pages", async () => {
  const sizes: number[] = [];
  const ids = new Set<number>();
  let after: string | undefined;
  do {
    const page = unwrap(await api.listStudents({ query: { limit: 10, after } }));
    page.students.forEach(({ id }) => ids.add(id));
    sizes.push(page.students.length);
    after = page.next ?? undefined;
  } while (after);
  check(sizes.join() === "10,10,5" && ids.size === 25, `pages of ${sizes.join()}, ${ids.size} students`);
});

await step("export", async () => {
  const lines = unwrap(await api.exportStudentsAsCsv()).trimEnd().split("\r\n");
  check(lines.length === 26 && lines[0]?.startsWith("id,name,") === true, `${lines.length} lines after ${lines[0]}`);
});

await step("create", async () => {
  position = unwrap(await api.getLatestStudentChange()).token;
  const body = { name: "Leela Menon", email: "leela.menon@example.org", roll_no: 4711, age: 22 };
  student = unwrap(await api.createStudent({ body }));
  check(student.roll_no === 4711 && student.age === 22, "the created student differs");
});

await step("read", async () => {
  const result = await api.getStudent({ path: path() });
  check(unwrap(result).name === "Leela Menon", "the name differs");
  tag = result.response?.headers.get("ETag") ?? "";
});

await step("stale", async () => {
  const change = (email: string) => api.updateStudent({ path: path(), headers: { "If-Match": tag }, body: { email } });
  unwrap(await change("leela@example.org"));
  rejected(await change("menon@example.org"), 412, "/problems/stale-version");
});

await step("null", async () => {
  const patched = unwrap(await api.updateStudent({ path: path(), body: { age: null } }));
  const now = unwrap(await api.getStudent({ path: path() }));
  check(patched.age === null && now.age === null, `the age is ${now.age}`);
  check(now.email === "leela@example.org", `the email address is ${now.email}`);
});

await step("422", async () => {
  const body = { current_password: "password", new_password: "shantanu's new password" };
  const { errors } = rejected(await api.replaceOwnPassword({ body }), 422, "/problems/invalid-fields");
  const [fieldError] = errors ?? [];
  check(errors?.length === 1 && fieldError?.pointer === "/new_password", `the pointer is ${fieldError?.pointer}`);
  check(fieldError.detail.length > 0, "the field error has no detail");
});

await step("404", async () => {
  rejected(await api.getStudent({ path: { id: 999_999 } }), 404, "/problems/record-not-found");
});

await step("refresh", async () => {
  const before = tokens;
  check(before !== undefined, "there are no tokens");
  tokens = unwrap(await api.refreshToken({ body: { refresh_token: before.refresh_token } }));
  check(tokens.refresh_token !== before.refresh_token, "the refresh token is the same");
  check(unwrap(await api.getMe()).username === "shantanu", "another user is logged in");
});

await step("delete", async () => {
  const result = await api.deleteStudent({ path: path() });
  check(result.response?.status === 204, `the status is ${result.response?.status}`);
  rejected(await api.getStudent({ path: path() }), 404, "/problems/record-not-found");
});

await step("follow", async () => {
  const changes: StudentChange[] = [];
  for (let more = true; more; ) {
    const part = unwrap(await api.listStudentChanges({ query: { after: position, limit: 3, wait: 1 } }));
    changes.push(...part.changes);
    [more, position] = [part.has_more, part.next];
  }
  const versions = changes.filter((change) => change.student_id === student.id).map(({ version }) => Number(version));
  check(versions.join() === "1,2,3,4" && changes[3]?.student === null, `the versions are ${versions.join()}`);
});

await step("log-out", async () => {
  const { response } = await api.logOut();
  check(response?.status === 204, `the status is ${response?.status}`);
});

await step("401", async () => {
  rejected(await api.getMe(), 401, "/problems/unauthorized");
});
