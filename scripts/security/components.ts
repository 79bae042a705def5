import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package that production runs, or that is installed with what it runs. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; empty where the package names none. */
  readonly licence: string;
  /** Names and versions of what it needs, as `<name>@<version>`. */
  readonly needs: readonly string[];
  /** Whether code of it is in a function's bundle; undefined before the first build. */
  readonly bundled?: boolean;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The production dependencies of the package at `root`, and theirs, as they are installed; by name and version.
 * @throws Error when one is not installed, or when a bundle holds a package that is none of them
 */
export function productionComponents(root: string): Component[] {
  const found = new Map<string, Component>();
  const visit = (folder: string): string => {
    const manifest = manifestOf(folder);
    const id = `${manifest.name}@${manifest.version}`;
    if (found.has(id)) return id;
    // Before its dependencies, which may need it in turn.
    found.set(id, {
      name: manifest.name,
      version: manifest.version,
      licence: licenceOf(manifest),
      needs: [],
    });
    const needs = neededBy(manifest, folder, root).map(visit).sort();
    found.set(id, { ...found.get(id)!, needs });
    return id;
  };
  for (const folder of neededBy(manifestOf(root), root, root)) visit(folder);
  const components = [...found.values()].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  return withBundles(components, join(root, '.build/meta.json'));
}

export function idOf({ name, version }: Component): string {
  return `${name}@${version}`;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Optional ones may be missing: they are for another machine. */
function neededBy(
  { dependencies = {}, optionalDependencies = {} }: Manifest,
  folder: string,
  root: string,
): string[] {
  return Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
    const installed = resolve(name, folder, root);
    if (!installed && !(name in optionalDependencies)) throw new Error(`${name} is not installed`);
    return installed ?? [];
  });
}

/** As Node looks for a package: in the nearest `node_modules`, then further up to the root's. */
function resolve(name: string, from: string, root: string): string | undefined {
  for (let folder = from; folder.length >= root.length; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

function licenceOf({ license }: Manifest): string {
  return typeof license === 'object' ? license.type : (license ?? '');
}

function withBundles(components: Component[], metafile: string): Component[] {
  if (!existsSync(metafile)) return components;
  const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { inputs: Record<string, unknown> };
  const names = new Set(
    Object.keys(inputs).flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
  );
  const known = new Set(components.map(({ name }) => name));
  const stray = [...names].filter((name) => !known.has(name));
  if (stray.length > 0) throw new Error(`bundled, but no production dependency: ${stray.join(', ')}`);
  return components.map((component) => ({ ...component, bundled: names.has(component.name) }));
}
