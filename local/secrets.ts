import { randomInt, randomUUID } from 'node:crypto';
import { metered, nameOf } from './meter.ts';
import { throttled } from './throttling.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

/*
 * Secrets of the template; a generated one is made once and kept.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-secret-generatesecretstring.html
 */

/** A version of a secret: AWSCURRENT, or AWSPREVIOUS, which it was before a new one was put. */
interface StoredSecret {
  readonly value: string;
  readonly version: string;
  readonly created_at: number;
}

const characters = {
  ExcludeLowercase: 'abcdefghijklmnopqrstuvwxyz',
  ExcludeUppercase: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  ExcludeNumbers: '0123456789',
  ExcludePunctuation: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
} as const;

/** AWS Secrets Manager: reading the secrets of the template, and putting a new version, which is a rotation. */
export function createSecrets(runtime: Runtime): Service {
  return {
    name: 'secretsmanager',
    call: metered(
      runtime.meter,
      'secretsmanager',
      async (operation, input, caller) => answer(runtime, operation, input, caller),
      (_, input) => ({ resource: nameOf(String(input.SecretId)), counts: { requests: 1 } }),
    ),
  };
}

function answer(runtime: Runtime, operation: string, input: any, caller: Caller): object {
  if (operation !== 'GetSecretValue' && operation !== 'PutSecretValue')
    throw new AwsError('UnknownOperationException', `secretsmanager:${operation} is not emulated`);
  if (!runtime.limits.take('secretsmanager.readRate')) throw throttled('secretsmanager', operation);
  const secret = findSecret(runtime, input.SecretId);
  runtime.iam.authorize(caller, `secretsmanager:${operation}`, secret.arn);
  const named = { ARN: secret.arn, Name: secretName(secret) };
  if (operation === 'PutSecretValue') {
    const { version } = rotated(runtime, secret, input.SecretString, input.ClientRequestToken);
    return { ...named, VersionId: version, VersionStages: ['AWSCURRENT'] };
  }
  const stage = input.VersionStage ?? 'AWSCURRENT';
  const { value, version, created_at } = versionAt(runtime, secret, stage);
  return {
    ...named,
    SecretString: value,
    VersionId: version,
    VersionStages: [stage],
    CreatedDate: created_at / 1000,
  };
}

function findSecret(runtime: Runtime, arnOrName: string): Resource {
  const secrets = runtime.resources('AWS::SecretsManager::Secret');
  const found = secrets.find(
    (one) => one.arn === arnOrName || one.ref === arnOrName || secretName(one) === arnOrName,
  );
  if (!found)
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  return found;
}

function secretName(secret: Resource): string {
  return (
    secret.properties.Name ??
    secret.arn
      .split(':')
      .at(-1)
      ?.replace(/-\w{6}$/, '')
  );
}

function versionAt(runtime: Runtime, secret: Resource, stage: string): StoredSecret {
  const current = stored(runtime, secret);
  if (stage === 'AWSCURRENT') return current;
  const found = stage === 'AWSPREVIOUS' ? rows(runtime).read.get(`${secret.arn} ${stage}`) : undefined;
  if (!found) {
    const message = `Secrets Manager can't find the specified secret value for staging label: ${stage}`;
    throw new AwsError('ResourceNotFoundException', message);
  }
  return found as unknown as StoredSecret;
}

/**
 * Puts a new version; the one before stays readable as AWSPREVIOUS. The same version again is taken for a repetition
 * when it brings the same text.
 */
function rotated(
  runtime: Runtime,
  secret: Resource,
  value: unknown,
  token: string = randomUUID(),
): StoredSecret {
  if (typeof value !== 'string' || value === '')
    throw new AwsError('InvalidParameterException', 'You must provide SecretString.');
  const { read, write } = rows(runtime);
  const before = stored(runtime, secret);
  const known = [before, read.get(`${secret.arn} AWSPREVIOUS`) as StoredSecret | undefined];
  const same = known.find((one) => one?.version === token);
  if (same?.value === value) return same as StoredSecret;
  if (same) {
    const message =
      'You can’t use ClientRequestToken because that value is already in use for a version of secret.';
    throw new AwsError('ResourceExistsException', message);
  }
  write.run(`${secret.arn} AWSPREVIOUS`, before.value, before.version, before.created_at);
  write.run(secret.arn, value, token, runtime.clock.now());
  return read.get(secret.arn) as unknown as StoredSecret;
}

/** Keyed by ARN; the version before the current one by ARN and stage. */
function rows({ db }: Runtime) {
  db.exec(
    'CREATE TABLE IF NOT EXISTS secrets_values (arn TEXT PRIMARY KEY, value TEXT, version TEXT, created_at INTEGER)',
  );
  return {
    read: db.prepare('SELECT value, version, created_at FROM secrets_values WHERE arn = ?'),
    write: db.prepare('INSERT OR REPLACE INTO secrets_values VALUES (?, ?, ?, ?)'),
  };
}

function stored(runtime: Runtime, secret: Resource): StoredSecret {
  const { clock } = runtime;
  const { read, write } = rows(runtime);
  const { SecretString, GenerateSecretString } = secret.properties;
  const known = read.get(secret.arn) as StoredSecret | undefined;
  // A text in the template counts, also after it has been changed there; a generated one is never made anew.
  if (known && (SecretString === undefined || SecretString === known.value)) return known;
  const value = SecretString ?? generate(GenerateSecretString ?? {});
  write.run(secret.arn, value, randomUUID(), clock.now());
  return read.get(secret.arn) as unknown as StoredSecret;
}

function generate(options: any): string {
  const password = generatePassword(options);
  const { SecretStringTemplate, GenerateStringKey } = options;
  if (GenerateStringKey === undefined) return password;
  return JSON.stringify({ ...JSON.parse(SecretStringTemplate ?? '{}'), [GenerateStringKey]: password });
}

function generatePassword(options: any): string {
  const excluded = new Set(String(options.ExcludeCharacters ?? ''));
  const groups = Object.entries(characters)
    .filter(([exclusion]) => !isTrue(options[exclusion]))
    .map(([, group]) => group as string)
    .concat(isTrue(options.IncludeSpace) ? [' '] : [])
    .map((group) => [...group].filter((character) => !excluded.has(character)))
    .filter((group) => group.length > 0);
  const all = groups.flat();
  if (all.length === 0) throw new Error('GenerateSecretString excludes every character');
  const length = Number(options.PasswordLength ?? 32);
  const required = options.RequireEachIncludedType === undefined || isTrue(options.RequireEachIncludedType);
  for (;;) {
    const password = Array.from({ length }, () => all[randomInt(all.length)] as string);
    if (!required || length < groups.length) return password.join('');
    if (groups.every((group) => group.some((character) => password.includes(character))))
      return password.join('');
  }
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
