import { createHash } from 'node:crypto';
import * as z from 'zod/mini';

interface Ports {
  /** The secrets that both sides read anew by themselves. */
  readonly secrets: readonly string[];
  /** Puts a secret's next text, once for each `version`: a second one changes nothing. */
  readonly put: (secretArn: string, version: string, text: string) => Promise<void>;
  /** A text that nobody can guess. */
  readonly newKey: () => string;
}

const run = z.object({ time: z.iso.datetime({ offset: true }) });

/**
 * Gives each secret a new text; the one before stays valid until the next time.
 * A run that failed half-way comes again with the same time: what it has put is not put twice, for that would end the
 * text that is still in use.
 */
export const rotateKeys =
  ({ secrets, put, newKey }: Ports) =>
  async (input: unknown): Promise<{ rotated: number }> => {
    const { time } = z.parse(run, input);
    for (const arn of secrets) await put(arn, versionOf(arn, time), newKey());
    return { rotated: secrets.length };
  };

/** Secrets Manager asks for 32 to 64 characters. */
function versionOf(secretArn: string, time: string): string {
  return createHash('sha256')
    .update(JSON.stringify([secretArn, time]))
    .digest('hex');
}
