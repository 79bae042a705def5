/** Numbers from 0 to below 1. */
export type Random = () => number;

/** A whole number from `least` to `most`, both included. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** Chooses by weight. @param weights of which at least one is above 0 */
export function weighted<T>(random: Random, weights: readonly (readonly [choice: T, weight: number])[]): T {
  let left = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of weights) {
    left -= weight;
    if (left < 0) return choice;
  }
  return weights.at(-1)![0];
}

export type Distribution = 'zipf' | 'uniform';

/**
 * Ranks from 0 to below `count`: all alike, or by Zipf's law, where the n-th is asked for 1/n^`exponent` as often as the
 * first.
 */
export function ranks(
  random: Random,
  count: number,
  distribution: Distribution,
  exponent = 0.99,
): () => number {
  if (distribution === 'uniform') return () => Math.floor(random() * count);
  const cumulated: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) {
    sum += 1 / rank ** exponent;
    cumulated.push(sum);
  }
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulated[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
