// Prints a line for each step, and stops at the first that fails.

export async function step(name: string, what: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (error) {
    // A message of zod has many lines.
    const why = error instanceof Error ? error.message : String(error);
    console.log(`not ok ${name}: ${why.replace(/\s+/g, " ")}`);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}

export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) {
    throw new Error(otherwise);
  }
}
