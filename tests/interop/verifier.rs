//! JWT libraries that run in another process, each in its own runtime.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Library that verifies tokens.
#[derive(Debug, Clone, Copy)]
pub enum Verifier {
    /// PyJWT on Python.
    PyJwt,
    /// jose on Node.js.
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
    /// Verifies `input.token` with `input.secret` or the key set `input.set`, and returns the claims.
    ///
    /// # Errors
    /// The output of the library if it rejects the token.
    ///
    /// # Panics
    /// If the library is not installed.
    pub fn claims(self, input: &Value) -> Result<Value, String> {
        let (program, flag, script) = match self {
            Self::PyJwt => ("python3", "-c", PYJWT),
            Self::Jose => ("node", "-e", JOSE),
        };
        let child = Command::new(program)
            .args([flag, script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("needs {program}: {error}"));
        write!(child.stdin.take().unwrap(), "{input}").unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.starts_with("needs "), "{errors}");
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(errors.into_owned())
        }
    }
}
