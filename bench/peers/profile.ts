import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** By file of the embedded cloud; the first that fits. */
const parts: readonly (readonly [part: string, files: RegExp])[] = [
  ['HTTP: server, gateway, authorizer', /local\/(gateway|http-api|jwt|token-bucket)/],
  [
    'DynamoDB: client of the table engine, units, contention',
    /local\/(dynamodb|dynoxide|contention|transaction)/,
  ],
  ['streams, pipes, bus, queues', /local\/(streams|pipe|event|sqs|deliveries|scheduler)/],
  ['workflows', /local\/(states|asl)|aws-local-stepfunctions/],
  ['invocations of functions', /local\/lambda/],
  ['permissions', /local\/iam/],
  ['meter', /local\/(meter|log-bytes|pricing)/],
];
const inFunctions = 'functions: our code and the AWS SDK in them';
const rest = 'Node itself and the rest';
const collecting = 'garbage collection';

/**
 * Where the cloud's threads spent their time, by part, in shares of all that they were not idle. What Node's own code takes
 * belongs to the file that called it.
 */
export async function sharesOf(
  folder: string,
): Promise<readonly { readonly part: string; readonly share: number }[]> {
  const sums = new Map<string, number>();
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.cpuprofile')) continue;
    const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile;
    for (const [part, micros] of timesOf(profile)) sums.set(part, (sums.get(part) ?? 0) + micros);
  }
  const all = [...sums.values()].reduce((sum, micros) => sum + micros, 0);
  return [...sums].map(([part, micros]) => ({ part, share: micros / all })).sort((a, b) => b.share - a.share);
}

function timesOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const known = new Map<number, string | undefined>();
  const partOf = (id: number | undefined): string | undefined => {
    if (id === undefined) return rest;
    if (known.has(id)) return known.get(id);
    const { callFrame } = byId.get(id)!;
    const part = ofFrame(callFrame) ?? partOf(parents.get(id));
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

function ofFrame({ functionName, url }: { functionName: string; url: string }): string | undefined {
  if (functionName === '(garbage collector)') return collecting;
  if (/\/index\.mjs$/.test(url)) return inFunctions;
  return parts.find(([, files]) => files.test(url))?.[0];
}
