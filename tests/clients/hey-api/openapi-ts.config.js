// What @hey-api/openapi-ts writes; the document is named on the command line.

export default {
  output: "generated",
  plugins: [
    "@hey-api/client-fetch",
    "@hey-api/typescript",
    "zod",
    // Validates every request before it is sent, and every answer of success.
    { name: "@hey-api/sdk", validator: true },
  ],
};
