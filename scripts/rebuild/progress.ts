/** Takes a line for whoever watches. */
export type Tell = (line: string) => void;

const everyMs = 2_000;

/** Counts, and tells how far it has come every two seconds and at the end. */
export function counter(what: string, tell: Tell) {
  const began = performance.now();
  let count = 0;
  let told = began;
  const line = () => {
    const seconds = (performance.now() - began) / 1_000;
    return `${count} ${what}, ${seconds.toFixed(1)} s, ${memory()} MB`;
  };
  return {
    add: (more: number): void => {
      count += more;
      if (performance.now() - told < everyMs) return;
      told = performance.now();
      tell(line());
    },
    end: (): void => tell(line()),
    count: (): number => count,
  };
}

function memory(): number {
  return Math.round(process.memoryUsage.rss() / 1_000_000);
}

/** The most memory that this process has held so far, in megabytes. */
export function peakMemory(): number {
  return Math.round((process.resourceUsage().maxRSS * 1_024) / 1_000_000);
}
