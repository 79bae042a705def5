import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SourceOf, sourcesOfBundles } from './sources.ts';

interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** By file of the embedded cloud, or of what is bundled into a function; the first that fits. */
const parts: readonly (readonly [part: string, files: RegExp])[] = [
  ['cloud: HTTP (server, gateway, authorizer)', /local\/(gateway|http-api|jwt|token-bucket|edge|runtime)/],
  [
    'cloud: DynamoDB (client of the table engine, units, conflicts)',
    /local\/(dynamodb|dynoxide|contention|transaction)/,
  ],
  ['cloud: streams, pipes, bus, queues', /local\/(streams|pipe|event|sqs|deliveries|scheduler)/],
  ['cloud: workflows', /local\/(states|asl)|aws-local-stepfunctions/],
  ['cloud: invocations of functions', /local\/lambda/],
  ['cloud: permissions, meter, limits', /local\/(iam|meter|log-bytes|pricing|limits|faults|crossing)/],
  ['cloud: the rest', /\/local\//],
  ['functions: AWS SDK, signing', /smithy.*(signature|sigv4|hash)|sha256|signing/i],
  ['functions: AWS SDK, commands, marshalling, HTTP', /@aws-sdk|@smithy|@aws\/|fast-xml/],
  ['functions: checking of requests (zod, tokens)', /zod|aws-jwt-verify/],
  ['functions: pipeline, log, metrics', /middy|powertools|functions\/kernel/],
  ['functions: use cases and adapters', /functions\/\w/],
];
const rest = 'Node itself and the rest';
const collecting = 'garbage collection';

/**
 * Where the cloud's threads spent their time, by part, in shares of all that they were not idle. What Node's own code takes
 * belongs to the file that called it.
 * @param bundles a folder in which the functions may be bundled once more, with maps
 */
export async function sharesOf(
  folder: string,
  bundles: string,
): Promise<readonly { readonly part: string; readonly share: number }[]> {
  const sums = new Map<string, number>();
  const profiles: Profile[] = [];
  for (const file of await readdir(folder)) {
    if (file.endsWith('.cpuprofile')) profiles.push(JSON.parse(await readFile(join(folder, file), 'utf8')));
  }
  const urls = profiles.flatMap(({ nodes }) => nodes.map(({ callFrame }) => callFrame.url));
  const sourceOf = await sourcesOfBundles(bundles, new Set(urls.filter(isBundle)));
  for (const profile of profiles) {
    for (const [part, micros] of timesOf(profile, sourceOf)) sums.set(part, (sums.get(part) ?? 0) + micros);
  }
  const all = [...sums.values()].reduce((sum, micros) => sum + micros, 0);
  return [...sums].map(([part, micros]) => ({ part, share: micros / all })).sort((a, b) => b.share - a.share);
}

function timesOf({ nodes, samples, timeDeltas }: Profile, sourceOf: SourceOf): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const known = new Map<number, string | undefined>();
  const partOf = (id: number | undefined): string | undefined => {
    if (id === undefined) return rest;
    if (known.has(id)) return known.get(id);
    const { callFrame } = byId.get(id)!;
    const part = ofFrame(callFrame, sourceOf) ?? partOf(parents.get(id));
    known.set(id, part);
    return part;
  };
  const sums = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const { functionName } = byId.get(id)!.callFrame;
    if (functionName === '(idle)' || functionName === '(program)') continue;
    const part = partOf(id) ?? rest;
    sums.set(part, (sums.get(part) ?? 0) + (timeDeltas[index] ?? 0));
  }
  return sums;
}

function ofFrame(frame: Frame, sourceOf: SourceOf): string | undefined {
  const { functionName, url, lineNumber, columnNumber } = frame;
  if (functionName === '(garbage collector)') return collecting;
  const source = isBundle(url) ? (sourceOf(url, lineNumber, columnNumber) ?? '') : url;
  return parts.find(([, files]) => files.test(source))?.[0];
}

function isBundle(url: string): boolean {
  return /^file:.*asset.*\/index\.mjs$/.test(url);
}
