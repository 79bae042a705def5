import { randomInt, randomUUID } from 'node:crypto';
import { AwsError, type Resource, type Runtime, type Service } from './types.ts';

/*
 * Secrets of the template; a generated one is made once and kept.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-secret-generatesecretstring.html
 */

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

/** AWS Secrets Manager: reading the secrets of the template. */
export function createSecrets(runtime: Runtime): Service {
  return {
    name: 'secretsmanager',
    async call(operation, input, caller) {
      if (operation !== 'GetSecretValue')
        throw new AwsError('UnknownOperationException', `secretsmanager:${operation} is not emulated`);
      const secret = findSecret(runtime, input.SecretId);
      runtime.iam.authorize(caller, 'secretsmanager:GetSecretValue', secret.arn);
      const { value, version, created_at } = stored(runtime, secret);
      return {
        ARN: secret.arn,
        Name: nameOf(secret),
        SecretString: value,
        VersionId: version,
        VersionStages: ['AWSCURRENT'],
        CreatedDate: created_at / 1000,
      };
    },
  };
}

function findSecret(runtime: Runtime, arnOrName: string): Resource {
  const secrets = runtime.resources('AWS::SecretsManager::Secret');
  const found = secrets.find(
    (one) => one.arn === arnOrName || one.ref === arnOrName || nameOf(one) === arnOrName,
  );
  if (!found)
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  return found;
}

function nameOf(secret: Resource): string {
  return (
    secret.properties.Name ??
    secret.arn
      .split(':')
      .at(-1)
      ?.replace(/-\w{6}$/, '')
  );
}

function stored({ db, clock }: Runtime, secret: Resource): StoredSecret {
  db.exec(
    'CREATE TABLE IF NOT EXISTS secrets_values (arn TEXT PRIMARY KEY, value TEXT, version TEXT, created_at INTEGER)',
  );
  const read = db.prepare('SELECT value, version, created_at FROM secrets_values WHERE arn = ?');
  const write = db.prepare('INSERT OR REPLACE INTO secrets_values VALUES (?, ?, ?, ?)');
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
