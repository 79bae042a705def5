import * as z from 'zod/mini';
import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { rotatedSecret } from '../../kernel/secret.ts';
import { sandboxProvider } from '../adapters/sandbox.ts';
import { tracedRequest } from '../adapters/traced-request.ts';
import { callProvider } from '../app/call-provider.ts';
import { type ProviderOutcome, providerCommand } from '../contract.ts';

const { SANDBOX_URL, SANDBOX_SECRET_ARN } = environment('SANDBOX_URL', 'SANDBOX_SECRET_ARN');
const { valid } = rotatedSecret(SANDBOX_SECRET_ARN, systemNow);

export const handler = async (input: unknown): Promise<ProviderOutcome> => {
  const command = z.parse(providerCommand, input);
  const provider = sandboxProvider(SANDBOX_URL, valid, tracedRequest(command.traceparent));
  return callProvider({ provider, now: systemNow })(command);
};
