import { parseArgs } from 'node:util';
import { endSessions } from '../../functions/limits/published.ts';
import { type Lever, UsageError } from './lever.ts';

/** What is done to the account before its sessions end, by the option that asks for it. */
const ways = {
  disable: { says: 'would disable the account', operations: ['AdminDisableUser'] },
  'sign-out': { says: 'would leave the account as it is', operations: [] },
  delete: { says: 'would delete the account for good', operations: [] },
} as const;

/** An account that must not be used any more: somebody has left, or somebody else has its password. */
export const shutAccount: Lever = {
  summary: 'ends all sessions of an account, at once, and disables it (or deletes it, or leaves it)',
  // Its id and not its e-mail: what was asked is kept in the log.
  usage: "<customer's id> [--sign-out | --delete]",
  async plan({ documents, table, now, aws, resources }, args) {
    const { customerId, way } = readArguments(args);
    const [pool] = resources('AWS::Cognito::UserPool');
    if (!pool) throw new Error('this stage has no user pool');
    const account = { UserPoolId: pool.ref, Username: customerId };
    const { Enabled } = await aws('cognito-idp', 'AdminGetUser', account);
    const { says, operations } = ways[way];
    return {
      says: [
        `the account is ${Enabled ? 'enabled' : 'disabled'}`,
        says,
        'would end all of its sessions, and have their access tokens refused',
      ],
      go: async () => {
        for (const operation of [...operations, 'AdminUserGlobalSignOut']) {
          await aws('cognito-idp', operation, account);
        }
        await endSessions(documents, table('limits'), { ended: { customer: customerId }, at: await now() });
        // Last, as nobody could find it afterwards to repeat the rest.
        if (way === 'delete') await aws('cognito-idp', 'AdminDeleteUser', account);
        return ['Its sessions have ended. Environments know within five seconds.'];
      },
    };
  },
};

function readArguments(args: readonly string[]): { customerId: string; way: keyof typeof ways } {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { 'sign-out': { type: 'boolean' }, delete: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [customerId, ...more] = positionals;
  if (!customerId || more.length > 0 || !/^[0-9a-f-]{36}$/.test(customerId)) {
    throw new UsageError('which account? Its id is what aws cognito-idp admin-get-user calls sub');
  }
  if (values['sign-out'] && values.delete) throw new UsageError('--sign-out or --delete, not both');
  return { customerId, way: values.delete ? 'delete' : values['sign-out'] ? 'sign-out' : 'disable' };
}
