import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { announcePorts, operatorPorts } from '../adapters/operator-ports.ts';
import { announceDrop } from '../app/announce-drop.ts';
import { getDrop } from '../app/show-drops.ts';
import { createDrop as route } from '../contract.ts';

const env = environment('ADMISSION_TABLE', 'INVENTORY_TABLE', 'ADMISSION_KEY_ARN');
const announce = announceDrop(announcePorts(documents, env));
const get = getDrop(operatorPorts(documents, env));

export const handler = httpHandler(route, async ({ body, caller, idempotencyKey }) => {
  const { drop, replayed } = await announce(caller.customerId, idempotencyKey, body);
  const { view, version } = await get(drop.id);
  const replay = replayed ? { 'idempotent-replayed': 'true' } : {};
  const headers = { location: `/v1/admin/drops/${drop.id}`, etag: `"${version}"`, ...replay };
  return { status: 201, body: view, headers };
});
