import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { configOf } from '../../lib/config.ts';
import { bundleHandlers, bundleOf, functionId } from '../../lib/constructs/bundle.ts';
import type { FunctionSpec } from '../../lib/constructs/function-spec.ts';
import { functions } from '../../lib/stacks/specs.ts';
import { appOf, resourcesOf, temporaryFolder } from './support/synthesis.ts';

/** As esbuild counts. */
const kilobyte = 1024;
// Away from node_modules, as on Lambda: whatever is not in a bundle cannot be found.
const folder = temporaryFolder();

describe('the bundles', () => {
  let outputs: Map<string, Metafile['outputs'][string]>;

  beforeAll(async () => {
    await bundleHandlers(functions, folder);
    const meta: Metafile = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8'));
    outputs = new Map(
      Object.entries(meta.outputs).map(([path, output]) => [path.split('/').at(-2)!, output]),
    );
  });

  it('are one for each function', () => {
    expect([...outputs.keys()].sort()).toEqual(functions.map(functionId).sort());
  });

  it('are at most 400 KB, and above 300 KB only with the AWS SDK', () => {
    const sizes = [...outputs].map(([id, { bytes, inputs }]) => ({
      id,
      kilobytes: Math.ceil(bytes / kilobyte),
      sdk: Object.keys(inputs).some((input) => input.includes('node_modules/@aws-sdk/client-')),
    }));
    expect(sizes.filter(({ kilobytes, sdk }) => kilobytes > (sdk ? 400 : 300))).toEqual([]);
  });

  it('hold nothing that belongs to the deployment or to tests', () => {
    const strangers = /aws-cdk-lib|constructs\/|cdk-nag|esbuild|vitest|\/test\/|\/local\/|\.infra\.ts$/;
    for (const [id, { inputs }] of outputs) {
      expect(
        Object.keys(inputs).filter((input) => strangers.test(input)),
        id,
      ).toEqual([]);
    }
  });

  it('are the same bytes when made again', async () => {
    const [spec] = functions;
    const again = temporaryFolder();
    await bundleHandlers([spec!], again);
    expect(readFileSync(entryOf(spec!, again), 'utf8')).toBe(readFileSync(entryOf(spec!, folder), 'utf8'));
  });

  const deployed = resourcesOf(appOf(configOf('dev'))).filter(({ type }) => type === 'AWS::Lambda::Function');
  it.each(functions.map((spec) => ({ spec, id: functionId(spec) })))(
    '$id starts with nothing but the environment that it is deployed with',
    async ({ spec }) => {
      const fn = deployed.find(({ properties }) => properties.Description === spec.description);
      const names = Object.keys(fn!.properties.Environment.Variables);
      const given = (name: string) =>
        name.endsWith('_TIME_ZONE') ? 'Asia/Seoul' : `https://${name}.example`;
      const env = Object.fromEntries(names.map((name) => [name, given(name)]));
      expect(await kindOfHandler(entryOf(spec, folder), { ...env, AWS_REGION: 'ap-northeast-2' })).toBe(
        'function',
      );
    },
  );
});

function entryOf(spec: FunctionSpec, bundles: string): string {
  return join(bundleOf(spec, bundles), 'index.mjs');
}

/** What a bundle exports as `handler`, when it is loaded in a thread of its own with this environment. */
function kindOfHandler(entry: string, env: Record<string, string>): Promise<string> {
  const code = `import(require('node:worker_threads').workerData)
    .then(({ handler }) => require('node:worker_threads').parentPort.postMessage(typeof handler))`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, env, workerData: entry });
    worker.once('message', resolve).once('error', reject);
  });
}
