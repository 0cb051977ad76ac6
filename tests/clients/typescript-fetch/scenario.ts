// Scenario with the openapi-generator client typescript-fetch.

import {
  Configuration,
  type Problem,
  ProblemFromJSON,
  ResponseError,
  SessionsApi,
  type Student,
  type StudentChange,
  StudentsApi,
  type Token,
} from "./generated/index.js";
import { check, step } from "./steps.js";

let tokens: Token | undefined;
const configuration = new Configuration({
  basePath: process.env["ROLLBOOK_URL"] ?? "",
  accessToken: () => tokens?.token ?? "",
});
const sessions = new SessionsApi(configuration);
const students = new StudentsApi(configuration);

async function rejected(call: Promise<unknown>, status: number, type: string): Promise<Problem> {
  const error: unknown = await call.then(
    () => new Error("the request was not rejected"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ResponseError)) {
    throw error;
  }
  check(error.response.status === status, `the status is ${error.response.status}, not ${status}`);
  const problem = ProblemFromJSON(await error.response.json());
  check(problem.type === type && problem.status === status, `the problem is ${problem.type}`);
  return problem;
}

let student: Student;
let tag = "";
let position = "";

await step("log-in", async () => {
  tokens = await sessions.logIn({ credentials: { username: "shantanu", password: "password" } });
});

await step("pages", async () => {
  const sizes: number[] = [];
  const ids = new Set<number>();
  let after: string | undefined;
  do {
    const page = await students.listStudents({ limit: 10, after });
    page.students.forEach(({ id }) => ids.add(id));
    sizes.push(page.students.length);
    after = page.next ?? undefined;
  } while (after);
  check(sizes.join() === "10,10,5" && ids.size === 25, `pages of ${sizes.join()}, ${ids.size} students`);
});

await step("export", async () => {
  const lines = (await students.exportStudentsAsCsv()).trimEnd().split("\r\n");
  check(lines.length === 26 && lines[0]?.startsWith("id,name,") === true, `${lines.length} lines after ${lines[0]}`);
});

await step("create", async () => {
  position = (await students.getLatestStudentChange()).token;
  const studentInput = { name: "Leela Menon", email: "leela.menon@example.org", rollNo: 4711, age: 22 };
  student = await students.createStudent({ studentInput });
  check(student.rollNo === 4711 && student.age === 22, "the created student differs");
});

await step("read", async () => {
  const response = await students.getStudentRaw({ id: student.id });
  check((await response.value()).name === "Leela Menon", "the name differs");
  tag = response.raw.headers.get("ETag") ?? "";
});

await step("stale", async () => {
  const change = (email: string) =>
    students.updateStudent({ id: student.id, ifMatch: tag, studentPatch: { email } });
  await change("leela@example.org");
  await rejected(change("menon@example.org"), 412, "/problems/stale-version");
});

await step("null", async () => {
  const patched = await students.updateStudent({ id: student.id, studentPatch: { age: null } });
  const now = await students.getStudent({ id: student.id });
  check(patched.age === null && now.age === null, `the age is ${now.age}`);
  check(now.email === "leela@example.org", `the email address is ${now.email}`);
});

await step("422", async () => {
  const passwordChange = { currentPassword: "password", newPassword: "shantanu's new password" };
  const { errors } = await rejected(sessions.replaceOwnPassword({ passwordChange }), 422, "/problems/invalid-fields");
  const [fieldError] = errors ?? [];
  check(errors?.length === 1 && fieldError?.pointer === "/new_password", `the pointer is ${fieldError?.pointer}`);
  check(fieldError.detail.length > 0, "the field error has no detail");
});

await step("404", async () => {
  await rejected(students.getStudent({ id: 999_999 }), 404, "/problems/record-not-found");
});

await step("refresh", async () => {
  const before = tokens;
  check(before !== undefined, "there are no tokens");
  tokens = await sessions.refreshToken({ refreshRequest: { refreshToken: before.refreshToken } });
  check(tokens.refreshToken !== before.refreshToken, "the refresh token is the same");
  check((await sessions.getMe()).username === "shantanu", "another user is logged in");
});

await step("delete", async () => {
  await students.deleteStudent({ id: student.id });
  await rejected(students.getStudent({ id: student.id }), 404, "/problems/record-not-found");
});

await step("follow", async () => {
  const changes: StudentChange[] = [];
  for (let more = true; more; ) {
    const part = await students.listStudentChanges({ after: position, limit: 3, wait: 1 });
    changes.push(...part.changes);
    [more, position] = [part.hasMore, part.next];
  }
  const versions = changes.filter((change) => change.studentId === student.id).map(({ version }) => version);
  check(versions.join() === "1,2,3,4" && changes[3]?.student === null, `the versions are ${versions.join()}`);
});

await step("log-out", async () => {
  await sessions.logOut();
});

await step("401", async () => {
  await rejected(sessions.getMe(), 401, "/problems/unauthorized");
});
