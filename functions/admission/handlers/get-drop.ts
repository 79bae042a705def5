import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { operatorPorts } from '../adapters/operator-ports.ts';
import { getDrop } from '../app/show-drops.ts';
import { getDrop as route } from '../contract.ts';

const get = getDrop(operatorPorts(documents, environment('ADMISSION_TABLE', 'INVENTORY_TABLE')));

export const handler = httpHandler(route, async ({ params }) => {
  const { view, version } = await get(params.dropId);
  return { status: 200, body: view, headers: { etag: `"${version}"` } };
});
