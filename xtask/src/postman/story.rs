//! What the document does not state: the user of each request, and what a request needs from earlier responses.

use super::step::{Bearer, Step};

/// An operation's own request, and what goes with it.
#[derive(Debug)]
pub struct Scene<'a> {
    pub before: Vec<Step<'a>>,
    pub own: Step<'a>,
    pub after: Vec<Step<'a>>,
    /// Whether it takes away what other operations of its folder need, and so comes behind them.
    pub last: bool,
}

/// What the collection needs beside what its answers set, each with its value at first.
pub const VARIABLES: [(&str, &str); 4] = [
    ("baseUrl", "http://127.0.0.1:8000"),
    ("username", "admin"),
    ("password", "password"),
    ("newcomerPassword", "quiet lamp above nine harbours"),
];

const ANONYMOUS: &str = "The provided auth token is not valid.Please request a new token and try again.";

/// The last of the page's sessions that are not this one.
const SPARE: &str = "body.sessions.filter((session) => !session.current).pop().id";

/// What goes with an operation's own request. One that is not named here is made as its examples say.
pub fn scene(operation: &str) -> Scene<'_> {
    let step = Step::of(operation);
    let mut scene = Scene { before: Vec::new(), own: step.clone(), after: Vec::new(), last: false };
    match operation {
        "logIn" => {
            scene.own = Step::log_in();
            scene.after.push(
                Step::log_in()
                    .called("Log in with a wrong password")
                    .sending(&[("Username", "{{username}}"), ("Password", "not the password")])
                    .keeping(&[])
                    .refused(401, &[("title", "Unauthorized"), ("description", "Invalid Credentials")]),
            );
        }
        "refreshToken" => {
            scene.own = step.sending(&[("refresh_token", "{{refreshToken}}")]).keeping(Step::log_in().keeps);
        }
        "logOut" => scene.own = step.by(Bearer::Spare),
        "listOwnSessions" => {
            scene.before = Bearer::Spare.log_in();
            scene.own = step.keeping(&[("sessionId", SPARE)]);
        }
        "deleteOwnSession" => scene.own = step.with(&[("id", Some("{{sessionId}}"))]),
        "replaceOwnPassword" => {
            scene.own = step.by(Bearer::Newcomer).sending(&[("current_password", "{{newcomerPassword}}")]);
            let newcomer = Step::of("deleteUser").called("Remove that user");
            scene.after.push(newcomer.with(&[("id", Some("{{newcomerId}}"))]));
        }
        _ => match operation {
            operation if operation.contains("Legacy") => articles(step.by(Bearer::Article), &mut scene),
            operation if operation.contains("Student") => scene.own = student(step),
            operation if operation.contains("User") => {
                scene.last = operation == "deleteUser";
                scene.own = user(step);
            }
            _ => {}
        },
    }
    scene
}

fn student(step: Step<'_>) -> Step<'_> {
    const TAG: (&str, &str) = ("studentTag", "answer.headers.get('ETag')");
    match step.operation {
        "createStudent" => step.keeping(&[("studentId", "body.id"), ("studentRollNo", "body.roll_no"), TAG]),
        "getStudent" => step.with(&[("id", Some("{{studentId}}")), ("If-None-Match", None)]).keeping(&[TAG]),
        "replaceStudent" | "updateStudent" | "deleteStudent" => {
            let keeps: &[_] = if step.operation == "deleteStudent" { &[] } else { &[TAG] };
            // The number of the example's student may be another's.
            let own: &[_] = if step.operation == "replaceStudent" { &[("roll_no", "{{studentRollNo}}")] } else { &[] };
            step.sending(own)
                .with(&[("id", Some("{{studentId}}")), ("If-Match", Some("{{studentTag}}"))])
                .keeping(keeps)
        }
        _ => step,
    }
}

fn user(step: Step<'_>) -> Step<'_> {
    const TAG: (&str, &str) = ("userTag", "answer.headers.get('ETag')");
    match step.operation {
        "createUser" => step.keeping(&[("userId", "body.id"), TAG]),
        "getUser" => step.with(&[("id", Some("{{userId}}")), ("If-None-Match", None)]).keeping(&[TAG]),
        "updateUser" => step.with(&[("id", Some("{{userId}}")), ("If-Match", Some("{{userTag}}"))]),
        "listUsers" => step,
        _ => step.with(&[("id", Some("{{userId}}")), ("If-Match", None)]),
    }
}

/// The articles' readers have seen these requests, and their answers word for word.
fn articles<'a>(step: Step<'a>, scene: &mut Scene<'a>) {
    const WRONG_ID: &[(&str, &str)] =
        &[("title", "Wrong Student id"), ("description", "Please provide valid author id to get info")];
    const CHANGED: &[(&str, Option<&str>)] = &[("student_id", Some("{{articleStudentId}}"))];
    let aside = step.clone().keeping(&[]);
    match step.operation {
        "listLegacyStudents" => {
            scene.before.push(
                aside
                    .clone()
                    .called("Read the roll without a token")
                    .by(Bearer::None)
                    .with(&[("name", None)])
                    .refused(401, &[("title", "Unauthorized"), ("description", ANONYMOUS)]),
            );
            scene.after.push(aside.called("Find a student by a part of the name").with(&[("name", Some("ash"))]));
            scene.own = step.with(&[("name", None)]);
        }
        "createLegacyStudent" => scene.own = step.keeping(&[("articleStudentId", "body.id")]),
        "updateLegacyStudent" => {
            scene.after.push(
                aside
                    .called("Change a student without saying which")
                    .with(&[("student_id", None)])
                    .refused(400, &[("msg", "Please re-verify the request")]),
            );
            scene.own = step.with(CHANGED);
        }
        "deleteLegacyStudent" => {
            scene.after.push(aside.called("Remove the student again").with(CHANGED).refused(400, WRONG_ID));
            scene.own = Step { says: &[("msg", "Record deleted...!!!")], ..step.with(CHANGED) };
        }
        _ => {}
    }
}
