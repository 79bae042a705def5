import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort } from './ports.ts';
import { commandOf } from './processes.ts';

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 5_000;

/**
 * Runs the binary until it ends or until standard input closes, which happens when this process dies in whatever
 * way: nothing is left behind by kill -9.
 */
const LIFELINE = `
exec 3<&0
"$@" </dev/null 3<&- & child=$!
echo "$child" > "$PID_FILE"
{ read -r _ <&3; kill "$child" 2>/dev/null; } & watcher=$!
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"`;

/** Headers that every request carries: the binary wants a signature and does not look at it. */
const HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=local',
  'x-amz-date': '20260101T000000Z',
};

export interface BackendAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** A DynamoDB that keeps tables and streams: the bundled binary, or another endpoint. */
export interface DynamoDbBackend {
  /** Sends a request body as it is. @param target the whole `X-Amz-Target`, version included */
  send(target: string, body: string | Buffer): Promise<BackendAnswer>;
  /** Where it listens. */
  readonly endpoint: string;
  /** The SQLite file that keeps the tables, where there is one. */
  readonly file: string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts the DynamoDB binary on `home`/dynamodb.sqlite, after ending one that a killed process may have left; or
 * connects to `FLOODGATE_DYNAMODB_ENDPOINT`.
 * @throws Error naming the alternatives where there is no binary for this platform.
 */
export async function startDynamoDb(home: string): Promise<DynamoDbBackend> {
  const file = join(home, 'dynamodb.sqlite');
  const pidFile = join(home, 'dynamodb.pid');
  await endOrphan(pidFile, file);
  const endpoint = process.env.FLOODGATE_DYNAMODB_ENDPOINT;
  if (endpoint) return connect(new URL(endpoint));

  const binary = findBinary();
  const port = await findFreePort();
  const child = spawn(
    '/bin/sh',
    ['-c', LIFELINE, 'dynoxide', binary, 'serve', '--port', String(port), '--db-path', file],
    // A session of its own: Ctrl-C reaches only us, and we end it when everything else has come to rest.
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, PID_FILE: pidFile } },
  );
  const connection = connect(new URL(`http://127.0.0.1:${port}`));
  await answers(connection, child);
  return {
    ...connection,
    file,
    stop: async () => {
      await end(child, connection);
      rmSync(pidFile, { force: true });
    },
  };
}

function connect(url: URL): DynamoDbBackend {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    endpoint: url.origin,
    file: undefined,
    send: (target, body) =>
      new Promise((resolve, reject) => {
        const headers = { ...HEADERS, 'x-amz-target': target, 'content-length': Buffer.byteLength(body) };
        const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 500, body: Buffer.concat(chunks) }),
          );
          response.on('error', reject);
        });
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    stop: async () => agent.destroy(),
  };
}

function findBinary(): string {
  const name = process.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide';
  try {
    const packageName = `@dynoxide/${process.platform}-${process.arch}`;
    return createRequire(import.meta.url).resolve(`${packageName}/${name}`);
  } catch {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const candidate = join(folder, name);
      if (folder !== '' && isExecutable(candidate)) return candidate;
    }
  }
  throw new Error(
    `There is no DynamoDB binary for ${process.platform}-${process.arch}. Put a "dynoxide" on PATH, or set ` +
      'FLOODGATE_DYNAMODB_ENDPOINT to the address of any local DynamoDB.',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function answers(connection: DynamoDbBackend, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await connection.send('DynamoDB_20120810.ListTables', '{}');
      return;
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`DynamoDB ended at its start (exit ${child.exitCode})`);
      if (Date.now() > deadline) throw new Error('DynamoDB did not start', { cause: error });
      await pause(10);
    }
  }
}

async function end(child: ChildProcess, connection: DynamoDbBackend): Promise<void> {
  await connection.stop();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin!.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}

/** Ends the binary that an earlier process left on the same file; the pid alone is no proof that it is ours. */
async function endOrphan(pidFile: string, file: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const isOurs = () => {
    const command = commandOf(pid);
    return command?.includes('dynoxide') === true && command.includes(file);
  };
  const deadline = Date.now() + STOP_LIMIT_MS;
  for (let signal: NodeJS.Signals = 'SIGTERM'; isOurs(); await pause(10)) {
    if (Date.now() > deadline) signal = 'SIGKILL';
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
  }
  rmSync(pidFile, { force: true });
}
