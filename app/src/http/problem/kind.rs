//! The catalogue of problem types: one entry for everything that an answer of 400 and above can mean.

use poem::http::StatusCode;

/// A problem type (RFC 9457, section 3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    MalformedQuery,
    MalformedBody,
    IncompleteCredentials,
    InvalidStudentData,
    MissingStudentId,
    WrongStudentId,
    Unauthorized,
    InvalidCredentials,
    InvalidRefreshToken,
    InsufficientRole,
    PasswordChangeDue,
    NotFound,
    UnknownStudent,
    UnknownUser,
    UnknownSession,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    RollNumberTaken,
    UsernameTaken,
    LastAdministrator,
    StaleVersion,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidFields,
    TooManyRequests,
    TooManyAttempts,
    AccountLocked,
    Internal,
    Unavailable,
    Busy,
    DeadlineExceeded,
}

/// What stands in the catalogue about one type.
pub struct Entry {
    /// The last segment of the type's URI, `/problems/<slug>`.
    pub slug: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// The detail that answers carry where they have nothing more precise to say.
    pub detail: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Kind {
    /// Every type.
    pub const ALL: [Self; 32] = [
        Self::MalformedQuery,
        Self::MalformedBody,
        Self::IncompleteCredentials,
        Self::InvalidStudentData,
        Self::MissingStudentId,
        Self::WrongStudentId,
        Self::Unauthorized,
        Self::InvalidCredentials,
        Self::InvalidRefreshToken,
        Self::InsufficientRole,
        Self::PasswordChangeDue,
        Self::NotFound,
        Self::UnknownStudent,
        Self::UnknownUser,
        Self::UnknownSession,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::RollNumberTaken,
        Self::UsernameTaken,
        Self::LastAdministrator,
        Self::StaleVersion,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidFields,
        Self::TooManyRequests,
        Self::TooManyAttempts,
        Self::AccountLocked,
        Self::Internal,
        Self::Unavailable,
        Self::Busy,
        Self::DeadlineExceeded,
    ];

    /// The type's entry in the catalogue. The titles and details of `/login`, `/student` and 401 are the
    /// articles' own, to the letter: clients compare them.
    #[expect(clippy::too_many_lines, reason = "a table: one entry after the other")]
    pub const fn entry(self) -> Entry {
        match self {
            Self::MalformedQuery => Entry {
                slug: "malformed-query",
                status: StatusCode::BAD_REQUEST,
                title: "Malformed Query",
                detail: "The query cannot be read.",
                remedy: "Write it as name=value pairs in UTF-8, joined by &, and encode what is not a letter or digit as %XX.",
            },
            Self::MalformedBody => Entry {
                slug: "malformed-body",
                status: StatusCode::BAD_REQUEST,
                title: "Malformed Body",
                detail: "The request body cannot be read as JSON.",
                remedy: "Send one JSON document in UTF-8, without duplicate keys and not nested deeper than 127 levels.",
            },
            Self::IncompleteCredentials => Entry {
                slug: "incomplete-credentials",
                status: StatusCode::BAD_REQUEST,
                title: "Bad Request",
                detail: "Please enter valid Username and Password",
                remedy: "Send a JSON object with the keys Username and Password, each a string that is not empty.",
            },
            Self::InvalidStudentData => Entry {
                slug: "invalid-student-data",
                status: StatusCode::BAD_REQUEST,
                title: "Please provide valid data",
                detail: "The data you provided cannot be proccessed! Try again",
                remedy: "Send a JSON object with name, emailid, rollno and age; the errors say what is wrong with each. A roll number can be held by one student only.",
            },
            Self::MissingStudentId => Entry {
                slug: "missing-student-id",
                status: StatusCode::BAD_REQUEST,
                title: "Bad Request",
                detail: "Please re-verify the request",
                remedy: "Name the student in the query: /student?student_id=1.",
            },
            Self::WrongStudentId => Entry {
                slug: "wrong-student-id",
                status: StatusCode::BAD_REQUEST,
                title: "Wrong Student id",
                detail: "Please provide valid author id to get info",
                remedy: "Name a student that exists: GET /student lists them with their ids.",
            },
            Self::Unauthorized => Entry {
                slug: "unauthorized",
                status: StatusCode::UNAUTHORIZED,
                title: "Unauthorized",
                detail: "The provided auth token is not valid.Please request a new token and try again.",
                remedy: "Log in with POST /login, and send the token in the header Authorization: Bearer <token>.",
            },
            Self::InvalidCredentials => Entry {
                slug: "invalid-credentials",
                status: StatusCode::UNAUTHORIZED,
                title: "Unauthorized",
                detail: "Invalid Credentials",
                remedy: "Check the name and the password, and that the account is not disabled.",
            },
            Self::InvalidRefreshToken => Entry {
                slug: "invalid-refresh-token",
                status: StatusCode::UNAUTHORIZED,
                title: "Invalid Refresh Token",
                detail: "The refresh token is not valid: its session has ended, or the token was used before.",
                remedy: "Log in again with POST /login.",
            },
            Self::InsufficientRole => Entry {
                slug: "insufficient-role",
                status: StatusCode::FORBIDDEN,
                title: "Forbidden",
                detail: "Your role does not allow this operation.",
                remedy: "Ask an administrator for the role that the detail names.",
            },
            Self::PasswordChangeDue => Entry {
                slug: "password-change-due",
                status: StatusCode::FORBIDDEN,
                title: "Password Change Due",
                detail: "The password has to be changed before anything else.",
                remedy: "Change it with PUT /me/password; the token stays good. POST /logout works too.",
            },
            Self::NotFound => Entry {
                slug: "not-found",
                status: StatusCode::NOT_FOUND,
                title: "Not Found",
                detail: "There is nothing at this path.",
                remedy: "The paths that exist are in /openapi.yaml.",
            },
            Self::UnknownStudent => Entry {
                slug: "unknown-student",
                status: StatusCode::NOT_FOUND,
                title: "Unknown Student",
                detail: "No student has this id.",
                remedy: "GET /students lists the students with their ids.",
            },
            Self::UnknownUser => Entry {
                slug: "unknown-user",
                status: StatusCode::NOT_FOUND,
                title: "Unknown User",
                detail: "No user has this id.",
                remedy: "GET /users lists the users with their ids.",
            },
            Self::UnknownSession => Entry {
                slug: "unknown-session",
                status: StatusCode::NOT_FOUND,
                title: "Unknown Session",
                detail: "You have no open session with this id.",
                remedy: "GET /me/sessions lists your open sessions with their ids.",
            },
            Self::MethodNotAllowed => Entry {
                slug: "method-not-allowed",
                status: StatusCode::METHOD_NOT_ALLOWED,
                title: "Method Not Allowed",
                detail: "This path does not have this method.",
                remedy: "Use one of the methods in the answer's Allow header.",
            },
            Self::NotAcceptable => Entry {
                slug: "not-acceptable",
                status: StatusCode::NOT_ACCEPTABLE,
                title: "Not Acceptable",
                detail: "None of the media types that the Accept header allows can be made here.",
                remedy: "Accept application/json, or leave the Accept header out.",
            },
            Self::RequestTimeout => Entry {
                slug: "request-timeout",
                status: StatusCode::REQUEST_TIMEOUT,
                title: "Request Timeout",
                detail: "The request body did not arrive in time.",
                remedy: "Send the whole body within 10 seconds.",
            },
            Self::RollNumberTaken => Entry {
                slug: "roll-number-taken",
                status: StatusCode::CONFLICT,
                title: "Roll Number Taken",
                detail: "Another student holds this roll number.",
                remedy: "Choose another number; GET /students?roll_no=N tells who holds one.",
            },
            Self::UsernameTaken => Entry {
                slug: "username-taken",
                status: StatusCode::CONFLICT,
                title: "Username Taken",
                detail: "Another user has this name.",
                remedy: "Choose another name; names that differ by case alone are the same name.",
            },
            Self::LastAdministrator => Entry {
                slug: "last-administrator",
                status: StatusCode::CONFLICT,
                title: "Last Administrator",
                detail: "This is the last active administrator; nothing was changed.",
                remedy: "Make another active administrator first.",
            },
            Self::StaleVersion => Entry {
                slug: "stale-version",
                status: StatusCode::PRECONDITION_FAILED,
                title: "Precondition Failed",
                detail: "The record is not in the version that If-Match or If-None-Match asks for; nothing was changed.",
                remedy: "Read the record again and decide anew; its ETag is what If-Match wants.",
            },
            Self::PayloadTooLarge => Entry {
                slug: "payload-too-large",
                status: StatusCode::PAYLOAD_TOO_LARGE,
                title: "Content Too Large",
                detail: "The request body is larger than this operation takes.",
                remedy: "Send less: 16 KiB at most to log in, 1 MiB elsewhere.",
            },
            Self::UnsupportedMediaType => Entry {
                slug: "unsupported-media-type",
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                title: "Unsupported Media Type",
                detail: "The request body's media type is not understood here.",
                remedy: "Send the body as a type that the answer's Accept header lists, and say so in Content-Type.",
            },
            Self::InvalidFields => Entry {
                slug: "invalid-fields",
                status: StatusCode::UNPROCESSABLE_ENTITY,
                title: "Invalid Fields",
                detail: "Some fields break a rule; the errors name each field and its rule.",
                remedy: "Correct every field that the errors name.",
            },
            Self::TooManyRequests => Entry {
                slug: "too-many-requests",
                status: StatusCode::TOO_MANY_REQUESTS,
                title: "Too Many Requests",
                detail: "You have asked more often than anybody may: this request was not looked at.",
                remedy: "Try again after the seconds in Retry-After; RateLimit tells how much is left.",
            },
            Self::TooManyAttempts => Entry {
                slug: "too-many-attempts",
                status: StatusCode::TOO_MANY_REQUESTS,
                title: "Too Many Attempts",
                detail: "Too many logins have failed: this one was not looked at.",
                remedy: "Try again after the seconds in Retry-After. An administrator can unlock an account at once.",
            },
            Self::AccountLocked => Entry {
                slug: "account-locked",
                status: StatusCode::TOO_MANY_REQUESTS,
                title: "Account Locked",
                detail: "Too many logins have failed: nobody can log in to this account until it is unlocked.",
                remedy: "Ask an administrator to unlock the account; its open sessions live on.",
            },
            Self::Internal => Entry {
                slug: "internal-error",
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: "Internal Server Error",
                detail: "Something went wrong on our side.",
                remedy: "Tell the operator the request id: the server's log has the cause beside it.",
            },
            Self::Unavailable => Entry {
                slug: "store-unavailable",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "Service Unavailable",
                detail: "The store cannot be reached, or cannot write now.",
                remedy: "Try again after the seconds in Retry-After. Should the store have gone away in the middle of a change, look first whether it happened.",
            },
            Self::Busy => Entry {
                slug: "busy",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "Service Unavailable",
                detail: "Too many requests of this kind wait already.",
                remedy: "Try again after the seconds in Retry-After.",
            },
            Self::DeadlineExceeded => Entry {
                slug: "deadline-exceeded",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "Service Unavailable",
                detail: "The request took longer than 30 seconds and was given up; a change it asked for may have happened.",
                remedy: "Look whether the change happened, then try again after the seconds in Retry-After.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Kind;

    #[test]
    fn every_type_has_a_uri_of_its_own() {
        let slugs: HashSet<_> = Kind::ALL.iter().map(|kind| kind.entry().slug).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
    }
}
