import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Synthesis {
  /** False when the assembly was already made from these sources. */
  readonly changed: boolean;
  readonly seconds: number;
}

interface SynthesisOptions {
  /** The folder of the cloud assembly, `cdk.out`. */
  readonly assembly: string;
  /** Whose settings; `local` unless told. */
  readonly stage?: string;
  readonly signal?: AbortSignal;
}

const root = fileURLToPath(new URL('..', import.meta.url));
/** What the assembly depends on. */
const sources = [
  'bin',
  'lib',
  'functions',
  'statemachines',
  'docs/openapi.json',
  'cdk.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/**
 * Brings the cloud assembly up to date by running the CDK app itself, which is faster than the CDK's command line.
 * @throws Error with everything that the app printed, when it fails
 */
export async function synthesise({
  assembly,
  stage = 'local',
  signal,
}: SynthesisOptions): Promise<Synthesis> {
  const start = performance.now();
  const record = join(assembly, '.inputs');
  const inputs = `${stage} ${await hashOfSources()}`;
  const recorded = await readFile(record, 'utf8').catch(() => undefined);
  const changed = recorded !== (await recordOf(assembly, inputs));
  if (changed) {
    await mkdir(assembly, { recursive: true });
    await runApp(assembly, stage, signal);
    const next = `${record}.${process.pid}`;
    await writeFile(next, await recordOf(assembly, inputs));
    await rename(next, record);
  }
  return { changed, seconds: (performance.now() - start) / 1000 };
}

/** The manifest is part of the record: `cdk synth` for another stage may have written into the same folder since. */
async function recordOf(assembly: string, inputs: string): Promise<string> {
  const manifest = await readFile(join(assembly, 'manifest.json')).catch(() => '');
  return `${inputs} ${createHash('sha256').update(manifest).digest('hex')}`;
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const source of sources) {
    for (const file of await filesUnder(join(root, source))) {
      hash
        .update(file.slice(root.length))
        .update('\0')
        .update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

/** A file itself, or every file in a folder, in a fixed order; nothing where there is neither. */
async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return undefined;
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (!entries) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function runApp(assembly: string, stage: string, signal: AbortSignal | undefined): Promise<void> {
  // The account and region of someone's AWS profile have no place in what runs here.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(CDK|AWS)_/.test(name));
  const child = spawn(process.execPath, ['bin/floodgate.ts'], {
    cwd: root,
    env: {
      ...Object.fromEntries(inherited),
      CDK_OUTDIR: resolve(assembly),
      CDK_CONTEXT_JSON: JSON.stringify({ stage }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) {
    throw new Error(`The CDK app failed (exit code ${code}):\n${Buffer.concat(output).toString()}`);
  }
}
