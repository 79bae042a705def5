import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { productionComponents } from '../../../scripts/security/components.ts';
import { refusedLicences } from '../../../scripts/security/licences.ts';
import { cycloneDx } from '../../../scripts/security/sbom.ts';

let root: string;
const roots: string[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'floodgate-components-'));
  roots.push(root);
  install('', { name: 'shop', dependencies: { lamp: '1' }, devDependencies: { hammer: '1' } });
  install('node_modules/hammer', { name: 'hammer', license: 'GPL-3.0-only' });
  install('node_modules/lamp', {
    name: 'lamp',
    license: 'MIT',
    dependencies: { bulb: '2' },
    optionalDependencies: { shade: '1' },
  });
  install('node_modules/bulb', { name: 'bulb', license: 'GPL-3.0-only' });
  install('node_modules/lamp/node_modules/bulb', {
    name: 'bulb',
    version: '2.0.0',
    license: '(MIT OR GPL-3.0-only)',
    dependencies: { lamp: '1' },
  });
});
afterAll(() => {
  for (const folder of roots) rmSync(folder, { recursive: true });
});

function install(folder: string, manifest: object): void {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, 'package.json'), JSON.stringify({ version: '1.0.0', ...manifest }));
}

function bundle(...inputs: string[]): void {
  mkdirSync(join(root, '.build'));
  const meta = { inputs: Object.fromEntries(inputs.map((input) => [input, {}])) };
  writeFileSync(join(root, '.build/meta.json'), JSON.stringify(meta));
}

describe('the components of production', () => {
  it('are what Node would find, and what that needs', () => {
    expect(productionComponents(root)).toEqual([
      { name: 'bulb', version: '2.0.0', licence: '(MIT OR GPL-3.0-only)', needs: ['lamp@1.0.0'] },
      { name: 'lamp', version: '1.0.0', licence: 'MIT', needs: ['bulb@2.0.0'] },
    ]);
  });

  it('must be installed', () => {
    rmSync(join(root, 'node_modules/lamp'), { recursive: true });
    expect(() => productionComponents(root)).toThrow('lamp is not installed');
  });

  it('are marked where a bundle holds them', () => {
    bundle('functions/a.ts', 'node_modules/lamp/node_modules/bulb/index.js');
    expect(productionComponents(root).map(({ name, bundled }) => [name, bundled])).toEqual([
      ['bulb', true],
      ['lamp', false],
    ]);
  });

  it('are all that a bundle may hold', () => {
    bundle('node_modules/hammer/index.js');
    expect(() => productionComponents(root)).toThrow('no production dependency: hammer');
  });
});

describe('licences', () => {
  const of = (licence: string) =>
    refusedLicences([{ name: 'a', version: '1', licence, needs: [] }], ['MIT', 'ISC']);

  it.each(['MIT', '(MIT OR GPL-3.0-only)', 'GPL-3.0-only OR ISC', 'MIT AND ISC'])('allow %s', (licence) => {
    expect(of(licence)).toEqual([]);
  });

  it.each(['GPL-3.0-only', 'MIT AND GPL-3.0-only', '', 'MITX'])('refuse "%s"', (licence) => {
    expect(of(licence)).toEqual([`a@1: ${licence || 'names no licence'}`]);
  });
});

it('the bill of materials names each component, its licence and what it needs', () => {
  const bill = cycloneDx({ name: 'shop', version: '1.0.0' }, productionComponents(root));
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
  expect(bill.components.map(({ purl, licenses }) => [purl, licenses[0]])).toEqual([
    ['pkg:npm/bulb@2.0.0', { expression: '(MIT OR GPL-3.0-only)' }],
    ['pkg:npm/lamp@1.0.0', { license: { id: 'MIT' } }],
  ]);
  expect(bill.dependencies).toContainEqual({ ref: 'pkg:npm/lamp@1.0.0', dependsOn: ['pkg:npm/bulb@2.0.0'] });
});
