import {
  ConditionalCheckFailedException,
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { ExpressionRefused, type Item, meets, updated } from './expressions.ts';

/** A part of the world that a step reads or writes. Without `sk`: the whole partition. */
export interface Touch {
  readonly place: string;
  readonly sk?: string | undefined;
  readonly write: boolean;
}

/** One action of a command that writes. */
export interface Write {
  readonly table: string;
  readonly pk: string;
  readonly sk: string;
  /** The item afterwards; undefined when it is deleted. @throws conditionFailed, ExpressionRefused */
  readonly after: (before: Item | undefined) => Item | undefined;
  readonly showOld: boolean;
}

export const conditionFailed = Symbol('the condition is not met');

/** Actions of a transaction at most. */
const mostActions = 100;
/** Actions of a BatchWriteItem at most. */
const mostPuts = 25;

/** @throws Error on a command that is not known here; ValidationException on one that DynamoDB refuses at sight */
export function writesOf(command: unknown): Write[] {
  if (command instanceof PutCommand) return [putOf(command.input)];
  if (command instanceof UpdateCommand) return [updateOf(command.input)];
  if (command instanceof DeleteCommand) return [deleteOf(command.input)];
  if (command instanceof BatchWriteCommand) {
    const writes = Object.entries(command.input.RequestItems ?? {}).flatMap(([TableName, requests]) =>
      requests.map(({ PutRequest, DeleteRequest }) =>
        PutRequest ? putOf({ TableName, ...PutRequest }) : deleteOf({ TableName, ...DeleteRequest }),
      ),
    );
    return checked(writes, mostPuts);
  }
  if (command instanceof TransactWriteCommand) {
    const writes = (command.input.TransactItems ?? []).map((action) => {
      if (action.Put) return putOf(action.Put);
      if (action.Update) return updateOf(action.Update);
      if (action.Delete) return deleteOf(action.Delete);
      return checkOf(action.ConditionCheck);
    });
    return checked(writes, mostActions);
  }
  throw new Error(`the command ${(command as object).constructor.name} is not known here`);
}

function checked(writes: Write[], most: number): Write[] {
  const places = new Set(writes.map(({ table, pk, sk }) => JSON.stringify([table, pk, sk])));
  if (writes.length === 0 || writes.length > most) throw invalid(`1 to ${most} actions are allowed`);
  if (places.size < writes.length) throw invalid('one item cannot be written twice at once');
  return writes;
}

/** What DynamoDB calls a request that makes no sense. */
export function invalid(message: string): Error {
  return Object.assign(new Error(message), { name: 'ValidationException' });
}

/** How DynamoDB answers a write that meets another in flight: a plain one by itself, a transaction with its reasons. */
export function conflictOf(command: unknown, contended: (touch: Touch) => boolean): Error {
  const reasons = writesOf(command).map(({ table, pk, sk }) => ({
    Code: contended({ place: `${table} ${pk}`, sk, write: true }) ? 'TransactionConflict' : 'None',
  }));
  return command instanceof TransactWriteCommand
    ? refusal(command, reasons)
    : new TransactionConflictException({ message: 'Transaction is ongoing for the item', $metadata: {} });
}

/** How DynamoDB answers, after the client's own tries, when the first item's partition is at its limit. */
export function throttleOf(command: unknown): Error {
  const message = 'Throughput exceeds the current capacity of your table or index';
  if (!(command instanceof TransactWriteCommand)) {
    return new ProvisionedThroughputExceededException({ message, $metadata: {} });
  }
  const others = (command.input.TransactItems ?? []).slice(1).map(() => ({ Code: 'None' }));
  return refusal(command, [{ Code: 'ThrottlingError' }, ...others]);
}

export function refusal(command: unknown, reasons: readonly { Code: string; Item?: any }[]): Error {
  if (command instanceof TransactWriteCommand) {
    return new TransactionCanceledException({
      message: `Transaction cancelled [${reasons.map(({ Code }) => Code).join(', ')}]`,
      $metadata: {},
      CancellationReasons: [...reasons],
    });
  }
  if (reasons[0]?.Code === 'ValidationError') return invalid('the expression does not fit the item');
  const message = 'The conditional request failed';
  return new ConditionalCheckFailedException({ message, $metadata: {}, Item: reasons[0]?.Item });
}

/** Why an action cannot be done; undefined when it can. @throws Error on what is not known here */
export function reasonOf(
  error: unknown,
  { showOld }: Write,
  before: Item | undefined,
): { Code: string; Item?: any } {
  if (error instanceof ExpressionRefused) return { Code: 'ValidationError' };
  if (error !== conditionFailed) throw error;
  return { Code: 'ConditionalCheckFailed', ...(showOld && before && { Item: wire(before) }) };
}

function putOf(input: any): Write {
  const item = stored(input.Item);
  return writeOf(input, item, () => item);
}

function updateOf(input: any): Write {
  const { pk, sk } = input.Key;
  return writeOf(input, input.Key, (before) =>
    stored(updated(before ?? { pk, sk }, input.UpdateExpression ?? '', input)),
  );
}

function deleteOf(input: any): Write {
  return writeOf(input, input.Key, () => undefined);
}

function checkOf(input: any): Write {
  return writeOf(input, input.Key, (before) => before);
}

function writeOf(input: any, key: Item, change: (before: Item | undefined) => Item | undefined): Write {
  return {
    table: input.TableName,
    pk: key.pk,
    sk: key.sk,
    showOld: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
    after: (before) => {
      if (!meets(before, input.ConditionExpression, input)) throw conditionFailed;
      return change(before);
    },
  };
}

/** As the document client stores it: a copy without what is undefined. */
function stored(item: Item): Item {
  return JSON.parse(JSON.stringify(item));
}

function wire(item: Item): any {
  return marshall(item, { removeUndefinedValues: true });
}
