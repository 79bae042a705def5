/** `npm run check`: everything that is looked at without running the store, side by side. */
import { execFile } from 'node:child_process';

const checks = [
  ['typecheck'],
  ['lint'],
  ['layers'],
  ['dead-code'],
  ['licences'],
  ['docs', '--', '--check'],
] as const;

const outcomes = await Promise.all(
  checks.map(
    ([name, ...rest]) =>
      new Promise<boolean>((resolve) => {
        const options = { maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32' };
        execFile('npm', ['run', '--silent', name, ...rest], options, (error, stdout, stderr) => {
          console.log(`\n${name}: ${error ? 'failed' : 'passed'}\n${stdout}${stderr}`.trimEnd());
          resolve(!error);
        });
      }),
  ),
);
if (outcomes.includes(false)) process.exitCode = 1;
