//! The security scheme: who the gate found the caller to be.

use std::sync::Arc;

use domain::token::Authenticated;
use domain::user::{Admin, Forbidden, Reader, Registrar};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::http::problem::{Kind, Problem};

/// The name of the security scheme in the document.
pub const SCHEME: &str = "bearer";

/// The caller. The first argument of each operation that is not public; it reads the gate's verdict and
/// judges nothing itself.
pub struct Caller(Arc<Authenticated>);

impl Caller {
    pub fn authenticated(&self) -> &Authenticated {
        &self.0
    }

    /// # Errors
    /// [`Forbidden`] unless the caller may read the roll.
    pub fn reader(&self) -> Result<Reader, Forbidden> {
        self.0.principal.reader()
    }

    /// # Errors
    /// [`Forbidden`] unless the caller may write the roll.
    pub fn registrar(&self) -> Result<Registrar, Forbidden> {
        self.0.principal.registrar()
    }

    /// # Errors
    /// [`Forbidden`] unless the caller may keep the users.
    pub fn admin(&self) -> Result<Admin, Forbidden> {
        self.0.principal.admin()
    }
}

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some(
                "The token that POST /login answers, in the header `Authorization: Bearer <token>`: a JWT that is made and \
                 judged as RFC8725 says.",
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

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        match request.data::<Arc<Authenticated>>() {
            Some(caller) => Ok(Self(Arc::clone(caller))),
            // The path is public and the operation is not: refuse rather than guess.
            None => Err(Problem::new(Kind::Unauthorized).into()),
        }
    }
}
