import {
  BatchGetCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Bug } from '../../bench/simulation/simulation.ts';
import type { Defect } from '../../bench/simulation/world.ts';
import { dropsAmong } from '../../functions/admission/published.ts';
import { type Memories, memoriesOf } from '../../functions/order/adapters/placement-ports.ts';
import type { OnSale } from '../../functions/order/app/place-order.ts';
import { seededBugs } from './seeded-bugs.ts';

/** A mistake that the simulation must notice. */
interface SimulatedBug {
  readonly name: string;
  /** A seed that catches it; `npm run simulate:faults -- --bugs` searches for the first. */
  readonly seed: number;
  /** In the words of the check that notices it. */
  readonly notices: RegExp;
  /** New for each run. */
  readonly bug: () => Bug;
}

/** The mistakes that races notice are noticed by chance, too: each with its seed and the words of the history checker. */
const alsoRaced: Readonly<Record<string, readonly [seed: number, notices: RegExp]>> = {
  'events are appended without their condition': [2, /was changed or deleted|free and/],
  'stock is given back without the check of the sequence': [48, /free and|was changed or deleted/],
  'stock is taken without asking whether it is there': [4, /below zero/],
  'a cart is closed although it is closed': [6, /cart crt_.* became 2 orders/],
  'a resumed run sends anew instead of asking': [2, /hold of .* stays|charged 2 times|the provider/],
  'a timeout counts as a decline': [2, /hold of .* stays|the provider|charged 2 times/],
  'the money is captured together with its authorisation': [2, /captured without an intent/],
  'a hold that is to be voided is captured as well': [2, /captured without an intent/],
  'more is refunded than was promised': [2, /without an intent of that amount/],
  'a webhook is taken as a command': [39, /the provider|differs/],
  'the journal takes an event as often as it comes': [2, /the journal has/],
  'an e-mail is sent without a claim': [3, /for no reason/],
  'the wish to cancel is answered and not recorded': [2, /its shopper was told, and it is not/],
  'less is captured than the order costs': [2, /costs .* was taken/],
};

/** Changes the actions of transactions; one that answers nothing is left out. */
function actions(
  change: (action: any, all: readonly any[]) => any,
  about: (all: readonly any[]) => boolean = () => true,
): () => Bug {
  const command = (sent: unknown) => {
    if (!(sent instanceof TransactWriteCommand)) return sent;
    const all = sent.input.TransactItems ?? [];
    if (!about(all)) return sent;
    const TransactItems = all.flatMap((action) => change(action, all) ?? []);
    return new TransactWriteCommand({ ...sent.input, TransactItems });
  };
  return () => ({ defect: { command } });
}

const unconditional = ({ ConditionExpression: _, ...input }: any): any => input;

const commands = (command: NonNullable<Defect['command']>) => () => ({ defect: { command } });

/** Remembers whatever it has read of SKUs, in a drop or not, for so many milliseconds. */
function remembersAll(ageMs: number): typeof memoriesOf {
  return (now) => {
    const known = new Map<string, { at: number; sale: OnSale }>();
    const onSale: Memories['sales']['onSale'] = async (skus, read) => {
      const at = now();
      const before = known.get(skus.join());
      if (before && at - before.at < ageMs) return before.sale;
      const { prices, entries } = await read(skus);
      const sale = { prices, drops: dropsAmong(entries, at) };
      known.set(skus.join(), { at, sale });
      return sale;
    };
    return { ...memoriesOf(now), sales: { knows: () => false, onSale } };
  };
}

const isShard = ({ Update }: any) => Update?.TableName === 'inventory' && Update.Key.sk === 'SHARD';
const takes = (action: any) =>
  isShard(action) && action.Update.ConditionExpression?.startsWith('available >=');
const isFirst = ({ Put }: any) => Put?.Item.sk === 'EVENT#000001';
const isEnd = ({ Put }: any) => ['order.cancelled', 'order.expired'].includes(Put?.Item.type);

export const simulatedBugs: readonly SimulatedBug[] = [
  // What is lost on its way to the bus is found and sent again by the auditor here: no mistake any more.
  ...seededBugs.flatMap(({ name, defect, faults }) => {
    const [seed, notices] = alsoRaced[name] ?? [];
    return seed === undefined || !notices ? [] : [{ name, seed, notices, bug: () => ({ defect, faults }) }];
  }),
  {
    name: 'the journal answers and writes nothing',
    seed: 2,
    notices: /the journal has/,
    bug: commands((sent) =>
      sent instanceof PutCommand && sent.input.TableName === 'finance' ? undefined : sent,
    ),
  },
  {
    name: 'a refusal does not look whether the order is there',
    seed: 3,
    notices: /was refused .* although .* is theirs/,
    bug: commands((sent) =>
      sent instanceof GetCommand && sent.input.Key?.sk === 'EVENT#000001'
        ? new GetCommand({ ...sent.input, Key: { ...sent.input.Key, sk: 'EVENT#000000' } })
        : sent,
    ),
  },
  {
    name: 'a void is answered and not sent',
    seed: 2,
    notices: /hold of .* stays/,
    bug: () => ({
      defect: {
        provider: (real) => ({
          ...real,
          void: async ({ idempotencyKey }) => {
            const charge = await real.find(idempotencyKey.replace(/-void.*/, ''));
            return { ...charge!, status: 'voided' as const };
          },
        }),
      },
    }),
  },
  {
    name: 'an order takes nothing from the stock',
    seed: 2,
    notices: /free and/,
    bug: actions(
      (action) => (takes(action) ? undefined : action),
      (all) => all.some(isFirst),
    ),
  },
  {
    name: 'of two lines only one is given back',
    seed: 3,
    notices: /free and/,
    bug: actions(
      (action, all) => (isShard(action) && action !== all.find(isShard) ? undefined : action),
      (all) => all.some(isEnd),
    ),
  },
  {
    name: 'units are moved to a shard and stay where they were',
    seed: 8,
    notices: /free and/,
    bug: actions(
      (action) => (takes(action) ? undefined : action),
      (all) => all.some(takes) && all.some((one) => isShard(one) && !takes(one)) && all.every(isShard),
    ),
  },
  {
    name: 'an adjustment is made as often as it is sent',
    seed: 40,
    notices: /was to change the stock by/,
    bug: () => {
      let sent = 0;
      const isRecord = ({ Put }: any) => Put?.Item.pk.startsWith('ADJUSTMENT#');
      return actions(
        (action) =>
          isRecord(action)
            ? { Put: { ...action.Put, Item: { ...action.Put.Item, sk: `${++sent}` } } }
            : action,
        (all) => all.some(isRecord),
      )();
    },
  },
  {
    name: 'the sweeper asks for orders of another bucket',
    seed: 3,
    notices: /stays placed/,
    bug: commands((sent) => {
      if (!(sent instanceof QueryCommand) || sent.input.IndexName !== 'by-due') return sent;
      const ExpressionAttributeValues = { ...sent.input.ExpressionAttributeValues, ':bucket': 'DUE#none' };
      return new QueryCommand({ ...sent.input, ExpressionAttributeValues });
    }),
  },
  {
    name: 'an entry is posted without its tax',
    seed: 2,
    notices: /does not balance/,
    bug: commands((sent) => {
      if (!(sent instanceof PutCommand) || !sent.input.Item?.postings) return sent;
      const postings = sent.input.Item.postings.filter(({ kind }: any) => kind !== 'tax');
      return new PutCommand({ ...sent.input, Item: { ...sent.input.Item, postings } });
    }),
  },
  {
    name: 'the list of orders takes only the first event',
    seed: 2,
    notices: /list of orders knows nothing/,
    bug: commands((sent) =>
      sent instanceof UpdateCommand && sent.input.TableName === 'reporting' && !('fact1' in factsOf(sent))
        ? undefined
        : sent,
    ),
  },
  {
    name: 'an order is placed in two steps',
    seed: 2,
    notices: /free and/,
    bug: actions(
      (action) => (isFirst(action) ? action : undefined),
      (all) => all.some(isFirst) && all.length > 2,
    ),
  },
  {
    name: 'an admission can be used again',
    seed: 104,
    notices: /used twice/,
    bug: actions((action) =>
      action.Put?.Item.pk.startsWith('CLAIM#') ? { Put: unconditional(action.Put) } : action,
    ),
  },
  {
    name: 'the limit of a drop is not asked',
    seed: 30,
    notices: /units of the drop/,
    bug: actions((action) =>
      action.Update?.Key.pk.startsWith('CUSTOMER#') ? { Update: unconditional(action.Update) } : action,
    ),
  },
  {
    name: 'the limit of a drop counts orders, not units',
    seed: 30,
    notices: /units of the drop/,
    bug: actions(
      (action) => {
        if (isFirst(action)) return { Put: { ...action.Put, Item: countedOnce(action.Put.Item) } };
        if (!action.Update?.Key.pk.startsWith('CUSTOMER#')) return action;
        const values = action.Update.ExpressionAttributeValues;
        const room = values[':room'] + values[':units'] - 1;
        const ExpressionAttributeValues = { ...values, ':units': 1, ':room': room };
        return { Update: { ...action.Update, ExpressionAttributeValues } };
      },
      (all) => all.some(isFirst),
    ),
  },
  {
    name: 'stock is set without asking what was sold since the count',
    seed: 258,
    notices: /was to set .* and left/,
    bug: actions((action) => {
      if (action.ConditionCheck) return undefined;
      return action.Update?.ConditionExpression === 'rev = :rev'
        ? { Update: unconditional(action.Update) }
        : action;
    }),
  },
  {
    name: 'what ends unpaid is not given back to the limit',
    seed: 83,
    notices: /counts .* units, .* were bought/,
    bug: actions(
      (action) => (action.Update?.Key.pk.startsWith('CUSTOMER#') ? undefined : action),
      (all) => all.some(isEnd),
    ),
  },
  {
    name: 'a slot of the fallback rate is taken by many',
    seed: 1_261,
    notices: /FALLBACK.* was used twice|share .* slots/,
    bug: actions((action) =>
      action.Put?.Item.pk.startsWith('FALLBACK#') ? { Put: unconditional(action.Put) } : action,
    ),
  },
  {
    name: 'the terms of a SKU change in its drop',
    seed: 532,
    notices: /which was no price of/,
    bug: commands((sent) => {
      const asked = sent instanceof BatchGetCommand ? sent.input.RequestItems?.admission : undefined;
      if (!asked?.ConsistentRead || asked.Keys?.[0]?.sk !== 'DROPS') return sent;
      const Keys = asked.Keys.map((key) => ({ ...key, sk: 'NONE' }));
      return new BatchGetCommand({ RequestItems: { admission: { ...asked, Keys } } });
    }),
  },
  {
    name: 'what is sold without a drop is remembered as well',
    seed: 89,
    notices: /which was no price of/,
    bug: () => ({ faults: { memories: remembersAll(1_000) } }),
  },
  {
    name: 'what is remembered is kept for ever',
    seed: 4,
    notices: /which was no price of/,
    bug: () => ({ faults: { memories: remembersAll(Number.POSITIVE_INFINITY) } }),
  },
  {
    name: 'a latch closes without asking what came since the count',
    seed: 112,
    notices: /latch of .* is closed over/,
    bug: commands((sent) =>
      sent instanceof UpdateCommand && sent.input.UpdateExpression === 'SET soldOut = :true'
        ? new UpdateCommand(unconditional(sent.input))
        : sent,
    ),
  },
  {
    name: 'stock comes back behind a closed latch',
    seed: 3,
    notices: /latch of .* is closed over/,
    bug: actions((action) =>
      /REMOVE soldOut/.test(action.Update?.UpdateExpression ?? '') ? undefined : action,
    ),
  },
  {
    name: 'a refund is asked for under a key of each try',
    seed: 2,
    notices: /was refunded, the provider|without an intent|pending for ever/,
    bug: () => {
      let sent = 0;
      return {
        defect: {
          provider: (real) => ({
            ...real,
            find: async (reference) => {
              const charge = await real.find(reference);
              return charge && { ...charge, refunds: [] };
            },
            refund: (call) => {
              sent++;
              return real.refund({
                ...call,
                refundId: `${call.refundId}-${sent}`,
                idempotencyKey: `${call.idempotencyKey}-${sent}`,
              });
            },
          }),
        },
      };
    },
  },
];

function countedOnce({ body, ...item }: any): object {
  const { admissions, ...placed } = JSON.parse(body);
  const once = admissions?.map((one: any) => ({ ...one, units: 1 }));
  return { ...item, body: JSON.stringify({ ...placed, ...(once && { admissions: once }) }) };
}

function factsOf({ input }: UpdateCommand): object {
  const names = Object.keys(input.ExpressionAttributeValues ?? {}).map((name) => [name.slice(1), true]);
  return Object.fromEntries(names);
}
