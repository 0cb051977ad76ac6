//! Libraries that verify tokens, each in the program that it is for.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A library that verifies tokens.
#[derive(Debug, Clone, Copy)]
pub enum Verifier {
    /// PyJWT, for Python.
    PyJwt,
    /// jose, for Node.
    Jose,
}

const PYJWT: &str = "
import json, sys
try:
    import jwt, cryptography
except ImportError:
    sys.exit('needs PyJWT and cryptography (pip install PyJWT cryptography)')
given = json.load(sys.stdin)
expected = {'audience': 'rollbook', 'issuer': 'rollbook'}
if 'secret' in given:
    claims = jwt.decode(given['token'], given['secret'], algorithms=['HS256'], **expected)
else:
    key = jwt.PyJWKSet.from_dict(given['set'])[jwt.get_unverified_header(given['token'])['kid']]
    claims = jwt.decode(given['token'], key, **expected)
print(json.dumps(claims))
";

const JOSE: &str = "
let jose;
try {
    jose = require('jose');
} catch {
    process.stderr.write('needs jose (npm install jose)\\n');
    process.exit(1);
}
const given = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const expected = {audience: 'rollbook', issuer: 'rollbook', typ: 'at+jwt'};
const key = 'secret' in given ? new TextEncoder().encode(given.secret) : jose.createLocalJWKSet(given.set);
jose.jwtVerify(given.token, key, expected).then(
    (verified) => console.log(JSON.stringify(verified.payload)),
    (error) => { console.error(String(error)); process.exit(1); },
);
";

impl Verifier {
    /// The claims of `given.token`, verified by `given.secret` or the key set `given.set`.
    ///
    /// # Errors
    /// What the library says against it.
    ///
    /// # Panics
    /// Where the library is not there.
    pub fn claims(self, given: &Value) -> Result<Value, String> {
        let (program, flag, script) = match self {
            Self::PyJwt => ("python3", "-c", PYJWT),
            Self::Jose => ("node", "-e", JOSE),
        };
        let spawned = Command::new(program)
            .args([flag, script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut running = spawned.unwrap_or_else(|error| panic!("needs {program}: {error}"));
        write!(running.stdin.take().unwrap(), "{given}").unwrap();
        let output = running.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!complaint.starts_with("needs "), "{complaint}");
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(complaint.into_owned())
        }
    }
}
