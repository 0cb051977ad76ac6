//! The scenario with the client that openapi-generator writes as rust.

mod step;

use std::collections::BTreeSet;

use rollbook_client::apis::Error;
use rollbook_client::apis::configuration::Configuration;
use rollbook_client::apis::sessions_api::{get_me, log_in, log_out, refresh_token, replace_own_password};
use rollbook_client::apis::students_api::{create_student, delete_student, get_student, list_students, update_student};
use rollbook_client::models::{
    Credentials, PasswordChange, Problem, RefreshRequest, Student, StudentInput, StudentPatch, Token,
};

use step::{Outcome, check, step};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut client = Configuration::new();
    client.base_path = std::env::var("ROLLBOOK_URL").unwrap_or_default();

    let tokens = step("log-in", logged_in(&mut client).await);
    step("pages", all_pages(&client).await);
    let student = step("create", created(&client).await);
    let tag = step("read", read(&client, student.id).await);
    step("stale", stale_is_refused(&client, student.id, &tag).await);
    step("null", null_forgets(&client, student.id).await);
    step("422", faults_are_read(&client).await);
    step("404", unknown_is_refused(&client, 999_999).await);
    step("refresh", refreshed(&mut client, &tokens).await);
    step("delete", deleted(&client, student.id).await);
    step("log-out", log_out(&client).await.map_err(Into::into));
    step("401", token_is_refused(&client).await);
}

async fn logged_in(client: &mut Configuration) -> Outcome<Token> {
    let tokens = log_in(client, Credentials::new("shantanu".into(), "password".into())).await?;
    client.bearer_access_token = Some(tokens.token.clone());
    Ok(tokens)
}

async fn all_pages(client: &Configuration) -> Outcome<()> {
    let (mut sizes, mut ids) = (Vec::new(), BTreeSet::new());
    let mut after: Option<String> = None;
    loop {
        let page = list_students(client, Some(10), after.as_deref(), None, None).await?;
        sizes.push(page.students.len());
        ids.extend(page.students.iter().map(|student| student.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    check(sizes == [10, 10, 5] && ids.len() == 25, format!("pages of {sizes:?}, {} students", ids.len()))
}

async fn created(client: &Configuration) -> Outcome<Student> {
    let mut input = StudentInput::new("Leela Menon".into(), "leela.menon@example.org".into(), 4711);
    input.age = Some(Some(22));
    let student = create_student(client, input).await?;
    check(student.roll_no == 4711 && student.age == Some(22), "another student came back")?;
    Ok(student)
}

/// Gives the entity tag: that of the body, for this client gives no headers.
async fn read(client: &Configuration, id: i64) -> Outcome<String> {
    let student = get_student(client, id, None).await?;
    check(student.name == "Leela Menon", "another student was read")?;
    Ok(student.etag)
}

async fn stale_is_refused(client: &Configuration, id: i64, tag: &str) -> Outcome<()> {
    let change = |email: &str| StudentPatch { email: Some(email.into()), ..StudentPatch::new() };
    update_student(client, id, change("leela@example.org"), Some(tag)).await?;
    let stale = update_student(client, id, change("menon@example.org"), Some(tag)).await;
    refused(stale, 412, "/problems/stale-version").map(drop)
}

async fn null_forgets(client: &Configuration, id: i64) -> Outcome<()> {
    let forget = StudentPatch { age: Some(None), ..StudentPatch::new() };
    let patched = update_student(client, id, forget, None).await?;
    let now = get_student(client, id, None).await?;
    check(patched.age.is_none() && now.age.is_none(), format!("the age is {:?}", now.age))?;
    check(now.email == "leela@example.org", format!("the email address is {}", now.email))
}

async fn faults_are_read(client: &Configuration) -> Outcome<()> {
    let change = PasswordChange::new("password".into(), "shantanu's new password".into());
    let problem = refused(replace_own_password(client, change).await, 422, "/problems/invalid-fields")?;
    let faults = problem.errors.unwrap_or_default();
    check(faults.len() == 1, format!("{} fields are at fault", faults.len()))?;
    check(faults[0].pointer.as_deref() == Some("/new_password"), format!("it points at {:?}", faults[0].pointer))?;
    check(!faults[0].detail.is_empty(), "it names no rule")
}

async fn unknown_is_refused(client: &Configuration, id: i64) -> Outcome<()> {
    refused(get_student(client, id, None).await, 404, "/problems/record-not-found").map(drop)
}

async fn refreshed(client: &mut Configuration, before: &Token) -> Outcome<()> {
    let tokens = refresh_token(client, RefreshRequest::new(before.refresh_token.clone())).await?;
    check(tokens.refresh_token != before.refresh_token, "the refresh token is the same")?;
    client.bearer_access_token = Some(tokens.token);
    check(get_me(client).await?.username == "shantanu", "another user is logged in")
}

async fn deleted(client: &Configuration, id: i64) -> Outcome<()> {
    delete_student(client, id, None).await?;
    unknown_is_refused(client, id).await
}

async fn token_is_refused(client: &Configuration) -> Outcome<()> {
    refused(get_me(client).await, 401, "/problems/unauthorized").map(drop)
}

/// Reads the answer as the problem it has to be. The client has read it too, but as an enum of one variant a status,
/// and always as the first: this reads the same in one line.
fn refused<T, E>(answer: Result<T, Error<E>>, status: u16, kind: &str) -> Outcome<Problem>
where
    E: std::fmt::Debug + 'static,
{
    let content = match answer {
        Ok(_) => return Err("it was not refused".into()),
        Err(Error::ResponseError(content)) => content,
        Err(error) => return Err(error.into()),
    };
    check(content.status == status, format!("the status is {}, not {status}", content.status))?;
    let problem: Problem = serde_json::from_str(&content.content)?;
    let is_it = problem.r#type == kind && problem.status == i32::from(status);
    check(is_it, format!("the problem is {}", problem.r#type))?;
    Ok(problem)
}
