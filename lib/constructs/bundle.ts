import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { FunctionSpec } from './function-spec.ts';

const root = join(import.meta.dirname, '../..');

/** Modules of the AWS SDK behind dynamic imports that no function here takes: 140 KB a bundle. */
const neverLoaded = [
  // The rest of the chain of credential providers: Lambda's environment carries credentials, the first of the chain.
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-web-identity',
  '@aws-sdk/credential-provider-http',
  '@smithy/credential-provider-imds',
  // Only operations that stream events (S3 Select, Transcribe).
  '@smithy/core/event-streams',
];

/** Of the YAML package only reading is used; its documents refer to the writer for `toString`: 13 KB a bundle. */
const withoutYamlWriter: Plugin = {
  name: 'without-yaml-writer',
  setup({ onResolve, onLoad }) {
    // In a namespace of its own the stub is CommonJS, whatever the package says of its files: any name may be imported.
    onResolve({ filter: /stringify[\\/]?\w*\.js$/ }, ({ path, importer }) =>
      /[\\/]yaml[\\/]browser[\\/]/.test(importer) ? { path, namespace: 'yaml-writer' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'yaml-writer' }, () => ({ contents: 'module.exports = {}' }));
  },
};

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
export async function bundleHandlers(specs: readonly FunctionSpec[], bundles: string): Promise<void> {
  const { metafile: meta } = await build({
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
    external: neverLoaded,
    plugins: [withoutYamlWriter],
    // The same code as ES modules, of which unused parts can be left out; for Node the package has CommonJS only.
    alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(bundles, 'meta.json'), JSON.stringify(meta));
}
