import { randomBytes, timingSafeEqual } from 'node:crypto';
import { AwsError, type Resource, type Runtime } from './types.ts';

/** Cognito keeps two secrets of a client at most, so that one can replace the other while both serve. */
const mostSecrets = 2;

interface StoredSecret {
  readonly id: string;
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/**
 * The secrets of the clients that have one. They are made here, not from the template: nothing that is
 * synthesised holds them.
 * https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AddUserPoolClientSecret.html
 */
export class ClientSecrets {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    runtime.db.exec(`
      CREATE TABLE IF NOT EXISTS cognito_client_secrets (
        id TEXT PRIMARY KEY, client TEXT NOT NULL, value TEXT NOT NULL, created INTEGER NOT NULL) STRICT`);
  }

  /** Whether the client may go on: it has no secret, or this is one of its own. */
  accepts(client: Resource, given: string | undefined): boolean {
    const own = this.#of(client);
    if (own.length === 0) return given === undefined;
    return own.filter(({ value }) => same(value, given ?? '')).length > 0;
  }

  describe(client: Resource): object {
    const { properties, ref } = client;
    return {
      UserPoolClient: {
        ...properties,
        ClientId: ref,
        ...(properties.GenerateSecret && { ClientSecret: this.#of(client)[0]?.value }),
      },
    };
  }

  list(client: Resource): object {
    return {
      ClientSecrets: this.#of(client).map(({ id, created }) => ({
        ClientSecretId: id,
        ClientSecretCreateDate: created / 1000,
      })),
    };
  }

  /** @throws AwsError `InvalidParameterException` for a client without a secret, `LimitExceededException` for a third one */
  add(client: Resource, chosen: string | undefined): object {
    const own = this.#of(client);
    if (own.length === 0) throw new AwsError('InvalidParameterException', 'The client has no secret.');
    if (own.length >= mostSecrets) {
      throw new AwsError('LimitExceededException', 'A client has two secrets at most.');
    }
    if (chosen !== undefined && !/^[\w+]{24,64}$/.test(chosen)) {
      throw new AwsError(
        'InvalidParameterException',
        'A client secret has 24 to 64 letters, digits, _ or +.',
      );
    }
    const { id, value, created } = this.#write(client, chosen);
    return {
      ClientSecretDescriptor: {
        ClientSecretId: id,
        ClientSecretCreateDate: created / 1000,
        ...(chosen === undefined && { ClientSecretValue: value }),
      },
    };
  }

  /** @throws AwsError `ResourceNotFoundException`, `InvalidParameterException` for the only one */
  remove(client: Resource, id: string): object {
    const own = this.#of(client);
    if (!own.some((secret) => secret.id === id)) {
      throw new AwsError('ResourceNotFoundException', 'Client secret does not exist.');
    }
    if (own.length === 1) {
      throw new AwsError('InvalidParameterException', 'The only secret of a client cannot be deleted.');
    }
    this.#runtime.db.prepare('DELETE FROM cognito_client_secrets WHERE id = ?').run(id);
    return {};
  }

  /** Newest first; none for a client of apps. */
  #of(client: Resource): StoredSecret[] {
    if (!client.properties.GenerateSecret) return [];
    const stored = this.#runtime.db
      .prepare('SELECT id, value, created FROM cognito_client_secrets WHERE client = ? ORDER BY rowid DESC')
      .all(client.ref) as unknown as StoredSecret[];
    return stored.length > 0 ? stored : [this.#write(client)];
  }

  #write(client: Resource, value: string = randomBytes(26).toString('hex')): StoredSecret {
    const created = this.#runtime.clock.now();
    const id = `${client.ref}--${created}-${randomBytes(3).toString('hex')}`;
    this.#runtime.db
      .prepare('INSERT INTO cognito_client_secrets VALUES (?, ?, ?, ?)')
      .run(id, client.ref, value, created);
    return { id, value, created };
  }
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
