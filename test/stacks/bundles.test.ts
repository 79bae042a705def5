import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleHandlers, functionId } from '../../lib/constructs/bundle.ts';
import { functions } from '../../lib/stacks/specs.ts';

const kilobyte = 1000;

describe('the bundles', () => {
  let outputs: Map<string, Metafile['outputs'][string]>;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'floodgate-bundles-'));
    bundleHandlers(functions, folder);
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

  it('are the same bytes when made again', () => {
    const [spec] = functions;
    const entry = (root: string) =>
      readFileSync(join(root, 'functions', functionId(spec!), 'index.mjs'), 'utf8');
    const again = mkdtempSync(join(tmpdir(), 'floodgate-bundles-'));
    bundleHandlers([spec!], again);
    expect(entry(again)).toBe(entry(folder));
  });
});
