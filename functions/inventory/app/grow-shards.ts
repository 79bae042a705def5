import { isDomainError } from '../../kernel/errors.ts';
import { log } from '../../kernel/log.ts';
import { grownTo, type Heat, judge } from '../domain/heat.ts';
import { unitsIn } from '../domain/shards.ts';
import { type Ports as RaisePorts, raiseShards } from './set-shards.ts';

interface Ports extends RaisePorts {
  readonly heats: () => Promise<readonly Heat[]>;
  /** Keeps what a look found. */
  readonly judged: (heat: Heat) => Promise<void>;
}

/** Between two looks while something is hot. Milliseconds. */
const lookEveryMs = 2_000;
/** The next run begins after a minute. */
const runMs = 50_000;

/**
 * Grows the shards of SKUs whose buyers are in each other's way.
 *
 * 1. Look at the conflicts that were reported since the last look.
 * 2. A SKU that was hot at two looks in succession gets four times as many shards, never fewer than it has.
 * 3. While something is hot look again every two seconds; else the next run is soon enough.
 */
export const growShards = (ports: Ports) => async (): Promise<{ grown: number }> => {
  const until = ports.now() + runMs;
  let grown = 0;
  for (;;) {
    let hot = false;
    for (const heat of await ports.heats()) {
      if (heat.conflicts === heat.judged && heat.streak === 0) continue;
      const look = judge(heat, ports.now());
      if (!look) continue;
      hot ||= look.hot;
      await ports.judged(look.next);
      if (look.grow && (await grow(ports, heat.sku))) grown++;
    }
    if (!hot || ports.now() + lookEveryMs >= until) return { grown };
    await ports.sleep(lookEveryMs);
  }
};

async function grow(ports: Ports, sku: string): Promise<boolean> {
  try {
    const { before, stock } = await raiseShards(ports, sku, ({ shards }) =>
      grownTo(shards.length, unitsIn(shards)),
    );
    const after = stock.shards.length;
    if (after > before) log.info('shards grown by heat', { sku, before, after });
    return after > before;
  } catch (error) {
    // Somebody else raised it, or it sells too fast to be counted: the next look comes.
    if (isDomainError(error)) return false;
    throw error;
  }
}
