//! The catalogue of problem types: one entry for everything that a response of 400 and above can mean.

use poem::http::StatusCode;

/// What the catalogue says about one type.
pub struct Entry {
    /// The last segment of the type's URI, `/problems/<slug>`.
    pub slug: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// The detail of responses that have nothing more precise to say.
    pub detail: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Declares the catalogue: name, slug, status, title, detail and remedy of each type.
macro_rules! catalogue {
    ($($name:ident = $slug:literal, $status:ident, $title:literal, $detail:literal, $remedy:literal;)+) => {
        /// A problem type (RFC 9457, section 3.1.1).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemType {
            $($name,)+
        }

        impl ProblemType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The type's URI reference.
            pub fn uri(self) -> String {
                format!("/problems/{}", self.entry().slug)
            }

            /// The type's entry in the catalogue.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        slug: $slug,
                        status: StatusCode::$status,
                        title: $title,
                        detail: $detail,
                        remedy: $remedy,
                    },)+
                }
            }
        }
    };
}

// The titles and details of `/login`, `/student` and 401 are those of the articles, to the letter: clients compare them.
catalogue! {
    MalformedQuery = "malformed-query", BAD_REQUEST, "Malformed Query",
        "The query cannot be read.",
        "Send name=value pairs in UTF-8, joined by &, with everything but letters and digits encoded as %XX.";
    MalformedBody = "malformed-body", BAD_REQUEST, "Malformed Body",
        "The request body cannot be read as JSON.",
        "Send one JSON document in UTF-8, without duplicate keys and not nested deeper than 127 levels.";
    IncompleteCredentials = "incomplete-credentials", BAD_REQUEST, "Bad Request",
        "Please enter valid Username and Password",
        "Send a JSON object with the keys Username and Password, each a string that is not empty.";
    InvalidStudentData = "invalid-student-data", BAD_REQUEST, "Please provide valid data",
        "The data you provided cannot be proccessed! Try again",
        "Send a JSON object with name, emailid, rollno and age; the errors name what is wrong with each. A roll number can be held by one student only.";
    MissingStudentId = "missing-student-id", BAD_REQUEST, "Bad Request",
        "Please re-verify the request",
        "Name the student in the query: /student?student_id=1.";
    WrongStudentId = "wrong-student-id", BAD_REQUEST, "Wrong Student id",
        "Please provide valid author id to get info",
        "Name a student that exists: GET /student lists them with their ids.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "Unauthorized",
        "The provided auth token is not valid.Please request a new token and try again.",
        "Log in with POST /login, and send the token in the header Authorization: Bearer <token>.";
    InvalidCredentials = "invalid-credentials", UNAUTHORIZED, "Unauthorized",
        "Invalid Credentials",
        "Check the name and the password, and that the account is not disabled.";
    InvalidRefreshToken = "invalid-refresh-token", UNAUTHORIZED, "Invalid Refresh Token",
        "The refresh token is not valid: its session has ended, or the token was used before.",
        "Log in again with POST /login.";
    InsufficientRole = "insufficient-role", FORBIDDEN, "Forbidden",
        "Your role does not allow this operation.",
        "Ask an administrator for the role that the detail names.";
    PasswordChangeDue = "password-change-due", FORBIDDEN, "Password Change Due",
        "The password has to be changed before anything else.",
        "Change it with PUT /me/password; the token stays valid. POST /logout works, too.";
    NotFound = "not-found", NOT_FOUND, "Not Found",
        "There is nothing at this path.",
        "The paths that exist are in /openapi.yaml.";
    RecordNotFound = "record-not-found", NOT_FOUND, "Record Not Found",
        "There is no such record.",
        "Use the id of a record that exists: the collection lists them.";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method Not Allowed",
        "This path does not have this method.",
        "Use one of the methods in the Allow header of the response.";
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "Not Acceptable",
        "The Accept header allows none of the media types of this operation.",
        "Accept application/json, or leave the Accept header out.";
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "Request Timeout",
        "The request body did not arrive in time.",
        "Send the whole body within 10 seconds.";
    RollNumberTaken = "roll-number-taken", CONFLICT, "Roll Number Taken",
        "Another student holds this roll number.",
        "Choose another number; GET /students?roll_no=N lists its holder.";
    UsernameTaken = "username-taken", CONFLICT, "Username Taken",
        "Another user has this name.",
        "Choose another name; names that differ by case alone are the same name.";
    LastAdministrator = "last-administrator", CONFLICT, "Last Administrator",
        "This is the last active administrator; nothing was changed.",
        "Make another active administrator first.";
    StaleVersion = "stale-version", PRECONDITION_FAILED, "Precondition Failed",
        "The record's version does not meet If-Match or If-None-Match; nothing was changed.",
        "Read the record again and repeat the change with its new ETag in If-Match.";
    PayloadTooLarge = "payload-too-large", PAYLOAD_TOO_LARGE, "Content Too Large",
        "The request body is larger than this operation accepts.",
        "Send less: 16 KiB at most to log in, 1 MiB elsewhere.";
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type",
        "The request body's media type or coding is not accepted.",
        "Send the body as a type that the Accept header of the response lists, name it in Content-Type, and do not encode it.";
    InvalidFields = "invalid-fields", UNPROCESSABLE_ENTITY, "Invalid Fields",
        "Some fields break a rule; the errors name each field and its rule.",
        "Correct every field that the errors name.";
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too Many Requests",
        "The quota of requests is used up; this request was rejected unread.",
        "Try again after the seconds in Retry-After; RateLimit states how much is left.";
    TooManyAttempts = "too-many-attempts", TOO_MANY_REQUESTS, "Too Many Attempts",
        "Too many logins have failed; this one was rejected unread.",
        "Try again after the seconds in Retry-After. An administrator can unlock an account at once.";
    AccountLocked = "account-locked", TOO_MANY_REQUESTS, "Account Locked",
        "Too many logins have failed: the account is locked for logins until an administrator unlocks it.",
        "Ask an administrator to unlock the account; its open sessions continue.";
    Internal = "internal-error", INTERNAL_SERVER_ERROR, "Internal Server Error",
        "An unexpected error occurred in the server.",
        "Report the request id to the operator: the server's log has the cause beside it.";
    Unavailable = "store-unavailable", SERVICE_UNAVAILABLE, "Service Unavailable",
        "The store cannot be reached, or cannot write now.",
        "Try again after the seconds in Retry-After. If the store became unavailable in the middle of a change, check first whether the change happened.";
    Busy = "busy", SERVICE_UNAVAILABLE, "Service Unavailable",
        "Too many requests of this kind are waiting already.",
        "Try again after the seconds in Retry-After.";
    DeadlineExceeded = "deadline-exceeded", SERVICE_UNAVAILABLE, "Service Unavailable",
        "The request took longer than 30 seconds and was abandoned; a change that it requested may have happened.",
        "Check whether the change happened, then try again after the seconds in Retry-After.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::ProblemType;

    #[test]
    fn every_type_has_its_own_uri() {
        let slugs: HashSet<_> = ProblemType::ALL.iter().map(|kind| kind.entry().slug).collect();
        assert_eq!(slugs.len(), ProblemType::ALL.len());
    }
}
