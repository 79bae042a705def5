/**
 * `npm run simulate:scale -- [--shoppers 1000000] [--seed 1] [--write | --calibrate | --validate]`: a million shoppers and
 * ten thousand units of one SKU under AWS's documented limits, in this design and in a naive one; on paper, executed.
 * `--write` also puts it into docs/scale.md and draws docs/scale/*.svg, `--calibrate` counts anew what an order causes
 * in the embedded cloud, `--validate` compares the model's contention with the embedded cloud's.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrate } from './scale/calibration.ts';
import { svgOf } from './scale/charts.ts';
import { chartsOf, scaleReport, validationReport } from './scale/report.ts';
import { study } from './scale/study.ts';
import { validate } from './scale/validate.ts';
import { assumption } from './scale/world.ts';

const { values } = parseArgs({
  options: {
    shoppers: { type: 'string' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean' },
    calibrate: { type: 'boolean' },
    validate: { type: 'boolean' },
  },
});
const docs = join(import.meta.dirname, '../docs');

if (values.calibrate) {
  const file = join(import.meta.dirname, 'scale/calibration.json');
  await writeFile(file, `${JSON.stringify(await calibrate(), undefined, 2)}\n`);
} else if (values.validate) {
  await show('validated', validationReport(await validate()));
} else {
  const scale = Number(values.shoppers ?? assumption('shoppers')) / assumption('shoppers');
  const result = study(Number(values.seed), scale, (what) => console.error(what));
  await show('simulated', scaleReport(result));
  if (values.write) {
    await mkdir(join(docs, 'scale'), { recursive: true });
    for (const [name, chart] of chartsOf(result)) {
      await writeFile(join(docs, `scale/${name}.svg`), svgOf(chart));
    }
  }
}

/** Prints it, and puts it into the page with `--write`. */
async function show(part: string, text: string): Promise<void> {
  console.log(text);
  if (!values.write) return;
  const page = join(docs, 'scale.md');
  const generated = new RegExp(`(<!-- ${part} -->\\n)[\\s\\S]*?(\\n<!-- end -->)`);
  const before = await readFile(page, 'utf8');
  await writeFile(
    page,
    before.replace(generated, (_, begin, end) => `${begin}\n${text}\n${end}`),
  );
}
