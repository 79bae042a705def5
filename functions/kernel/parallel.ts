/** `values` in order, in groups of at most `size`. */
export function chunksOf<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

/** Runs `work` for each value, at most `width` at once. The first failure is thrown; nothing more is begun then. */
export async function inParallel<T>(
  values: readonly T[],
  width: number,
  work: (value: T) => Promise<void>,
): Promise<void> {
  const rest = values.values();
  let failed = false;
  const lane = async () => {
    for (const value of rest) {
      if (failed) return;
      await work(value).catch((error) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
