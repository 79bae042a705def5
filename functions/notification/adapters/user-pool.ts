import { adminGetUser } from '../../kernel/user-pool.ts';
import type { Ports } from '../app/send-mail.ts';

/** Milliseconds. */
const timeout = 5_000;

/** One mailbox: nothing that a list of recipients could be made of. */
const mailbox = /^[^\s@<>,;:"\\()[\]]+@[^\s@<>,;:"\\()[\]]+$/;

/**
 * Addresses from the user pool, whose user name is the customer's id (its `sub`).
 * @throws AwsRefusal, or Error when the pool does not answer
 */
export function userPoolAddresses(userPoolId: string): Ports['addressOf'] {
  return async (customerId) => {
    const user = await adminGetUser(userPoolId, customerId, timeout);
    const address = user?.UserAttributes?.find(({ Name }) => Name === 'email')?.Value;
    return address !== undefined && mailbox.test(address) ? address : undefined;
  };
}
