// The steps of the Postman collection that openapi.yaml cannot state: the user of a request, and values from earlier responses.
//
// Fields of a step, all optional but the first:
//   operation   operation id; the request is that of the document's examples, except as stated here
//   name        name of the item, if it is not the operation's own
//   token       variable of the access token; `null` sends none
//   parameters  parameter values by name; `null` switches a parameter off
//   body        values in the request body by name
//   status      expected status, if it is not the operation's first 2xx
//   expect      exact values in the response body by field
//   keep        variables to set from the response, each with a JavaScript expression over `body`
'use strict';

/** Variables of the collection with an initial value. */
exports.variables = {
  baseUrl: 'http://127.0.0.1:8000',
  username: 'admin',
  password: 'password',
  newPassword: 'quiet lamp above nine harbours',
};

const login = (name, Username, Password, keep) => ({ operation: 'logIn', name, body: { Username, Password }, keep });
const tokens = { token: 'body.token', refreshToken: 'body.refresh_token' };
const secondSession = [login('Log in for a second session', '{{username}}', '{{password}}', { secondToken: 'body.token' })];

/** Steps that obtain each token, inserted before its first use in a folder. */
exports.logins = {
  token: [login('Log in for this folder', '{{username}}', '{{password}}', tokens)],
  newUserToken: [
    {
      operation: 'createUser',
      name: 'Create a user',
      body: { username: 'user-{{$randomUUID}}', password: '{{newPassword}}' },
      keep: { newUserId: 'body.id', newUsername: 'body.username' },
    },
    login('Log in as that user', '{{newUsername}}', '{{newPassword}}', { newUserToken: 'body.token' }),
  ],
  legacyToken: [login('Log in as in the articles', 'shantanu', 'password', { legacyToken: 'body.token' })],
};

const unauthorized = 'The provided auth token is not valid.Please request a new token and try again.';
const wrongId = { title: 'Wrong Student id', description: 'Please provide valid author id to get info' };
const legacyStudent = { student_id: '{{legacyStudentId}}' };

/** Changes to an operation's own step, and the steps before and after it. */
exports.overrides = {
  logIn: {
    ...login(undefined, '{{username}}', '{{password}}', tokens),
    after: [
      {
        ...login('Log in with a wrong password', '{{username}}', 'not the password'),
        status: 401,
        expect: { title: 'Unauthorized', description: 'Invalid Credentials' },
      },
    ],
  },
  refreshToken: { body: { refresh_token: '{{refreshToken}}' }, keep: tokens },
  logOut: { before: secondSession, token: 'secondToken' },
  listOwnSessions: {
    before: secondSession,
    keep: { sessionId: 'body.sessions.filter((session) => !session.current).pop().id' },
  },
  replaceOwnPassword: {
    token: 'newUserToken',
    body: { current_password: '{{newPassword}}' },
    after: [{ operation: 'deleteUser', name: 'Delete that user', parameters: { id: '{{newUserId}}', 'If-Match': null } }],
  },
  deleteUser: { parameters: { 'If-Match': null } },
  getLatestStudentChange: { keep: { changeToken: 'body.token' } },
  listStudentChanges: {
    parameters: { after: '{{changeToken}}' },
    before: [{ operation: 'getLatestStudentChange', keep: { changeToken: 'body.token' } }],
  },
  createStudent: { keep: { rollNumber: 'body.roll_no', externalId: 'body.external_id' } },
  replaceStudent: { body: { roll_no: '{{rollNumber}}', external_id: '{{externalId}}' } },
  listLegacyStudents: {
    token: 'legacyToken',
    parameters: { name: null },
    before: [
      {
        operation: 'listLegacyStudents',
        name: 'List students without a token',
        token: null,
        parameters: { name: null },
        status: 401,
        expect: { title: 'Unauthorized', description: unauthorized },
      },
    ],
    after: [
      { operation: 'listLegacyStudents', name: 'Find a student by name', token: 'legacyToken', parameters: { name: 'ash' } },
    ],
  },
  createLegacyStudent: { token: 'legacyToken', keep: { legacyStudentId: 'body.id' } },
  updateLegacyStudent: {
    token: 'legacyToken',
    parameters: legacyStudent,
    after: [
      {
        operation: 'updateLegacyStudent',
        name: 'Update a student without an id',
        token: 'legacyToken',
        parameters: { student_id: null },
        status: 400,
        expect: { msg: 'Please re-verify the request' },
      },
    ],
  },
  deleteLegacyStudent: {
    token: 'legacyToken',
    parameters: legacyStudent,
    expect: { msg: 'Record deleted...!!!' },
    after: [
      {
        operation: 'deleteLegacyStudent',
        name: 'Delete a student twice',
        token: 'legacyToken',
        parameters: legacyStudent,
        status: 400,
        expect: wrongId,
      },
    ],
  },
};
