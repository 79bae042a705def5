import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClock } from '../../local/clock.ts';
import { startDynamoDb } from '../../local/dynoxide.ts';
import { findFreePort } from '../../local/ports.ts';
import { commandOf } from '../../local/processes.ts';
import { startRuntime } from '../../local/runtime.ts';
import { SharedClock } from '../../local/shared-clock.ts';
import type { Service, ServiceFactory } from '../../local/types.ts';
import { temporaryFolder } from './support/runtime.ts';
import { attribute, writeAssembly } from './support/templates.ts';

function assembly(): string {
  const Api = { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } };
  return writeAssembly({
    shop: {
      Resources: { Other: Api, Api, Queue: { Type: 'AWS::SQS::Queue' } },
      Outputs: { ApiUrl: { Value: attribute('Api', 'ApiEndpoint') } },
    },
  });
}

async function start(options: { home?: string; port?: number } = {}, factories: ServiceFactory[] = []) {
  const home = options.home ?? temporaryFolder();
  const cloud = await startRuntime({ quiet: true, assembly: assembly(), ...options, home }, factories);
  onTestFinished(() => cloud.stop());
  return cloud;
}

describe('ports', () => {
  it('stay the same over restarts, all but the main one when another is asked for', async () => {
    const home = temporaryFolder();
    const first = await start({ home });
    await first.stop();
    const port = await findFreePort();
    const second = await start({ home, port });
    expect(second.runtime.endpoint).toBe(first.runtime.endpoint);
    expect(second.runtime.resources('AWS::SQS::Queue')).toEqual(first.runtime.resources('AWS::SQS::Queue'));
    const portOf = (cloud: typeof first, id: string) =>
      cloud.runtime.resources('AWS::ApiGatewayV2::Api').find((api) => api.logicalId === id)?.attributes
        .LocalPort;
    expect(portOf(second, 'Other')).toBe(portOf(first, 'Other'));
    expect(portOf(second, 'Api')).toBe(String(port));
    expect(second.apiUrl).toBe(`http://127.0.0.1:${port}`);
    expect(second.runtime.output('ApiUrl')).toBe(second.apiUrl);
  });

  it('in use are a clear error, after which nothing is left running', async () => {
    const server = createServer();
    const port = await findFreePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const home = temporaryFolder();
    await expect(start({ home, port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`Port ${port} is already in use`),
    });
    server.close();
    await once(server, 'close');
    await start({ home, port });
  });
});

describe('the home folder', () => {
  it('is taken over from a process that no longer runs', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'lock'), '999999999 1');
    await expect(start({ home })).resolves.toBeDefined();
  });

  it('is not mistaken for that of a later process with the same id', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'lock'), `${process.pid} 1`);
    await expect(start({ home })).resolves.toBeDefined();
  });
});

describe('services', () => {
  const recorder =
    (log: string[], name: string, fails = false): ServiceFactory =>
    (): Service => ({
      name,
      call: async (operation) => `${name}.${operation}`,
      async start() {
        log.push(`start ${name}`);
        if (fails) throw new Error(`${name} fails`);
      },
      async stop() {
        log.push(`stop ${name}`);
      },
    });

  it('start in order, reach each other and stop in the opposite order', async () => {
    const log: string[] = [];
    const cloud = await start({}, [recorder(log, 'a'), recorder(log, 'b'), recorder(log, 'c')]);
    expect(await cloud.runtime.call('b', 'Do', {}, { kind: 'operator' })).toBe('b.Do');
    await cloud.stop();
    expect(log).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });

  it('already started are stopped when a later one fails', async () => {
    const log: string[] = [];
    const home = temporaryFolder();
    const failing = start({ home }, [recorder(log, 'a'), recorder(log, 'b', true), recorder(log, 'c')]);
    await expect(failing).rejects.toThrow('b fails');
    expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    await expect(start({ home })).resolves.toBeDefined();
  });
});

describe('the DynamoDB process', () => {
  const binary = createRequire(import.meta.url).resolve(
    `@dynoxide/${process.platform}-${process.arch}/dynoxide`,
  );

  function leave(home: string, command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    writeFileSync(join(home, 'dynamodb.pid'), String(child.pid));
    return child;
  }

  it('of a crashed parent is ended before the next one starts', async () => {
    const home = temporaryFolder();
    const args = [
      'serve',
      '--port',
      String(await findFreePort()),
      '--db-path',
      join(home, 'dynamodb.sqlite'),
    ];
    const orphan = leave(home, binary, args);
    const ended = once(orphan, 'exit');
    const backend = await startDynamoDb(home);
    onTestFinished(() => backend.stop());
    await ended;
  });

  it('is not confused with a stranger that got its id', async () => {
    const home = temporaryFolder();
    const stranger = leave(home, 'sleep', ['60']);
    const backend = await startDynamoDb(home);
    onTestFinished(() => backend.stop());
    expect(commandOf(stranger.pid!)).toContain('sleep');
  });

  it('ends by itself when its parent is killed', async () => {
    const home = temporaryFolder();
    const source = `import { startDynamoDb } from ${JSON.stringify(join(import.meta.dirname, '../../local/dynoxide.ts'))};
      await startDynamoDb(${JSON.stringify(home)});
      const { readFileSync } = await import('node:fs');
      console.log(readFileSync(${JSON.stringify(join(home, 'dynamodb.pid'))}, 'utf8'));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line] = await once(parent.stdout!, 'data');
    const pid = Number(String(line));
    expect(commandOf(pid)).toContain('dynoxide');
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(commandOf(pid)).toBeUndefined(), { timeout: 10_000 });
  });
});

describe('the clock', () => {
  it('moves forward, rings what is due in order and awaits its listeners', async () => {
    const clock = createClock();
    onTestFinished(() => clock.stop());
    const log: string[] = [];
    const start = clock.now();
    clock.at(start + 120_000, () => log.push('second'));
    clock.at(start + 60_000, () => log.push('first'));
    const cancel = clock.at(start + 60_000, () => log.push('cancelled'));
    cancel();
    const remove = clock.onAdvance(async (offset) => {
      await Promise.resolve();
      log.push(`moved ${offset}`);
    });
    await clock.advance(200_000);
    remove();
    await clock.advance(1);
    expect(log).toEqual(['first', 'second', 'moved 200000']);
    expect(clock.now() - start).toBeGreaterThanOrEqual(200_001);
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
  });

  it('goes on from where it is at another pace, and its alarms with it', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const clock = createClock(5_000);
    onTestFinished(() => clock.stop());
    const start = clock.now();
    const rung: number[] = [];
    clock.at(start + 100, () => rung.push(clock.now() - start));
    await clock.run(0.25);
    expect(clock.now()).toBe(start);
    await vi.advanceTimersByTimeAsync(396);
    expect(clock.now() - start).toBe(99);
    expect(rung).toEqual([]);
    await vi.advanceTimersByTimeAsync(4);
    expect(rung).toEqual([100]);
    await clock.advance(1_000);
    await clock.run(1);
    await vi.advanceTimersByTimeAsync(10);
    expect(clock.now() - start).toBe(1_110);
    expect(clock.offset).toBe(5_000 + 1_000 - 300);
    await expect(clock.run(0)).rejects.toThrow(RangeError);
  });

  it('is the same in the threads of functions, whatever its pace', () => {
    const written = new SharedClock();
    const read = new SharedClock(written.memory);
    written.set({ base: 5_000, pace: 1 });
    expect(read.at(100)).toBe(5_100);
    written.set({ base: 5_075, pace: 0.25 });
    expect([read.at(100), read.at(200), read.pace]).toEqual([5_100, 5_125, 0.25]);
  });

  it('rings by itself when the time comes', async () => {
    const clock = createClock();
    onTestFinished(() => clock.stop());
    await new Promise<void>((done) => clock.at(clock.now() + 5, done));
  });

  it('keeps its offset over a restart', async () => {
    const home = temporaryFolder();
    const first = await start({ home });
    await first.runtime.clock.advance(3_600_000);
    await first.stop();
    expect((await start({ home })).runtime.clock.offset).toBe(3_600_000);
  });
});
