//! Catalogue of problem types: one entry for each kind of response with status 400 or above.

use poem::http::StatusCode;

/// Catalogue entry of a problem type.
pub struct Entry {
    /// Last segment of the type's URI, `/problems/<slug>`.
    pub slug: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// Default detail, for responses without a more specific one.
    pub detail: &'static str,
    /// Action for the client to take.
    pub remedy: &'static str,
}

/// Declares the catalogue: name, slug, status, title, default detail and remedy of each type.
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

            /// URI reference of the type.
            pub fn uri(self) -> String {
                format!("/problems/{}", self.entry().slug)
            }

            /// Catalogue entry of the type.
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

// The titles and details for `/login`, `/student` and 401 are the exact texts of the articles: legacy clients compare them.
catalogue! {
    MalformedQuery = "malformed-query", BAD_REQUEST, "Malformed Query",
        "The query string is malformed.",
        "Send name=value pairs in UTF-8, joined by &. Percent-encode all characters except letters and digits.";
    MalformedBody = "malformed-body", BAD_REQUEST, "Malformed Body",
        "The request body is not valid JSON.",
        "Send one JSON document in UTF-8, without duplicate keys and with at most 127 levels of nesting.";
    MalformedCondition = "malformed-condition", BAD_REQUEST, "Malformed Condition",
        "If-Match or If-None-Match is neither * nor a list of entity tags. Nothing was changed.",
        "Send the ETag of the record as received, with its quotes, or several of them separated by commas.";
    InvalidHost = "invalid-host", BAD_REQUEST, "Invalid Host",
        "The request does not have exactly one valid Host header.",
        "Send the host of the URL, with its port if it is not the default: Host: roll.example.org:8000.";
    IncompleteCredentials = "incomplete-credentials", BAD_REQUEST, "Bad Request",
        "Please enter valid Username and Password",
        "Send a JSON object with the keys Username and Password. Both must be non-empty strings.";
    InvalidStudentData = "invalid-student-data", BAD_REQUEST, "Please provide valid data",
        "The data you provided cannot be proccessed! Try again",
        "Send a JSON object with name, emailid, rollno and age. If fields are invalid, the errors list them. The roll number must be unique.";
    MissingStudentId = "missing-student-id", BAD_REQUEST, "Bad Request",
        "Please re-verify the request",
        "Send the id of the student in the query: /student?student_id=1.";
    WrongStudentId = "wrong-student-id", BAD_REQUEST, "Wrong Student id",
        "Please provide valid author id to get info",
        "Send the id of an existing student. GET /student lists all students with their ids.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "Unauthorized",
        "The provided auth token is not valid.Please request a new token and try again.",
        "Log in with POST /login and send the token in the header Authorization: Bearer <token>.";
    InvalidCredentials = "invalid-credentials", UNAUTHORIZED, "Unauthorized",
        "Invalid Credentials",
        "Check the username and the password, and that the account is not disabled.";
    InvalidRefreshToken = "invalid-refresh-token", UNAUTHORIZED, "Invalid Refresh Token",
        "The refresh token is not valid: its session has ended, or the token was already used.",
        "Log in again with POST /login.";
    InsufficientRole = "insufficient-role", FORBIDDEN, "Forbidden",
        "Your role does not allow this operation.",
        "Request the required role, stated in the detail, from an administrator.";
    PasswordChangeDue = "password-change-due", FORBIDDEN, "Password Change Due",
        "The password must be changed before other operations are allowed.",
        "Change it with PUT /me/password; the token remains valid. POST /logout is also allowed.";
    NotFound = "not-found", NOT_FOUND, "Not Found",
        "No resource exists at this path.",
        "/openapi.yaml lists all paths.";
    RecordNotFound = "record-not-found", NOT_FOUND, "Record Not Found",
        "The record does not exist.",
        "Use the id of an existing record. The collection lists all records.";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method Not Allowed",
        "This path does not support this method.",
        "Use one of the methods in the Allow header of the response.";
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "Not Acceptable",
        "The Accept header allows none of the media types of this operation.",
        "Accept a media type that this operation documents, usually application/json, or omit the Accept header.";
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "Request Timeout",
        "The request body was not received within 10 seconds.",
        "Send the whole body within 10 seconds.";
    RollNumberTaken = "roll-number-taken", CONFLICT, "Roll Number Taken",
        "Another student has this roll number.",
        "Choose another roll number. GET /students?roll_no=N lists the student that has it.";
    ExternalIdTaken = "external-id-taken", CONFLICT, "External Id Taken",
        "Another student has this external id.",
        "Choose another external id. GET /students?external_id=ID lists the student that has it.";
    OtherFeed = "change-token-of-another-feed", GONE, "Change Token Of Another Feed",
        "The token is one of another feed, such as that of the store before it was restored from a backup.",
        "Start again: get a token with GET /students/changes/latest, then all students with GET /students.";
    FutureChangeToken = "change-token-from-the-future", GONE, "Change Token From The Future",
        "The token is after the last change. The store was restored from a backup, or the token was modified.",
        "Start again: get a token with GET /students/changes/latest, then all students with GET /students.";
    ExpiredChangeToken = "change-token-expired", GONE, "Change Token Expired",
        "Changes after the token have been deleted because of their age.",
        "Start again: get a token with GET /students/changes/latest, then all students with GET /students.";
    UsernameTaken = "username-taken", CONFLICT, "Username Taken",
        "Another user has this username.",
        "Choose another username. Usernames that differ only in case are equal.";
    LastAdministrator = "last-administrator", CONFLICT, "Last Administrator",
        "This is the last active administrator. Nothing was changed.",
        "Create or activate another administrator first.";
    StaleVersion = "stale-version", PRECONDITION_FAILED, "Precondition Failed",
        "The record's version does not satisfy If-Match or If-None-Match. Nothing was changed.",
        "Get the record again and repeat the change with its current ETag in If-Match.";
    PayloadTooLarge = "payload-too-large", PAYLOAD_TOO_LARGE, "Content Too Large",
        "The request body is larger than this operation accepts.",
        "Send a smaller body: at most 16 KiB for POST /login, POST /token/refresh and PUT /me/password, 1 MiB otherwise.";
    TargetTooLong = "target-too-long", URI_TOO_LONG, "URI Too Long",
        "The request target is longer than 16 KiB.",
        "Send a shorter path and query.";
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type",
        "The media type or content coding of the request body is not supported.",
        "Use a media type from the Accept header of the response, state it in Content-Type, and send the body without a content coding.";
    InvalidFields = "invalid-fields", UNPROCESSABLE_ENTITY, "Invalid Fields",
        "Some fields or parameters are invalid; the errors list each one and the violated rule.",
        "Correct every field and parameter in the errors.";
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too Many Requests",
        "The request quota is exhausted; this request was not processed.",
        "Retry after the number of seconds in Retry-After. The RateLimit header contains the remaining quota.";
    TooManyAttempts = "too-many-attempts", TOO_MANY_REQUESTS, "Too Many Attempts",
        "Too many failed logins; this attempt was rejected without checking the password.",
        "Retry after the number of seconds in Retry-After. An administrator can unlock the account immediately.";
    AccountLocked = "account-locked", TOO_MANY_REQUESTS, "Account Locked",
        "Too many failed logins: the account is locked until an administrator unlocks it.",
        "Contact an administrator to unlock the account. Open sessions remain valid.";
    HeadTooLarge = "head-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large",
        "The request has more than 90 header lines, or more than 48 KiB of them.",
        "Send fewer or shorter headers. Cookies are not used by this service.";
    Internal = "internal-error", INTERNAL_SERVER_ERROR, "Internal Server Error",
        "An unexpected server error occurred.",
        "Report the request id to an administrator. The server's log contains the cause with this id.";
    UnsupportedTransferCoding = "unsupported-transfer-coding", NOT_IMPLEMENTED, "Not Implemented",
        "The only supported transfer coding is chunked.",
        "Send the body with Content-Length, or with Transfer-Encoding: chunked.";
    Unavailable = "store-unavailable", SERVICE_UNAVAILABLE, "Service Unavailable",
        "The store is unreachable or cannot process the request now.",
        "Retry after the number of seconds in Retry-After. If the request was a change, first check whether it was applied.";
    Busy = "busy", SERVICE_UNAVAILABLE, "Service Unavailable",
        "The queue for requests of this kind is full.",
        "Retry after the number of seconds in Retry-After.";
    DeadlineExceeded = "deadline-exceeded", SERVICE_UNAVAILABLE, "Service Unavailable",
        "The request exceeded 30 seconds and was aborted. A requested change may have been applied.",
        "Check whether the change was applied, then retry after the number of seconds in Retry-After.";
}

impl ProblemType {
    /// The problems that are detected before the operation of a request is known. Operations do not list them.
    pub const OUTSIDE_OPERATIONS: [Self; 6] = [
        Self::InvalidHost,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TargetTooLong,
        Self::HeadTooLarge,
        Self::UnsupportedTransferCoding,
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::ProblemType;

    #[test]
    fn problem_type_uris_are_unique() {
        let slugs: HashSet<_> = ProblemType::ALL.iter().map(|kind| kind.entry().slug).collect();
        assert_eq!(slugs.len(), ProblemType::ALL.len());
    }
}
