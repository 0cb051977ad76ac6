// Output of @hey-api/openapi-ts. The document is an argument on the command line.

export default {
  output: "generated",
  plugins: [
    "@hey-api/client-fetch",
    "@hey-api/typescript",
    "zod",
    // Validates every request before it is sent, and every successful response.
    { name: "@hey-api/sdk", validator: true },
  ],
};
