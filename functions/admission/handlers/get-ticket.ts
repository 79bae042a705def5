import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { waitingRoom } from '../adapters/waiting-room.ts';
import { getTicket } from '../app/tickets.ts';
import { getTicket as route } from '../contract.ts';

const { ADMISSION_TABLE } = environment('ADMISSION_TABLE');
const get = getTicket({ ...waitingRoom(documents, ADMISSION_TABLE, systemNow), random: Math.random });

export const handler = httpHandler(route, async ({ params, caller }) => {
  return { status: 200, body: await get(params.dropId, params.ticketId, caller.customerId) };
});
