import { PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { SagaFaults } from '../../bench/simulation/actors.ts';
import { type Defect, orderOf } from '../../bench/simulation/world.ts';
import type { PaymentProvider } from '../../functions/payment/domain/provider.ts';

/** A mistake that somebody could make in the product, made in the ports instead. */
interface SeededBug {
  readonly name: string;
  /** The race that must notice it. */
  readonly race: string;
  /** In the words of the check that notices it. */
  readonly notices: RegExp;
  /** New for each run of a race. */
  readonly defect?: Defect;
  readonly faults?: SagaFaults;
}

const unconditional = ({ ConditionExpression: _, ...input }: any): any => input;

/** Takes the conditions off the actions of a command that are `about` a table. */
function without(about: (input: any) => boolean): Defect {
  const strip = (input: any) => (about(input) ? unconditional(input) : input);
  return {
    command: (command) => {
      if (command instanceof PutCommand) return new PutCommand(strip(command.input));
      if (command instanceof UpdateCommand) return new UpdateCommand(strip(command.input));
      if (!(command instanceof TransactWriteCommand)) return command;
      const TransactItems = command.input.TransactItems!.map(({ Put, Update, ...action }) => ({
        ...action,
        ...(Put && { Put: strip(Put) }),
        ...(Update && { Update: strip(Update) }),
      }));
      return new TransactWriteCommand({ ...command.input, TransactItems });
    },
  };
}

const isEvent = ({ TableName, Item }: any) => TableName === 'order' && Item?.sk?.startsWith('EVENT#');
const typeOf = (command: unknown) => (command instanceof PutCommand ? command.input.Item?.type : undefined);

/** A provider whose calls are changed on the way. */
function provider(change: (real: PaymentProvider) => Partial<PaymentProvider>): Defect {
  return { provider: (real) => ({ ...real, ...change(real) }) };
}

let sent = 0;

export const seededBugs: readonly SeededBug[] = [
  {
    name: 'events are appended without their condition',
    race: 'cancel during authorise',
    notices: /cancel|paid/,
    defect: without(isEvent),
  },
  {
    name: 'stock is given back without the check of the sequence',
    race: 'an order ended by three at once',
    notices: /of 2 units/,
    defect: {
      command: (command) =>
        command instanceof TransactWriteCommand &&
        command.input.TransactItems!.some(({ Update }) => Update?.TableName === 'inventory')
          ? without(({ Item }) => Item?.sk > 'EVENT#000001').command!(command)
          : command,
    },
  },
  {
    name: 'stock is taken without asking whether it is there',
    race: 'two orders for the last unit',
    notices: /below zero/,
    defect: without(({ TableName }) => TableName === 'inventory'),
  },
  {
    name: 'a latch closes without asking what came since the count',
    race: 'release against latch',
    notices: /latch of sku_cup is closed over 1 units/,
    defect: without(({ UpdateExpression }) => UpdateExpression === 'SET soldOut = :true'),
  },
  {
    name: 'stock is given back behind a closed latch',
    race: 'release against a closed latch',
    notices: /latch of sku_cup is closed over 1 units/,
    defect: {
      command: (command) =>
        command instanceof TransactWriteCommand
          ? new TransactWriteCommand({
              ...command.input,
              TransactItems: command.input.TransactItems!.filter(
                ({ Update }) => !/REMOVE soldOut/.test(Update?.UpdateExpression ?? ''),
              ),
            })
          : command,
    },
  },
  {
    name: 'a shard is written past its counts',
    race: 'two orders for the last unit',
    notices: /do not explain/,
    defect: {
      command: (command) => {
        if (!(command instanceof TransactWriteCommand)) return command;
        const TransactItems = command.input.TransactItems!.map(({ Update, ...action }) => ({
          ...action,
          ...(Update && {
            Update: {
              ...Update,
              UpdateExpression: Update.UpdateExpression!.replace(/, #counter = .* \+ :by$/, ''),
            },
          }),
        }));
        return new TransactWriteCommand({ ...command.input, TransactItems });
      },
    },
  },
  {
    name: 'a cart is closed although it is closed',
    race: 'two tabs ordering one cart',
    notices: /cart became 2 orders/,
    defect: without(({ TableName }) => TableName === 'cart'),
  },
  {
    name: 'a resumed run sends anew instead of asking',
    race: 'second card while the first is unknown',
    notices: /hold of .* stays/,
    defect: provider((real) => ({
      find: async () => undefined,
      authorise: (call) => real.authorise({ ...call, idempotencyKey: `key-${++sent}` }),
    })),
  },
  {
    name: 'a timeout counts as a decline',
    race: 'second card while the first is unknown',
    notices: /hold of .* stays|charged 2 times|answered undefined/,
    faults: {
      tasks: (tasks) => ({
        ...tasks,
        'call-provider': async (command) => {
          try {
            return await tasks['call-provider']!(command);
          } catch (error) {
            if (command.step !== 'authorise') throw error;
            return { step: 'authorise', outcome: 'declined', reason: 'timeout' };
          }
        },
      }),
    },
  },
  {
    name: 'the money is captured together with its authorisation',
    race: 'two runs of the saga for one attempt',
    notices: /captured without an intent/,
    defect: provider((real) => ({
      authorise: async (call) => {
        const { id } = await real.authorise(call);
        return real.capture({ authorizationId: id, amount: call.amount, idempotencyKey: call.reference });
      },
    })),
  },
  {
    name: 'a hold that is to be voided is captured as well',
    race: 'cancel during authorise',
    notices: /captured without an intent/,
    defect: provider((real) => ({
      void: async (call) => {
        const amount = { amount: 4_000, currency: 'KRW' as const };
        return real.capture({ ...call, amount, idempotencyKey: `${call.idempotencyKey}-capture` });
      },
    })),
  },
  {
    name: 'more is refunded than was promised',
    race: 'reconciler during a run',
    notices: /without an intent of that amount/,
    defect: provider((real) => ({
      refund: (call) => real.refund({ ...call, amount: { ...call.amount, amount: call.amount.amount + 1 } }),
    })),
  },
  {
    name: 'a webhook is taken as a command',
    race: 'webhook before return, return before webhook',
    notices: /captured as cap_said_so/,
    faults: {
      webhook: async (actors, actor, reference) => {
        const orderId = orderOf(reference);
        const outcome = { step: 'capture', outcome: 'captured', captureId: 'cap_said_so' };
        await actors.tasks(actor)['record-outcome']!({
          command: { step: 'capture', orderId, reference },
          outcome,
        });
      },
    },
  },
  {
    name: 'the journal takes an event as often as it comes',
    race: 'two orders for the last unit',
    notices: /the journal/,
    defect: {
      command: (command) => {
        if (!(command instanceof PutCommand) || command.input.TableName !== 'finance') return command;
        const Item = { ...command.input.Item, sk: `${command.input.Item!.sk}-${++sent}` };
        return new PutCommand({ ...unconditional(command.input), Item });
      },
    },
  },
  {
    name: 'an e-mail is sent without a claim',
    race: 'two orders for the last unit',
    notices: /e-mails? about|sent an e-mail/,
    defect: without(({ TableName }) => TableName === 'notification'),
  },
  {
    name: 'the wish to cancel is answered and not recorded',
    race: 'cancel during authorise',
    notices: /the order ends paid/,
    defect: { command: (command) => (typeOf(command) === 'cancel.requested' ? undefined : command) },
  },
  {
    name: 'an event is lost on its way to the bus',
    race: 'two orders for the last unit',
    notices: /0 e-mails about payment.captured/,
    defect: { bus: (event) => (event.type === 'payment.captured' ? [] : [event]) },
  },
  {
    name: 'less is captured than the order costs',
    race: 'two runs of the saga for one attempt',
    notices: /costs 4000, 3999 was taken/,
    defect: provider((real) => ({
      capture: (call) =>
        real.capture({ ...call, amount: { ...call.amount, amount: call.amount.amount - 1 } }),
    })),
  },
];
