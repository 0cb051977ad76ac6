//! Authorization: the first argument of an operation checks the permission of the caller and contains the proof.

use std::ops::Deref;
use std::sync::Arc;

use domain::access::Permission;
use domain::session::Authenticated;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::http::access::{PUBLIC, UNMETERED};
use crate::http::problem::{Problem, ProblemType};

/// Name of the security scheme in the API document.
pub const SCHEME: &str = "bearer";

/// An authenticated caller with the permission `P`.
pub struct By<P> {
    proof: P,
    caller: Arc<Authenticated>,
}

impl<P> By<P> {
    /// User and token of the caller.
    pub fn caller(&self) -> &Authenticated {
        &self.caller
    }

    /// Extracts the proof of permission.
    pub fn into_proof(self) -> P {
        self.proof
    }
}

impl<P> Deref for By<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.proof
    }
}

impl<'a, P: Permission> ApiExtractor<'a> for By<P> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some(
                "Access token from `POST /login` or `POST /token/refresh`, in the header \
                 `Authorization: Bearer <token>`: a JWT that follows RFC8725.",
            ),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: Some("JWT"),
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(SCHEME, scheme);
    }

    /// Name of the permission, from which `document::pass` derives the documented access.
    fn security_schemes() -> Vec<&'static str> {
        vec![P::NAME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = request.data::<Arc<Authenticated>>().ok_or_else(|| Problem::new(ProblemType::Unauthorized))?;
        let proof = P::grant(&caller.principal).map_err(Problem::from)?;
        Ok(Self { proof, caller: Arc::clone(caller) })
    }
}

/// Declares an argument that states the access to an operation without a token.
macro_rules! without_token {
    ($(#[$doc:meta])* $name:ident, $scheme:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

            type ParamType = ();
            type ParamRawType = ();

            fn security_schemes() -> Vec<&'static str> {
                vec![$scheme]
            }

            async fn from_request(
                _request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok(Self)
            }
        }
    };
}

without_token! {
    /// Declares that an operation requires no token.
    Public, PUBLIC
}

without_token! {
    /// Declares that an operation requires no token and does not count against a quota.
    Unmetered, UNMETERED
}
