import * as z from 'zod/mini';
import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { secretText } from '../../kernel/secret.ts';
import { sandboxProvider } from '../adapters/sandbox.ts';
import { callProvider } from '../app/call-provider.ts';
import { type ProviderOutcome, providerCommand } from '../contract.ts';

const { SANDBOX_URL, SANDBOX_SECRET_ARN } = environment('SANDBOX_URL', 'SANDBOX_SECRET_ARN');
const provider = sandboxProvider(SANDBOX_URL, secretText(SANDBOX_SECRET_ARN));
const run = callProvider({ provider, now: systemNow });

export const handler = async (command: unknown): Promise<ProviderOutcome> =>
  run(z.parse(providerCommand, command));
