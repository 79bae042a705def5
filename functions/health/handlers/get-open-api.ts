import openApi from '../../../docs/openapi.json' with { type: 'json' };
import { httpHandler } from '../../kernel/http.ts';
import { digest } from '../../kernel/ids.ts';
import { getOpenApi } from '../contract.ts';

const etag = `"${digest(JSON.stringify(openApi)).slice(0, 16)}"`;

export const handler = httpHandler(getOpenApi, async () => ({
  status: 200,
  body: { ...openApi, openapi: '3.1.0' as const },
  headers: { etag },
}));
