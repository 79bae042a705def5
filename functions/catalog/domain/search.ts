import type { CatalogProduct } from './product.ts';

/** A product's words, made ready for searching: ` word word`. */
export interface Words {
  readonly title: string;
  readonly description: string;
}

/** Case, accents and punctuation do not count (Unicode NFKD); Hangul syllables fall into letters, so prefixes work. */
function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

export function searchable({ name, category, style, description }: CatalogProduct): Words {
  const joined = (text: string) => [...new Set(wordsOf(text))].map((word) => ` ${word}`).join('');
  return { title: joined(`${name} ${category} ${style}`), description: joined(description) };
}

/** What a query asks for: the beginnings of words, every one of which must be found. */
export function prefixesOf(query: string): string[] {
  return [...new Set(wordsOf(query))].slice(0, 10);
}

/**
 * How well a product answers: 3 for each prefix in its name, category or style, 1 for each that only its description
 * has. Undefined when one is nowhere.
 */
export function score(words: Words, prefixes: readonly string[]): number | undefined {
  let total = 0;
  for (const prefix of prefixes) {
    if (words.title.includes(` ${prefix}`)) total += 3;
    else if (words.description.includes(` ${prefix}`)) total += 1;
    else return undefined;
  }
  return total;
}
