import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { conductorPorts } from '../adapters/conducting.ts';
import { conductDrops } from '../app/conduct-drops.ts';

const env = environment('ADMISSION_TABLE', 'INVENTORY_TABLE', 'CHECKOUT_QUEUE_URL');

export const handler = conductDrops(conductorPorts(documents, env));
