/** Prints the software bill of materials of production, or writes it: `npm run -s sbom [-- <file>]`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import product from '../package.json' with { type: 'json' };
import { productionComponents } from './security/components.ts';
import { cycloneDx } from './security/sbom.ts';

const { name, version } = product;
const components = productionComponents(join(import.meta.dirname, '..'));
const text = `${JSON.stringify(cycloneDx({ name, version }, components), null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file) writeFileSync(file, text);
else process.stdout.write(text);
