import { randomUUID } from 'node:crypto';
import type { User } from './cognito-directory.ts';
import { sendMail } from './cognito-mail.ts';
import { checkPassword, hashPassword, temporaryPassword } from './cognito-passwords.ts';
import {
  attributeList,
  attributesFrom,
  identityOf,
  type Pool,
  secondFactorOf,
  userNamed,
} from './cognito-pool.ts';
import { AwsError, type Runtime } from './types.ts';

type Administration = (pool: Pool, input: any) => Promise<object> | object;

/** Operations on any account of a pool, for callers with the permission of the same name. */
export function administrationOf(runtime: Runtime): Readonly<Record<string, Administration>> {
  return {
    AdminCreateUser: (pool, input) => createUser(runtime, pool, input),
    AdminSetUserPassword: setPassword,
    AdminGetUser(pool, input) {
      const user = userNamed(pool, input.Username);
      const { Attributes, ...description } = describe(user);
      return { ...description, UserAttributes: Attributes, ...secondFactorOf(pool, user) };
    },
    AdminSetUserMFAPreference(pool, input) {
      const { Enabled } = input.SoftwareTokenMfaSettings ?? {};
      if (Enabled !== undefined) pool.secondFactors.prefer(userNamed(pool, input.Username), Enabled);
      return {};
    },
    AdminUpdateUserAttributes(pool, input) {
      const user = userNamed(pool, input.Username);
      const attributes = { ...user.attributes, ...attributesFrom(input.UserAttributes) };
      pool.directory.update(user, { attributes });
      return {};
    },
    AdminAddUserToGroup(pool, input) {
      pool.directory.join(userNamed(pool, input.Username), input.GroupName);
      return {};
    },
    AdminRemoveUserFromGroup(pool, input) {
      pool.directory.leave(userNamed(pool, input.Username), input.GroupName);
      return {};
    },
    AdminListGroupsForUser(pool, input) {
      const groups = pool.directory.groupsOf(userNamed(pool, input.Username));
      return { Groups: groups.map((GroupName) => ({ GroupName, UserPoolId: pool.resource.ref })) };
    },
    AdminDisableUser(pool, input) {
      const user = userNamed(pool, input.Username);
      pool.directory.update(user, { enabled: false });
      pool.tokens.revokeAll(user.sub);
      return {};
    },
    AdminEnableUser(pool, input) {
      pool.directory.update(userNamed(pool, input.Username), { enabled: true });
      return {};
    },
    AdminDeleteUser(pool, input) {
      pool.directory.delete(userNamed(pool, input.Username));
      return {};
    },
    AdminUserGlobalSignOut(pool, input) {
      pool.tokens.revokeAll(userNamed(pool, input.Username).sub);
      return {};
    },
    ListUsers: listUsers,
    // Not an operation of AWS: accounts without a password, for a load that needs thousands at once.
    CreateShoppers: (pool, input) => createShoppers(runtime, pool, input),
  };
}

async function createUser(runtime: Runtime, pool: Pool, input: any): Promise<object> {
  const temporary: string = input.TemporaryPassword ?? temporaryPassword();
  checkPassword(temporary, pool.resource.properties.Policies?.PasswordPolicy);
  const attributes = { email_verified: 'false', ...attributesFrom(input.UserAttributes) };
  const created = pool.directory.create(input.Username ?? '', attributes, 'FORCE_CHANGE_PASSWORD', null);
  const password = await hashPassword(temporary, identityOf(pool, created));
  const user = pool.directory.update(created, { password });
  const address = user.attributes.email;
  if (input.MessageAction !== 'SUPPRESS' && address) {
    const text = `Your username is ${address} and temporary password is ${temporary}.`;
    await sendMail(runtime, pool, address, 'Your temporary password', text);
  }
  return { User: describe(user) };
}

async function createShoppers(runtime: Runtime, pool: Pool, input: any): Promise<object> {
  const { db } = runtime;
  const client = runtime
    .resources('AWS::Cognito::UserPoolClient')
    .find(({ properties }) => properties.UserPoolId === pool.resource.ref)!;
  db.exec('BEGIN');
  try {
    const users = Array.from({ length: Number(input.Count) }, () => {
      const email = `${randomUUID()}@example.com`;
      return pool.directory.create(email, { email_verified: 'true' }, 'CONFIRMED', null);
    });
    const tokens = pool.tokens.beginAll(users, client);
    db.exec('COMMIT');
    return { AccessTokens: await tokens };
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

async function setPassword(pool: Pool, input: any): Promise<object> {
  checkPassword(input.Password ?? '', pool.resource.properties.Policies?.PasswordPolicy);
  const user = userNamed(pool, input.Username);
  const password = await hashPassword(input.Password, identityOf(pool, user));
  const status = input.Permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD';
  pool.directory.update(user, { password, status });
  return {};
}

function listUsers(pool: Pool, input: any): object {
  const offset = Number(input.PaginationToken ?? 0);
  const limit = Math.min(Number(input.Limit ?? 60), 60);
  const all = pool.directory.list().filter(filterFrom(input.Filter));
  const next = offset + limit;
  return {
    Users: all.slice(offset, next).map(describe),
    ...(next < all.length && { PaginationToken: String(next) }),
  };
}

/** `email = "a@b.c"`, `status ^= "Ena"` and the like: one comparison. */
function filterFrom(filter: string | undefined): (user: User) => boolean {
  if (!filter) return () => true;
  const match = /^\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(filter);
  if (!match) throw new AwsError('InvalidParameterException', `Error while parsing filter: ${filter}`);
  const [, name, operator, quoted] = match as unknown as [string, string, string, string];
  const wanted = quoted.replace(/\\(.)/g, '$1');
  return (user) => {
    const special: Record<string, string> = {
      username: user.username,
      'cognito:user_status': user.status,
      status: user.enabled ? 'Enabled' : 'Disabled',
    };
    const value = special[name] ?? user.attributes[name];
    return operator === '=' ? value === wanted : (value?.startsWith(wanted) ?? false);
  };
}

function describe(user: User) {
  return {
    Username: user.username,
    Attributes: attributeList(user),
    UserStatus: user.status,
    Enabled: user.enabled,
    UserCreateDate: user.created / 1000,
    UserLastModifiedDate: user.modified / 1000,
  };
}
