import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { operatorPorts } from '../adapters/operator-ports.ts';
import { changeDrop } from '../app/change-drop.ts';
import { getDrop } from '../app/show-drops.ts';
import { changeDrop as route } from '../contract.ts';

const ports = operatorPorts(documents, environment('ADMISSION_TABLE', 'INVENTORY_TABLE'));
const [change, get] = [changeDrop(ports), getDrop(ports)];

export const handler = httpHandler(route, async ({ params, body, ifMatch }) => {
  await change(params.dropId, body, ifMatch);
  const { view, version } = await get(params.dropId);
  return { status: 200, body: view, headers: { etag: `"${version}"` } };
});
