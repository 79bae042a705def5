import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { waitingRoom } from '../adapters/waiting-room.ts';
import { takeTicket } from '../app/tickets.ts';
import { takeTicket as route } from '../contract.ts';

const { ADMISSION_TABLE } = environment('ADMISSION_TABLE');
const take = takeTicket({ ...waitingRoom(documents, ADMISSION_TABLE, systemNow), random: Math.random });

export const handler = httpHandler(route, async ({ params, caller }) => {
  const ticket = await take(params.dropId, caller.customerId);
  const headers = { location: `/v1/drops/${params.dropId}/tickets/${ticket.id}` };
  return { status: 201, body: ticket, headers };
});
