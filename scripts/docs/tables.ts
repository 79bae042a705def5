import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contextsWith } from './contracts.ts';

/**
 * The access patterns of every table: the comments of each `keys.ts` that hold a chart, word for word.
 * @throws Error naming a context without one
 */
export async function tableCharts(functions: string): Promise<string> {
  const sections = [];
  for (const context of await contextsWith(functions, 'keys.ts')) {
    const path = join(functions, context, 'keys.ts');
    const charts = chartsIn(await readFile(path, 'utf8'));
    if (charts.length === 0) throw new Error(`functions/${context}/keys.ts has no access-pattern chart`);
    sections.push(`## ${context}\n\n${charts.join('\n\n')}\n`);
  }
  const opening = [
    '# Tables',
    '',
    'One table for each context, touched by its owner only. Generated from `functions/*/keys.ts`.',
    '',
  ];
  return [opening.join('\n'), ...sections].join('\n');
}

function chartsIn(source: string): readonly string[] {
  return [...source.matchAll(/\/\*\*?\n([\s\S]*?)\*\//g)]
    .map(([, comment = '']) =>
      comment
        .split('\n')
        .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
        .join('\n')
        .trim(),
    )
    .filter((text) => /^\|/m.test(text));
}
