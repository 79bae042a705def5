import type { Caller, Meter, MeterLine, Resource } from './types.ts';

/** Payloads of queues, buses, pipes and schedules are billed in chunks of 64 KB. */
const CHUNK_BYTES = 64 * 1024;

/** Who uses a role, by the property that names it. */
const roleUsers: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'Role',
  'AWS::StepFunctions::StateMachine': 'RoleArn',
  'AWS::Pipes::Pipe': 'RoleArn',
};

/** Adds up what passes through the embedded cloud, from its start or the last reset. In memory: a restart resets it. */
export class RequestMeter implements Meter {
  readonly #lines = new Map<string, MeterLine & { counts: Record<string, number> }>();
  readonly #names = new Map<string, string>();
  readonly #now: () => number;
  #since: number;

  /** @param now milliseconds since the epoch */
  constructor(resources: readonly Resource[], now: () => number) {
    this.#now = now;
    this.#since = now();
    for (const { type, arn, ref, properties } of resources) {
      const role = properties[roleUsers[type] ?? ''];
      if (role) this.#names.set(String(role), nameOf(arn || ref));
    }
    for (const { type, properties } of resources) {
      const { RoleArn } = type === 'AWS::Scheduler::Schedule' ? (properties.Target ?? {}) : {};
      if (RoleArn) this.#names.set(RoleArn, 'scheduler');
    }
  }

  add(line: Omit<MeterLine, 'by'> & { readonly by: string | Caller }): void {
    const { service, resource, operation, counts } = line;
    const by = this.nameOf(line.by);
    const key = `${service}\n${resource}\n${operation}\n${by}`;
    let sum = this.#lines.get(key);
    if (!sum) {
      sum = { service, resource, operation, by, counts: {} };
      this.#lines.set(key, sum);
    }
    for (const name in counts) sum.counts[name] = (sum.counts[name] ?? 0) + counts[name]!;
  }

  /** A copy, in the order of service, resource, operation and caller. */
  read(): { readonly since: string; readonly lines: readonly MeterLine[] } {
    const lines = [...this.#lines].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      since: new Date(this.#since).toISOString(),
      lines: lines.map(([, line]) => ({ ...line, counts: { ...line.counts } })),
    };
  }

  reset(): void {
    this.#lines.clear();
    this.#since = this.#now();
  }

  nameOf(caller: string | Caller): string {
    if (typeof caller === 'string') return caller;
    if (caller.kind === 'role') return this.#names.get(caller.roleArn) ?? caller.roleArn;
    return caller.kind === 'service' ? caller.service : '';
  }
}

/** Chunks of 64 KB that a payload is billed as; an empty one is one. @param bytes of UTF-8 */
export function chunksOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / CHUNK_BYTES));
}

/** `call` of a service, counting what each request that is answered is billed as. Refused ones cost nothing. */
export function metered(
  meter: Meter,
  service: string,
  call: (operation: string, input: any, caller: Caller) => Promise<any>,
  bill: (
    operation: string,
    input: any,
    output: any,
  ) => { readonly resource: string; readonly counts: Readonly<Record<string, number>> } | undefined,
): typeof call {
  return async (operation, input, caller) => {
    const output = await call(operation, input, caller);
    const billed = bill(operation, input, output);
    if (billed && caller.kind !== 'operator') meter.add({ service, operation, by: caller, ...billed });
    return output;
  };
}

/** The last part of an ARN or URL, of a function without its version or alias; a name as it is. */
export function nameOf(arnOrName: string): string {
  const [, fn] = /:function:([^:]+)/.exec(arnOrName) ?? [];
  if (fn) return fn;
  return arnOrName.slice(Math.max(arnOrName.lastIndexOf(':'), arnOrName.lastIndexOf('/')) + 1);
}
