//! Scenario with the client of progenitor.

mod step;

/// Generated client.
#[allow(warnings, clippy::all, clippy::pedantic)]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use futures::TryStreamExt;
use reqwest::header::{AUTHORIZATION, ETAG, HeaderMap};

use client::types::{
    Credentials, NullableAge, PasswordChange, Problem, RefreshRequest, Student, StudentInput, StudentPatch,
    StudentPatchEmail, Token,
};
use client::{ByteStream, Client, Error, ResponseValue};
use step::{Outcome, check, step};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::var("ROLLBOOK_URL").unwrap_or_default();

    let (tokens, client) = step("log-in", logged_in(&url).await);
    step("pages", all_pages(&client).await);
    step("export", exported(&client).await);
    let (position, student) = step("create", created(&client).await);
    let tag = step("read", read(&client, &student).await);
    step("stale", stale_tag_is_rejected(&client, &student, &tag).await);
    step("null", null_deletes_age(&client, &student).await);
    step("422", invalid_field_is_reported(&client).await);
    step("404", unknown_id_is_rejected(&client, 999_999).await);
    let client = step("refresh", refreshed(&url, &tokens).await);
    step("delete", deleted(&client, &student).await);
    step("follow", changes_are_found(&client, &student, position).await);
    step("log-out", client.log_out().send().await.map(drop).map_err(Into::into));
    step("401", token_is_rejected(&client).await);
}

/// A client that sends the token with every request.
fn bearer(url: &str, tokens: &Token) -> Outcome<Client> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, format!("Bearer {}", tokens.token).parse()?);
    Ok(Client::new_with_client(url, reqwest::Client::builder().default_headers(headers).build()?))
}

async fn logged_in(url: &str) -> Outcome<(Token, Client)> {
    let credentials = Credentials::builder().username("shantanu").password("password");
    let tokens = Client::new(url).log_in().body(credentials).send().await?.into_inner();
    let client = bearer(url, &tokens)?;
    Ok((tokens, client))
}

async fn all_pages(client: &Client) -> Outcome<()> {
    let (mut sizes, mut ids) = (Vec::new(), BTreeSet::new());
    let mut page = client.list_students().limit(10u32).send().await?.into_inner();
    loop {
        sizes.push(page.students.len());
        ids.extend(page.students.iter().map(|student| student.id));
        let Some(next) = page.next else { break };
        page = client.list_students().limit(10u32).after(next).send().await?.into_inner();
    }
    check(sizes == [10, 10, 5] && ids.len() == 25, format!("pages of {sizes:?}, {} students", ids.len()))
}

async fn exported(client: &Client) -> Outcome<()> {
    let parts: Vec<bytes::Bytes> = client.export_students_as_csv().send().await?.into_inner_stream().try_collect().await?;
    let text = String::from_utf8(parts.concat())?;
    check(text.lines().count() == 26 && text.starts_with("id,name,"), format!("the file is {text}"))
}

/// Returns the position in the changes before the creation, and the student.
async fn created(client: &Client) -> Outcome<(String, Student)> {
    let position = client.get_latest_student_change().send().await?.into_inner().token;
    let input = StudentInput::builder().name("Leela Menon").email("leela.menon@example.org").roll_no(4711u64);
    let input = input.age(NonZeroU32::new(22));
    let student = client.create_student().body(input).send().await?.into_inner();
    let matches = student.roll_no.get() == 4711 && student.age.is_some_and(|age| age.get() == 22);
    check(matches, "the created student differs")?;
    Ok((position, student))
}

/// Returns the entity tag.
async fn read(client: &Client, student: &Student) -> Outcome<String> {
    let response = client.get_student().id(student.id).send().await?;
    check(response.name == "Leela Menon", "the name differs")?;
    let tag = response.headers().get(ETAG).ok_or("there is no ETag")?;
    Ok(tag.to_str()?.to_owned())
}

async fn stale_tag_is_rejected(client: &Client, student: &Student, tag: &str) -> Outcome<()> {
    let change = |email: StudentPatchEmail| {
        let patch = StudentPatch::builder().email(email);
        client.update_student().id(student.id).if_match(tag).body(patch).send()
    };
    change("leela@example.org".parse()?).await?;
    rejected(change("menon@example.org".parse()?).await, 412, "/problems/stale-version").await.map(drop)
}

async fn null_deletes_age(client: &Client, student: &Student) -> Outcome<()> {
    let patch = StudentPatch::builder().age(NullableAge(None));
    let patched = client.update_student().id(student.id).body(patch).send().await?;
    let now = client.get_student().id(student.id).send().await?;
    check(patched.age.is_none() && now.age.is_none(), format!("the age is {:?}", now.age))?;
    check(now.email == "leela@example.org", format!("the email address is {}", now.email))
}

async fn invalid_field_is_reported(client: &Client) -> Outcome<()> {
    let change = PasswordChange::builder().current_password("password").new_password("shantanu's new password");
    let result = client.replace_own_password().body(change).send().await;
    let errors = rejected(result, 422, "/problems/invalid-fields").await?.errors;
    check(errors.len() == 1, format!("{} fields have errors", errors.len()))?;
    let pointer = errors[0].pointer.as_deref();
    check(pointer == Some("/new_password"), format!("the pointer is {pointer:?}"))?;
    check(!errors[0].detail.is_empty(), "the field error has no detail")
}

async fn unknown_id_is_rejected(client: &Client, id: u64) -> Outcome<()> {
    rejected(client.get_student().id(id).send().await, 404, "/problems/record-not-found").await.map(drop)
}

async fn refreshed(url: &str, before: &Token) -> Outcome<Client> {
    let request = RefreshRequest::builder().refresh_token(before.refresh_token.clone());
    let tokens = Client::new(url).refresh_token().body(request).send().await?.into_inner();
    check(tokens.refresh_token != before.refresh_token, "the refresh token is the same")?;
    let client = bearer(url, &tokens)?;
    check(client.get_me().send().await?.username == "shantanu", "another user is logged in")?;
    Ok(client)
}

async fn deleted(client: &Client, student: &Student) -> Outcome<()> {
    client.delete_student().id(student.id).send().await?;
    unknown_id_is_rejected(client, student.id.get()).await
}

async fn changes_are_found(client: &Client, student: &Student, mut position: String) -> Outcome<()> {
    let mut versions = Vec::new();
    loop {
        let part = client.list_student_changes().after(position).limit(3u32).wait(1u32).send().await?.into_inner();
        for change in part.changes {
            check(change.student_id == student.id && change.student.is_none(), "a change of another student")?;
            versions.push(change.version.get());
        }
        position = part.next;
        if !part.has_more {
            break;
        }
    }
    check(versions == [1, 2, 3, 4], format!("the versions are {versions:?}"))
}

async fn token_is_rejected(client: &Client) -> Outcome<()> {
    rejected(client.get_me().send().await, 401, "/problems/unauthorized").await.map(drop)
}

/// Returns the problem of a rejected request. Parses the body, because progenitor parses only `application/json`.
async fn rejected<T>(result: Result<ResponseValue<T>, Error<ByteStream>>, status: u16, kind: &str) -> Outcome<Problem> {
    let response = match result {
        Ok(_) => return Err("the request was not rejected".into()),
        Err(Error::ErrorResponse(response)) => response,
        Err(error) => return Err(error.into()),
    };
    check(response.status() == status, format!("the status is {}, not {status}", response.status()))?;
    let body: Vec<bytes::Bytes> = response.into_inner_stream().try_collect().await?;
    let problem: Problem = serde_json::from_slice(&body.concat())?;
    let matches = problem.type_ == kind && i64::from(problem.status) == i64::from(status);
    check(matches, format!("the problem is {}", problem.type_))?;
    Ok(problem)
}
