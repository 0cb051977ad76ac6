//! One request of the collection, as far as it is not in the document.

/// Names, each with its value.
pub type Pairs = &'static [(&'static str, &'static str)];

/// Whose token a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bearer {
    /// No token.
    None,
    /// That of the collection's user, an administrator.
    User,
    /// The same user's, in a session that may be ended.
    Spare,
    /// That of a user made for the purpose.
    Newcomer,
    /// That of the articles' user, a registrar.
    Article,
}

/// A request, by the operation that it makes. What is not said here is as in the document.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    pub operation: &'a str,
    /// What it is called where it is not the operation's own request.
    pub title: Option<&'static str>,
    /// Whose token it carries, if the operation wants one.
    pub bearer: Bearer,
    /// Parameters, each with its value; without one it is not sent.
    pub parameters: &'static [(&'static str, Option<&'static str>)],
    /// Values in the body that differ from its example.
    pub body: Pairs,
    /// The status of its answer where it is not the operation's success.
    pub status: Option<u16>,
    /// Fields of the answer, each with its exact words.
    pub says: Pairs,
    /// Variables that its answer sets, each with the value as JavaScript.
    pub keeps: Pairs,
}

impl<'a> Step<'a> {
    /// The operation as its examples show it.
    pub const fn of(operation: &'a str) -> Self {
        Self {
            operation,
            title: None,
            bearer: Bearer::User,
            parameters: &[],
            body: &[],
            status: None,
            says: &[],
            keeps: &[],
        }
    }

    /// The login of the collection's user.
    pub const fn log_in() -> Self {
        let mut step = Step::of("logIn");
        step.body = &[("Username", "{{username}}"), ("Password", "{{password}}")];
        step.keeps = &[("token", "body.token"), ("refreshToken", "body.refresh_token")];
        step
    }

    pub const fn called(mut self, title: &'static str) -> Self {
        self.title = Some(title);
        self
    }

    pub const fn by(mut self, bearer: Bearer) -> Self {
        self.bearer = bearer;
        self
    }

    /// The parameter `name` with this value.
    pub const fn with(mut self, parameters: &'static [(&'static str, Option<&'static str>)]) -> Self {
        self.parameters = parameters;
        self
    }

    pub const fn sending(mut self, body: Pairs) -> Self {
        self.body = body;
        self
    }

    pub const fn keeping(mut self, keeps: Pairs) -> Self {
        self.keeps = keeps;
        self
    }

    pub const fn refused(mut self, status: u16, says: Pairs) -> Self {
        self.status = Some(status);
        self.says = says;
        self
    }
}

impl Bearer {
    /// The variable that holds the token.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::None => "",
            Self::User => "token",
            Self::Spare => "spareToken",
            Self::Newcomer => "newcomerToken",
            Self::Article => "articleToken",
        }
    }

    /// How to get the token, in a folder that has not done so yet.
    pub fn log_in(self) -> Vec<Step<'static>> {
        match self {
            Self::None => Vec::new(),
            Self::User => vec![Step::log_in().called("Log in for this folder")],
            Self::Spare => vec![
                Step::log_in()
                    .called("Log in once more, for a session to end")
                    .keeping(&[("spareToken", "body.token")]),
            ],
            Self::Newcomer => vec![
                Step::of("createUser")
                    .called("Create a user whose password may change")
                    .sending(&[("username", "newcomer-{{$randomUUID}}"), ("password", "{{newcomerPassword}}")])
                    .keeping(&[("newcomerId", "body.id"), ("newcomerUsername", "body.username")]),
                Step::log_in()
                    .called("Log in as that user")
                    .sending(&[("Username", "{{newcomerUsername}}"), ("Password", "{{newcomerPassword}}")])
                    .keeping(&[("newcomerToken", "body.token")]),
            ],
            Self::Article => vec![
                Step::log_in()
                    .called("Log in as the articles do")
                    .sending(&[("Username", "shantanu"), ("Password", "password")])
                    .keeping(&[("articleToken", "body.token")]),
            ],
        }
    }
}
