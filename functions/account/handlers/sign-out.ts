import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { adminUserGlobalSignOut, revokeToken } from '../../kernel/user-pool.ts';
import { endSessions } from '../../limits/published.ts';
import { signOut } from '../app/sign-out.ts';
import * as contract from '../contract.ts';

const env = environment('LIMITS_TABLE', 'TOKEN_CLIENT_ID', 'USER_POOL_ID');
/** Milliseconds. */
const patience = 3_000;

const ports = {
  now: systemNow,
  revoke: (token: string) => revokeToken(env.TOKEN_CLIENT_ID, token, patience),
  revokeAll: (customerId: string) => adminUserGlobalSignOut(env.USER_POOL_ID, customerId, patience),
  end: endSessions.bind(undefined, documents, env.LIMITS_TABLE),
};

export const handler = httpHandler(contract.signOut, signOut(ports));
