//! Who may do an operation: its first argument authorises the caller and hands over the proof of permission.

use std::ops::Deref;
use std::sync::Arc;

use domain::access::Permission;
use domain::session::Authenticated;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::http::access::PUBLIC;
use crate::http::problem::{Problem, ProblemType};

/// The name of the security scheme in the document.
pub const SCHEME: &str = "bearer";

/// A caller who has the permission `P`.
pub struct By<P> {
    proof: P,
    caller: Arc<Authenticated>,
}

impl<P> By<P> {
    /// The caller's user and token.
    pub fn caller(&self) -> &Authenticated {
        &self.caller
    }

    /// The proof by itself.
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
                "The token that POST /login returns, in the header `Authorization: Bearer <token>`: a JWT that follows \
                 RFC8725.",
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

    /// The permission's name: the document's pass derives the table of access from it.
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

/// States that an operation needs no token.
pub struct Public;

impl<'a> ApiExtractor<'a> for Public {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![PUBLIC]
    }

    async fn from_request(
        _request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self)
    }
}
