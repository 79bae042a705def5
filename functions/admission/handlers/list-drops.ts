import { nextLink } from '../../kernel/cursor.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { operatorPorts } from '../adapters/operator-ports.ts';
import { listDrops } from '../app/show-drops.ts';
import { listDrops as route } from '../contract.ts';

const list = listDrops(operatorPorts(documents, environment('ADMISSION_TABLE', 'INVENTORY_TABLE')));

export const handler = httpHandler(route, async (request) => {
  const page = await list(request.query);
  return { status: 200, body: page, headers: nextLink(route.path, request.query, page.next) };
});
