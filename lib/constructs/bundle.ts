import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { FunctionSpec } from './function-spec.ts';

const root = join(import.meta.dirname, '../..');

/** Providers of the default credential chain that Lambda never reaches, since its environment carries credentials. */
const unreachableProviders = ['ini', 'sso', 'process', 'web-identity', 'http', 'login'].map(
  (name) => `@aws-sdk/credential-provider-${name}`,
);

/** The name of a function in this app, `<context>-<name>`: unique in the app. */
export function functionId(spec: Pick<FunctionSpec, 'context' | 'name'>): string {
  return `${spec.context}-${spec.name}`;
}

/** The folder in `bundles` that is deployed as a function's code; its entry is `index.handler`. */
export function bundleOf(spec: FunctionSpec, bundles: string): string {
  return join(bundles, 'functions', functionId(spec));
}

/**
 * Bundles every handler into a folder of `bundles` with one run of esbuild: a process for each would take minutes.
 * The same sources give the same bytes, so that an unchanged function is not deployed again. `meta.json` beside
 * them is esbuild's account of what each bundle holds and how large it is.
 */
export function bundleHandlers(specs: readonly FunctionSpec[], bundles: string): void {
  const { metafile: meta } = buildSync({
    absWorkingDir: root,
    entryPoints: specs.map((spec) => ({
      in: `functions/${spec.context}/handlers/${spec.name}.ts`,
      out: `${functionId(spec)}/index`,
    })),
    outdir: join(bundles, 'functions'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    // Dependencies in CommonJS call require() for Node's own modules, which an ES module does not have.
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
    // Each is loaded by a dynamic import on the way to credentials that Lambda provides at once: 120 KB saved.
    external: unreachableProviders,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(bundles, 'meta.json'), JSON.stringify(meta));
}
