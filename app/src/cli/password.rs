//! Reads a new password from a terminal or a pipe.

use std::io::{self, IsTerminal};

use domain::Escaped;
use domain::user::{NewPassword, PasswordPolicy, Username};
use secrecy::{ExposeSecret, SecretString};

use super::arguments::PasswordSource;
use super::failure::Failure;
use super::secret_text;

impl PasswordSource {
    /// The new password: the first line of standard input, or the input of two matching prompts.
    pub fn new_password(&self, username: &Username, policy: PasswordPolicy) -> Result<NewPassword, Failure> {
        let text = if self.password_stdin { first_line()? } else { prompted(username)? };
        let new = NewPassword::parse(text.expose_secret(), Some(username), policy);
        let missing = if self.password_stdin && text.expose_secret().is_empty() {
            ": the first line of standard input is empty"
        } else {
            ""
        };
        new.map_err(|violation| Failure::new(format!("the password {violation}{missing}")))
    }
}

fn first_line() -> Result<SecretString, Failure> {
    let line = secret_text::read_line(io::stdin().lock())
        .map_err(|error| Failure::new(format!("cannot read the password from standard input: {error}")))?;
    let password =
        str::from_utf8(&line).map_err(|_| Failure::new("the password on standard input is not encoded in UTF-8"))?;
    Ok(password.into())
}

fn prompted(username: &Username) -> Result<SecretString, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("cannot prompt for the password without a terminal: use --password-stdin"));
    }
    let first: SecretString = rpassword::prompt_password(format!("New password for {}: ", Escaped(username)))?.into();
    let second: SecretString = rpassword::prompt_password("Repeat the password: ")?.into();
    if first.expose_secret() != second.expose_secret() {
        return Err(Failure::new("the two passwords differ; no change was made"));
    }
    Ok(first)
}
