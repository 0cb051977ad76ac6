// The scenario with openapi-fetch, on the types that openapi-typescript writes.

import createClient from "openapi-fetch";
import type { components, paths } from "./generated/rollbook.js";
import { check, step } from "./steps.js";

type Problem = components["schemas"]["Problem"];
type Student = components["schemas"]["Student"];
type Token = components["schemas"]["Token"];

let tokens: Token | undefined;
const client = createClient<paths>({ baseUrl: process.env["ROLLBOOK_URL"] ?? "" });
client.use({
  onRequest({ request }) {
    if (tokens) {
      request.headers.set("Authorization", `${tokens.token_type} ${tokens.token}`);
    }
    return request;
  },
});

interface Answer<T> {
  data?: T;
  error?: Problem;
  response: Response;
}

function good<T>({ data, error, response }: Answer<T>): T {
  check(data !== undefined, `${response.status} ${error?.type}: ${error?.detail}`);
  return data;
}

function refused({ error, response }: Answer<unknown>, status: number, type: string): Problem {
  check(response.status === status, `the status is ${response.status}, not ${status}`);
  check(error?.type === type && error.status === status, `the problem is ${error?.type}`);
  return error;
}

let student: Student;
let tag = "";
const path = () => ({ id: student.id });

await step("log-in", async () => {
  tokens = good(await client.POST("/login", { body: { Username: "shantanu", Password: "password" } }));
});

await step("pages", async () => {
  const sizes: number[] = [];
  const ids = new Set<number>();
  let after: string | undefined;
  do {
    const page = good(await client.GET("/students", { params: { query: { limit: 10, after } } }));
    page.students.forEach(({ id }) => ids.add(id));
    sizes.push(page.students.length);
    after = page.next ?? undefined;
  } while (after);
  check(sizes.join() === "10,10,5" && ids.size === 25, `pages of ${sizes.join()}, ${ids.size} students`);
});

await step("create", async () => {
  const body = { name: "Leela Menon", email: "leela.menon@example.org", roll_no: 4711, age: 22 };
  student = good(await client.POST("/students", { body }));
  check(student.roll_no === 4711 && student.age === 22, "another student came back");
});

await step("read", async () => {
  const answer = await client.GET("/students/{id}", { params: { path: path() } });
  check(good(answer).name === "Leela Menon", "another student was read");
  tag = answer.response.headers.get("ETag") ?? "";
});

await step("stale", async () => {
  const change = (email: string) =>
    client.PATCH("/students/{id}", { params: { path: path(), header: { "If-Match": tag } }, body: { email } });
  good(await change("leela@example.org"));
  refused(await change("menon@example.org"), 412, "/problems/stale-version");
});

await step("null", async () => {
  const patched = good(await client.PATCH("/students/{id}", { params: { path: path() }, body: { age: null } }));
  const now = good(await client.GET("/students/{id}", { params: { path: path() } }));
  check(patched.age === null && now.age === null, `the age is ${now.age}`);
  check(now.email === "leela@example.org", `the email address is ${now.email}`);
});

await step("422", async () => {
  const body = { current_password: "password", new_password: "shantanu's new password" };
  const { errors } = refused(await client.PUT("/me/password", { body }), 422, "/problems/invalid-fields");
  const [fault] = errors ?? [];
  check(errors?.length === 1 && fault?.pointer === "/new_password", `it points at ${fault?.pointer}`);
  check(fault.detail.length > 0, "it names no rule");
});

await step("404", async () => {
  const answer = await client.GET("/students/{id}", { params: { path: { id: 999_999 } } });
  refused(answer, 404, "/problems/record-not-found");
});

await step("refresh", async () => {
  const before = tokens;
  check(before !== undefined, "there is nothing to refresh");
  tokens = good(await client.POST("/token/refresh", { body: { refresh_token: before.refresh_token } }));
  check(tokens.refresh_token !== before.refresh_token, "the refresh token is the same");
  check(good(await client.GET("/me")).username === "shantanu", "another user is logged in");
});

await step("delete", async () => {
  const gone = await client.DELETE("/students/{id}", { params: { path: path() } });
  check(gone.response.status === 204, `the status is ${gone.response.status}`);
  refused(await client.GET("/students/{id}", { params: { path: path() } }), 404, "/problems/record-not-found");
});

await step("log-out", async () => {
  const { response } = await client.POST("/logout");
  check(response.status === 204, `the status is ${response.status}`);
});

await step("401", async () => {
  refused(await client.GET("/me"), 401, "/problems/unauthorized");
});
