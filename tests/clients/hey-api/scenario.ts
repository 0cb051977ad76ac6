// The scenario with the client that @hey-api/openapi-ts writes: zod schemas validate requests and answers at run time.

import { client } from "./generated/client.gen.js";
import * as api from "./generated/sdk.gen.js";
import type { Problem, Student, Token } from "./generated/types.gen.js";
import { zProblem } from "./generated/zod.gen.js";
import { check, step } from "./steps.js";

let tokens: Token | undefined;
client.setConfig({ baseUrl: process.env["ROLLBOOK_URL"] ?? "", auth: () => tokens?.token });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response?: Response;
}

function good<T>({ data, error, response }: Answer<T>): T {
  // What zod refuses comes as its error too, without a response where it is the request.
  const why = error instanceof Error ? error.message : JSON.stringify(error);
  check(data !== undefined, `${response?.status ?? "not sent"}: ${why}`);
  return data;
}

function refused({ error, response }: Answer<unknown>, status: number, type: string): Problem {
  check(response?.status === status, `the status is ${response?.status}, not ${status}`);
  // The client itself validates no answer but those of success.
  const problem = zProblem.parse(error);
  check(problem.type === type && problem.status === status, `the problem is ${problem.type}`);
  return problem;
}

let student: Student;
let tag = "";
const path = () => ({ id: student.id });

await step("log-in", async () => {
  tokens = good(await api.logIn({ body: { Username: "shantanu", Password: "password" } }));
});

await step("pages", async () => {
  const sizes: number[] = [];
  const ids = new Set<number>();
  let after: string | undefined;
  do {
    const page = good(await api.listStudents({ query: { limit: 10, after } }));
    page.students.forEach(({ id }) => ids.add(id));
    sizes.push(page.students.length);
    after = page.next ?? undefined;
  } while (after);
  check(sizes.join() === "10,10,5" && ids.size === 25, `pages of ${sizes.join()}, ${ids.size} students`);
});

await step("create", async () => {
  const body = { name: "Leela Menon", email: "leela.menon@example.org", roll_no: 4711, age: 22 };
  student = good(await api.createStudent({ body }));
  check(student.roll_no === 4711 && student.age === 22, "another student came back");
});

await step("read", async () => {
  const answer = await api.getStudent({ path: path() });
  check(good(answer).name === "Leela Menon", "another student was read");
  tag = answer.response?.headers.get("ETag") ?? "";
});

await step("stale", async () => {
  const change = (email: string) => api.updateStudent({ path: path(), headers: { "If-Match": tag }, body: { email } });
  good(await change("leela@example.org"));
  refused(await change("menon@example.org"), 412, "/problems/stale-version");
});

await step("null", async () => {
  const patched = good(await api.updateStudent({ path: path(), body: { age: null } }));
  const now = good(await api.getStudent({ path: path() }));
  check(patched.age === null && now.age === null, `the age is ${now.age}`);
  check(now.email === "leela@example.org", `the email address is ${now.email}`);
});

await step("422", async () => {
  const body = { current_password: "password", new_password: "shantanu's new password" };
  const { errors } = refused(await api.replaceOwnPassword({ body }), 422, "/problems/invalid-fields");
  const [fault] = errors ?? [];
  check(errors?.length === 1 && fault?.pointer === "/new_password", `it points at ${fault?.pointer}`);
  check(fault.detail.length > 0, "it names no rule");
});

await step("404", async () => {
  refused(await api.getStudent({ path: { id: 999_999 } }), 404, "/problems/record-not-found");
});

await step("refresh", async () => {
  const before = tokens;
  check(before !== undefined, "there is nothing to refresh");
  tokens = good(await api.refreshToken({ body: { refresh_token: before.refresh_token } }));
  check(tokens.refresh_token !== before.refresh_token, "the refresh token is the same");
  check(good(await api.getMe()).username === "shantanu", "another user is logged in");
});

await step("delete", async () => {
  const gone = await api.deleteStudent({ path: path() });
  check(gone.response?.status === 204, `the status is ${gone.response?.status}`);
  refused(await api.getStudent({ path: path() }), 404, "/problems/record-not-found");
});

await step("log-out", async () => {
  const { response } = await api.logOut();
  check(response?.status === 204, `the status is ${response?.status}`);
});

await step("401", async () => {
  refused(await api.getMe(), 401, "/problems/unauthorized");
});
