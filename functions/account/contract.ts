import * as z from 'zod/mini';
import { route } from '../kernel/contract.ts';

/** Tokens of every kind that Cognito makes are shorter. */
const refreshToken = z.string().check(z.minLength(1), z.maxLength(4_096));

export const signOut = route({
  id: 'signOut',
  method: 'POST',
  path: '/v1/account/sign-out',
  audience: 'shopper',
  priority: 'operate',
  summary:
    'Ends the session that the tokens are of, or all sessions of the account: no token of theirs opens anything',
  quota: { name: 'sign-out', requests: 10, seconds: 60 },
  body: z.union([z.strictObject({ refreshToken }), z.strictObject({ everywhere: z.literal(true) })]),
  responses: { 204: 'empty' },
});
