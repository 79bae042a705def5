import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleHandlers, bundleOf } from '../../lib/constructs/bundle.ts';
import { functions } from '../../lib/stacks/specs.ts';

/** From which source file a function in a bundle comes; undefined when it is not known. @param line,column from 0 */
export type SourceOf = (url: string, line: number, column: number) => string | undefined;

/** Bundles all functions once more, with maps, into `folder`; a bundle is known by its text. */
export async function sourcesOfBundles(folder: string, urls: Iterable<string>): Promise<SourceOf> {
  await bundleHandlers(functions, folder, { sourceMaps: true });
  const byText = new Map<string, SourceMap>();
  for (const spec of functions) {
    const file = join(bundleOf(spec, folder), 'index.mjs');
    byText.set(
      await readFile(file, 'utf8'),
      new SourceMap(JSON.parse(await readFile(`${file}.map`, 'utf8'))),
    );
  }
  const byUrl = new Map<string, SourceMap | undefined>();
  for (const url of urls) byUrl.set(url, byText.get(await readFile(fileURLToPath(url), 'utf8')));
  return (url, line, column) => {
    const entry = byUrl.get(url)?.findEntry(line, column);
    return entry && 'originalSource' in entry ? entry.originalSource : undefined;
  };
}
