// Reports each step in a line, and stops at the first that fails.

export async function step(name: string, what: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (error) {
    console.log(`not ok ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}

export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) {
    throw new Error(otherwise);
  }
}
