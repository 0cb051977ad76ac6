//! Scenario with the openapi-generator client rust.

mod step;

use std::collections::BTreeSet;

use rollbook_client::apis::Error;
use rollbook_client::apis::configuration::Configuration;
use rollbook_client::apis::sessions_api::{get_me, log_in, log_out, refresh_token, replace_own_password};
use rollbook_client::apis::students_api::{
    create_student, delete_student, get_latest_student_change, get_student, list_student_changes, list_students,
    update_student,
};
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
    step("export", exported(&client).await);
    let (position, student) = step("create", created(&client).await);
    let tag = step("read", read(&client, student.id).await);
    step("stale", stale_tag_is_rejected(&client, student.id, &tag).await);
    step("null", null_deletes_age(&client, student.id).await);
    step("422", invalid_field_is_reported(&client).await);
    step("404", unknown_id_is_rejected(&client, 999_999).await);
    step("refresh", refreshed(&mut client, &tokens).await);
    step("delete", deleted(&client, student.id).await);
    step("follow", changes_are_found(&client, student.id, position).await);
    step("log-out", log_out(&client).await.map_err(Into::into));
    step("401", token_is_rejected(&client).await);
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
        let page = list_students(client, Some(10), after.as_deref(), None, None, None, None, None).await?;
        sizes.push(page.students.len());
        ids.extend(page.students.iter().map(|student| student.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    check(sizes == [10, 10, 5] && ids.len() == 25, format!("pages of {sizes:?}, {} students", ids.len()))
}

/// Requests the file without the generated function, because that supports no text but `text/plain`.
async fn exported(client: &Configuration) -> Outcome<()> {
    let request = client.client.get(format!("{}/students.csv", client.base_path));
    let text = request.bearer_auth(client.bearer_access_token.as_deref().unwrap_or_default()).send().await?.text().await?;
    check(text.lines().count() == 26 && text.starts_with("id,name,"), format!("the file is {text}"))
}

/// Returns the position in the changes before the creation, and the student.
async fn created(client: &Configuration) -> Outcome<(String, Student)> {
    let position = get_latest_student_change(client).await?.token;
    let mut input = StudentInput::new("Leela Menon".into(), "leela.menon@example.org".into(), 4711);
    input.age = Some(Some(22));
    let student = create_student(client, input).await?;
    check(student.roll_no == 4711 && student.age == Some(22), "the created student differs")?;
    Ok((position, student))
}

/// Returns the entity tag of the body, because this client does not return headers.
async fn read(client: &Configuration, id: i64) -> Outcome<String> {
    let student = get_student(client, id, None).await?;
    check(student.name == "Leela Menon", "the name differs")?;
    Ok(student.etag)
}

async fn stale_tag_is_rejected(client: &Configuration, id: i64, tag: &str) -> Outcome<()> {
    let change = |email: &str| StudentPatch { email: Some(email.into()), ..StudentPatch::new() };
    update_student(client, id, change("leela@example.org"), Some(tag)).await?;
    let stale = update_student(client, id, change("menon@example.org"), Some(tag)).await;
    rejected(stale, 412, "/problems/stale-version").map(drop)
}

async fn null_deletes_age(client: &Configuration, id: i64) -> Outcome<()> {
    let patch = StudentPatch { age: Some(None), ..StudentPatch::new() };
    let patched = update_student(client, id, patch, None).await?;
    let now = get_student(client, id, None).await?;
    check(patched.age.is_none() && now.age.is_none(), format!("the age is {:?}", now.age))?;
    check(now.email == "leela@example.org", format!("the email address is {}", now.email))
}

async fn invalid_field_is_reported(client: &Configuration) -> Outcome<()> {
    let change = PasswordChange::new("password".into(), "shantanu's new password".into());
    let problem = rejected(replace_own_password(client, change).await, 422, "/problems/invalid-fields")?;
    let errors = problem.errors.unwrap_or_default();
    check(errors.len() == 1, format!("{} fields have errors", errors.len()))?;
    check(errors[0].pointer.as_deref() == Some("/new_password"), format!("the pointer is {:?}", errors[0].pointer))?;
    check(!errors[0].detail.is_empty(), "the field error has no detail")
}

async fn unknown_id_is_rejected(client: &Configuration, id: i64) -> Outcome<()> {
    rejected(get_student(client, id, None).await, 404, "/problems/record-not-found").map(drop)
}

async fn refreshed(client: &mut Configuration, before: &Token) -> Outcome<()> {
    let tokens = refresh_token(client, RefreshRequest::new(before.refresh_token.clone())).await?;
    check(tokens.refresh_token != before.refresh_token, "the refresh token is the same")?;
    client.bearer_access_token = Some(tokens.token);
    check(get_me(client).await?.username == "shantanu", "another user is logged in")
}

async fn deleted(client: &Configuration, id: i64) -> Outcome<()> {
    delete_student(client, id, None).await?;
    unknown_id_is_rejected(client, id).await
}

async fn changes_are_found(client: &Configuration, id: i64, mut position: String) -> Outcome<()> {
    let mut versions = Vec::new();
    loop {
        let part = list_student_changes(client, &position, Some(3), Some(1)).await?;
        for change in part.changes {
            check(change.student_id == id && change.student.is_none(), format!("a change of {}", change.student_id))?;
            versions.push(change.version);
        }
        position = part.next;
        if !part.has_more {
            break;
        }
    }
    check(versions == [1, 2, 3, 4], format!("the versions are {versions:?}"))
}

async fn token_is_rejected(client: &Configuration) -> Outcome<()> {
    rejected(get_me(client).await, 401, "/problems/unauthorized").map(drop)
}

/// Returns the problem of a rejected request. Parses the body again, because the client parses it into an enum with one variant
/// per status, always into the first.
fn rejected<T, E>(result: Result<T, Error<E>>, status: u16, kind: &str) -> Outcome<Problem>
where
    E: std::fmt::Debug + 'static,
{
    let content = match result {
        Ok(_) => return Err("the request was not rejected".into()),
        Err(Error::ResponseError(content)) => content,
        Err(error) => return Err(error.into()),
    };
    check(content.status == status, format!("the status is {}, not {status}", content.status))?;
    let problem: Problem = serde_json::from_str(&content.content)?;
    let matches = problem.r#type == kind && problem.status == i32::from(status);
    check(matches, format!("the problem is {}", problem.r#type))?;
    Ok(problem)
}
