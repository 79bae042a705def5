import { randomBytes } from 'node:crypto';
import { environment } from '../../kernel/env.ts';
import { putVersion } from '../adapters/secret-versions.ts';
import { rotateKeys } from '../app/rotate-keys.ts';

const { SANDBOX_SECRET_ARN, WEBHOOK_SECRET_ARN } = environment('SANDBOX_SECRET_ARN', 'WEBHOOK_SECRET_ARN');

export const handler = rotateKeys({
  secrets: [SANDBOX_SECRET_ARN, WEBHOOK_SECRET_ARN],
  put: putVersion,
  newKey: () => randomBytes(24).toString('hex'),
});
