import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { readStanding } from '../adapters/standing.ts';
import { showDrop } from '../app/show-drops.ts';
import { showDrop as route } from '../contract.ts';

const { ADMISSION_TABLE } = environment('ADMISSION_TABLE');
const show = showDrop({
  now: systemNow,
  standing: (dropId) => readStanding(documents, ADMISSION_TABLE, dropId, systemNow()),
});

export const handler = httpHandler(route, async ({ params }) => {
  return { status: 200, body: await show(params.dropId) };
});
