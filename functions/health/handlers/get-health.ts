import { isoInstant, systemNow } from '../../kernel/clock.ts';
import { httpHandler } from '../../kernel/http.ts';
import { getHealth } from '../contract.ts';

export const handler = httpHandler(getHealth, async () => ({
  status: 200,
  body: { status: 'ok', time: isoInstant(systemNow()) },
}));
