import { access, chown, constants, mkdir, readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, run, type Server, serve } from './processes.ts';

export interface Postgres extends Server {
  readonly port: number;
  /** An empty database of that name; its address. */
  database(name: string): Promise<string>;
}

const user = 'peers';

/** PostgreSQL of this machine on a free port, with its data in the folder and the settings it comes with. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const programs = await findPrograms();
  // It refuses to be run by root.
  const owner = userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true, mode: 0o700 });
  if (owner.uid !== undefined) {
    await chown(folder, owner.uid, owner.gid);
    await chown(data, owner.uid, owner.gid);
  }
  const port = await freePort();
  const options = { cwd: folder, ...owner };
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', user, '--auth=trust', '--no-locale', '-E', 'UTF8'],
    options,
  );
  const psql = (database: string, statement: string) =>
    run(
      join(programs, 'psql'),
      ['-h', '127.0.0.1', '-p', String(port), '-U', user, '-d', database, '-c', statement],
      options,
    );
  const server = await serve(
    join(programs, 'postgres'),
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder],
    options,
    async () => (await psql('postgres', 'SELECT 1')).length > 0,
  );
  return {
    ...server,
    port,
    database: async (name) => {
      await psql('postgres', `CREATE DATABASE ${name}`);
      return `postgres://${user}@127.0.0.1:${port}/${name}`;
    },
  };
}

/** Debian keeps the server's programs apart from PATH, by version. @throws Error that says what to install */
async function findPrograms(): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const folders = [
    ...versions
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  for (const folder of folders) {
    const missing = await Promise.all(
      ['initdb', 'postgres', 'psql'].map((name) =>
        access(join(folder, name), constants.X_OK).then(
          () => false,
          () => true,
        ),
      ),
    );
    if (!missing.includes(true)) return folder;
  }
  throw new Error('PostgreSQL is not installed here: apt-get install postgresql');
}
