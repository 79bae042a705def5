import type { User } from './cognito-directory.ts';
import { newTotpSecret, totpStep } from './totp.ts';
import { AwsError, type Runtime } from './types.ts';

interface SoftwareToken {
  readonly secret: string;
  /** The app has shown that it knows the secret. */
  readonly verified: boolean;
  /** Signing in asks for it. */
  readonly enabled: boolean;
  /** Of the last code that was taken: none serves twice. */
  readonly lastStep: number;
}

/** The authenticator apps of a pool's users. */
export class SecondFactors {
  readonly #runtime: Runtime;
  readonly #poolId: string;

  constructor(runtime: Runtime, poolId: string) {
    this.#runtime = runtime;
    this.#poolId = poolId;
    runtime.db.exec(`
      CREATE TABLE IF NOT EXISTS cognito_software_tokens (
        pool TEXT NOT NULL, sub TEXT NOT NULL, secret TEXT NOT NULL, verified INTEGER NOT NULL,
        enabled INTEGER NOT NULL, last_step INTEGER NOT NULL, PRIMARY KEY (pool, sub)) STRICT`);
  }

  isEnabled(user: User): boolean {
    return this.#of(user)?.enabled ?? false;
  }

  /** A new secret; until it is verified nothing is asked for, and an older one is gone. */
  associate(user: User): string {
    const secret = newTotpSecret();
    this.#write(user, { secret, verified: false, enabled: false, lastStep: 0 });
    return secret;
  }

  /** @throws AwsError `EnableSoftwareTokenMFAException` for a code of another secret, `ExpiredCodeException` for a used one */
  verify(user: User, code: string): void {
    const token = this.#of(user);
    if (!token) throw new AwsError('InvalidParameterException', 'User has not associated a software token.');
    const mismatch = new AwsError('EnableSoftwareTokenMFAException', 'Code mismatch');
    this.#write(user, { ...token, verified: true, lastStep: this.#stepOf(token, code, mismatch) });
  }

  /** @throws AwsError `InvalidParameterException` when there is no verified secret to ask for */
  prefer(user: User, enabled: boolean): void {
    const token = this.#of(user);
    if (enabled && !token?.verified) {
      throw new AwsError('InvalidParameterException', 'User has not verified software token mfa');
    }
    if (token) this.#write(user, { ...token, enabled });
  }

  /** @throws AwsError `CodeMismatchException`, `ExpiredCodeException` for a code that was used before */
  demand(user: User, code: string): void {
    const token = this.#of(user)!;
    const mismatch = new AwsError('CodeMismatchException', 'Invalid code received for user');
    this.#write(user, { ...token, lastStep: this.#stepOf(token, code, mismatch) });
  }

  /** The secret of the user's app. Where there is none, one that is ready to use: for the operator at the keyboard. */
  grant(user: User): string {
    const token = this.#of(user);
    if (token?.enabled) return token.secret;
    const secret = newTotpSecret();
    this.#write(user, { secret, verified: true, enabled: true, lastStep: 0 });
    return secret;
  }

  #stepOf({ secret, lastStep }: SoftwareToken, code: string, mismatch: AwsError): number {
    const step = totpStep(secret, code, this.#runtime.clock.now());
    if (step === undefined) throw mismatch;
    if (step <= lastStep) {
      throw new AwsError('ExpiredCodeException', 'Your software token has already been used once.');
    }
    return step;
  }

  #of(user: User): SoftwareToken | undefined {
    const row = this.#runtime.db
      .prepare('SELECT * FROM cognito_software_tokens WHERE pool = ? AND sub = ?')
      .get(this.#poolId, user.sub);
    return (
      row && {
        secret: String(row.secret),
        verified: row.verified === 1,
        enabled: row.enabled === 1,
        lastStep: Number(row.last_step),
      }
    );
  }

  #write(user: User, { secret, verified, enabled, lastStep }: SoftwareToken): void {
    this.#runtime.db
      .prepare('INSERT OR REPLACE INTO cognito_software_tokens VALUES (?, ?, ?, ?, ?, ?)')
      .run(this.#poolId, user.sub, secret, verified ? 1 : 0, enabled ? 1 : 0, lastStep);
  }
}
