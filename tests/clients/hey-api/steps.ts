// Prints one line per step. Exits at the first failure.

export async function step(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    // Messages of zod have several lines.
    const message = error instanceof Error ? error.message : String(error);
    console.log(`not ok ${name}: ${message.replace(/\s+/g, " ")}`);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new Error(message);
  }
}
