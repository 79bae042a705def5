import { environment } from '../../kernel/env.ts';
import { adminGetUser } from '../../kernel/user-pool.ts';
import { nameGroups } from '../app/name-groups.ts';

const { USER_POOL_ID } = environment('USER_POOL_ID');

/** Milliseconds; Cognito waits for five seconds. */
const patience = 3_000;

export const handler = nameGroups({
  hasSecondFactor: async (userName) =>
    ((await adminGetUser(USER_POOL_ID, userName, patience))?.UserMFASettingList ?? []).length > 0,
});
