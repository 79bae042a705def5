/**
 * `npm run load -- --scenario browse|mix|drop|surge`: thousands of shoppers against a store, and what came of it. Ends
 * with 1 when a check does not hold.
 */
import { writeFile } from 'node:fs/promises';
import { optionsFrom, usage } from './load/options.ts';
import { startOwnStore } from './load/own-store.ts';
import { latencyRows, percents, report } from './load/report.ts';
import { runLoad } from './load/run.ts';

let options: ReturnType<typeof optionsFrom>;
try {
  options = optionsFrom(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}
if (!options) {
  console.log(usage);
  process.exit(0);
}

const profile = process.env.LOAD_PROFILE;
const own = options.url
  ? undefined
  : await startOwnStore(options.limits, profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
try {
  const where = own ?? { apiUrl: options.url! };
  const result = await runLoad(options, where, (line) => console.log(line));
  const { findings, recorder } = result;
  console.log();
  for (const row of latencyRows(recorder)) {
    const [name, count, ...times] = row;
    const named = times.map(
      (time, index) => `${index < percents.length ? `p${percents[index]}` : 'max'} ${time}`,
    );
    console.log(`  ${String(name).padEnd(36)} ${String(count).padStart(7)}  ${named.join('  ')}`);
  }
  if (recorder.reasons.size > 0) console.log('\n  refused, and why');
  for (const [reason, times] of [...recorder.reasons].sort(([, a], [, b]) => b - a)) {
    console.log(`  ${String(times).padStart(7)}  ${reason}`);
  }
  console.log();
  for (const [name, value] of Object.entries(findings.figures)) console.log(`  ${name.padEnd(44)} ${value}`);
  console.log();
  for (const { name, holds, detail } of findings.checks) {
    console.log(`  ${holds === undefined ? '–' : holds ? '✓' : '✗'} ${name}: ${detail}`);
  }
  await writeFile(options.report, report(result));
  console.log(`\n  report: ${options.report}`);
  if (findings.checks.some(({ holds }) => holds === false)) process.exitCode = 1;
} finally {
  await own?.stop();
}
