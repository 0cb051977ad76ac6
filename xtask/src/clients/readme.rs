//! Runs the clients shown in README.md against a server.

use std::fs;

use super::languages;
use super::tool::Tool;
use super::workshop::Workshop;
use crate::failure::{Failure, Result, Settle};
use crate::workspace::root;

/// Address of the server in README.md.
const ADDRESS: &str = "http://127.0.0.1:8000";
/// Students on the first page of a demo; each client prints them.
const STUDENTS: [&str; 3] = ["Asha Patil", "Rohan Deshmukh", "Meera Iyer"];

/// The language of the client that README.md generates with `tool`.
pub fn language(tool: Tool) -> Option<&'static str> {
    let languages = [(Tool::Progenitor, "rust"), (Tool::OpenapiFetch, "ts"), (Tool::OpenapiPythonClient, "python")];
    languages.into_iter().find_map(|(known, language)| (known == tool).then_some(language))
}

/// Compiles the README's client in `language` together with the code generated in `workshop`, and runs it.
pub async fn run(language: &str, workshop: &Workshop, address: &str) -> Result<()> {
    let readme = fs::read_to_string(root().join("README.md")).or_fail("README.md")?;
    let client = block(&readme, language)?.replace(ADDRESS, address);
    let command = languages::readme(workshop, language, &client).await?;
    let output = workshop.output("README.md", command).await?;
    match STUDENTS.iter().find(|student| !output.contains(**student)) {
        None => Ok(()),
        Some(student) => Err(Failure::new(format_args!("the output does not contain {student}: {:?}", output.trim()))),
    }
}

/// The only code block in `language`.
fn block<'r>(readme: &'r str, language: &str) -> Result<&'r str> {
    let fence = format!("\n```{language}\n");
    let mut blocks = readme.split(&fence).skip(1).filter_map(|rest| rest.split("\n```\n").next());
    match (blocks.next(), blocks.next()) {
        (Some(block), None) => Ok(block),
        (None, _) => Err(Failure::new(format_args!("README.md has no client in {language}"))),
        (Some(_), Some(_)) => Err(Failure::new(format_args!("README.md has more than one client in {language}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_block_of_language_is_found() {
        let readme = "text\n\n```rust\nfn main() {\n}\n```\n\n```\nplain\n```\n\n```ts\none\n```\n\n```ts\ntwo\n```\n";
        assert_eq!(block(readme, "rust").unwrap(), "fn main() {\n}");
        assert!(block(readme, "python").is_err());
        assert!(block(readme, "ts").is_err());
    }
}
