//! Warnings about files with secrets or data that other users of the machine can read or write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::data_dir::directory_of;
use super::settings::Sources;
use crate::stores::Database;

/// Permissions of group and others.
const ACCESS: u32 = 0o077;
const WRITE: u32 = 0o022;
/// In a directory with this bit, only the owner of a file can replace it.
const STICKY: u32 = 0o1000;

/// Logs a warning for each exposed file of the server.
pub fn warn(database: &Database, keys: Option<&Path>, sources: &Sources) {
    let mut files = Vec::new();
    files.extend(keys.map(|path| (path, "the signing keys", ACCESS)));
    if let Database::Sqlite(path) = database {
        files.push((path, "the database", ACCESS));
    }
    if let Some(file) = &sources.file {
        // Only a database URL can be a secret in this file: in its user information, or as a parameter.
        let is_secret = |url: &String| url.contains('@') || url.contains('?');
        let has_secret = file.entries.get("database").is_some_and(|entry| entry.values.iter().any(is_secret));
        files.push((&file.path, "the configuration", if has_secret { ACCESS } else { WRITE }));
    }
    for (path, content, forbidden) in files {
        for finding in findings(path, content, forbidden) {
            tracing::warn!("{finding}");
        }
    }
}

/// What is exposed, and the remedy.
fn findings(path: &Path, content: &str, forbidden: u32) -> Vec<String> {
    // `canonicalize` follows symbolic links, such as those of mounted secrets.
    let Ok(path) = path.canonicalize() else { return Vec::new() };
    let mode = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o7777);
    let directory = directory_of(&path);
    let (of_file, of_directory) = (mode(&path), mode(directory));
    let mut findings = Vec::new();
    if of_file & forbidden != 0 {
        let remedy = if forbidden == WRITE { "go-w" } else { "600" };
        findings.push(format!(
            "other users can access {content} in {path} (mode {of_file:04o}); correct it with: chmod {remedy} {path}",
            path = path.display()
        ));
    }
    if of_directory & WRITE != 0 && of_directory & STICKY == 0 {
        findings.push(format!(
            "other users can replace {content}: {directory} has mode {of_directory:04o}; correct it with: chmod go-w {directory}",
            directory = directory.display()
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_directory_are_reported_with_mode_and_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ring.json");
        let found = |of_directory: u32, of_file: u32, forbidden: u32| {
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(of_file)).unwrap();
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(of_directory)).unwrap();
            findings(&path, "the signing keys", forbidden)
        };
        for private in [0o600, 0o400, 0o700] {
            assert_eq!(found(0o755, private, ACCESS), [""; 0], "{private:o}");
        }
        for exposed in [0o640, 0o604, 0o620, 0o602] {
            let found = found(0o700, exposed, ACCESS);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(&format!("mode {exposed:04o}")) && found[0].contains("chmod 600 "), "{found:?}");
        }
        assert_eq!(found(0o755, 0o644, WRITE), [""; 0]);
        assert!(found(0o755, 0o664, WRITE)[0].contains("chmod go-w "));
        assert!(found(0o775, 0o600, ACCESS)[0].contains("mode 0775"));
        assert_eq!(found(0o1777, 0o600, ACCESS), [""; 0], "a sticky directory");
    }
}
