/**
 * `npm run bench:peers -- [--seconds 10] [--only vendure,medusa,express,floodgate] [--write]`: the same checkout with Vendure,
 * Medusa, a plain transaction of PostgreSQL and this store, in one run on one machine. Installs the others into a
 * temporary folder, which it removes; needs Debian's package `postgresql`. `--write` also puts the figures into
 * docs/peers.md.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { express } from './peers/express.ts';
import { floodgate } from './peers/floodgate.ts';
import { type Figures, measure } from './peers/measure.ts';
import { medusa } from './peers/medusa.ts';
import { startPostgres } from './peers/postgres.ts';
import { sharesOf } from './peers/profile.ts';
import { peersReport } from './peers/report.ts';
import { vendure } from './peers/vendure.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
    write: { type: 'boolean' },
  },
});
const seconds = Number(values.seconds);
const folder = await mkdtemp(join(tmpdir(), 'peers-'));
// PostgreSQL runs as somebody else than root.
await chmod(folder, 0o755);
try {
  await mkdir(join(folder, 'postgres'));
  const postgres = await startPostgres(join(folder, 'postgres'));
  const figures: Figures[] = [];
  const missing: string[] = [];
  try {
    const peers = {
      vendure: vendure(postgres),
      medusa: medusa(postgres),
      express: express(postgres),
      floodgate: floodgate(),
    };
    const chosen = values.only?.split(',') ?? Object.keys(peers);
    for (const [name, peer] of Object.entries(peers)) {
      if (!chosen.includes(name)) continue;
      const its = join(folder, name);
      await mkdir(its, { recursive: true });
      console.error(`${peer.name}: installing and starting`);
      try {
        await peer.install(its);
        const shop = await peer.start(its);
        try {
          console.error(`${peer.name}: selling`);
          figures.push(await measure(peer, shop, name === 'floodgate' ? [] : [postgres.pid], seconds));
        } finally {
          await shop.stop();
        }
      } catch (error) {
        missing.push(`${peer.name} (${peer.version}): ${(error as Error).message.split('\n')[0]}`);
        console.error(error);
      }
    }
    console.error('Floodgate: once more, with a profile');
    const report = peersReport(figures, missing, await profiled(), {
      seconds,
      processors: `${cpus().length} × ${cpus()[0]?.model}`,
      node: process.version,
      date: new Date().toISOString().slice(0, 10),
    });
    console.log(report);
    if (values.write) await write(report);
    if (missing.length > 0) process.exitCode = 1;
  } finally {
    await postgres.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function profiled() {
  const profiles = join(folder, 'profiles');
  await mkdir(profiles);
  const peer = floodgate(profiles);
  const shop = await peer.start(join(folder, 'profiled'));
  try {
    await measure(peer, shop, [], seconds);
  } finally {
    await shop.stop();
  }
  return sharesOf(profiles);
}

async function write(report: string): Promise<void> {
  const page = join(import.meta.dirname, '../docs/peers.md');
  const text = await readFile(page, 'utf8');
  const generated = /(<!-- measured -->\n)[\s\S]*(\n<!-- end -->)/;
  await writeFile(
    page,
    text.replace(generated, (_, begin, end) => `${begin}\n${report}\n${end}`),
  );
}
