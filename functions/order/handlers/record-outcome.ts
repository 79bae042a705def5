import { environment } from '../../kernel/env.ts';
import type { ProviderCommand, ProviderOutcome } from '../../payment/contract.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { measureSettlement } from '../adapters/settlement-metric.ts';
import { recordOutcome } from '../app/record-outcome.ts';

const env = environment('ORDER_TABLE', 'INVENTORY_TABLE', 'ADMISSION_TABLE');
const { ORDER_TABLE: order, INVENTORY_TABLE: inventory, ADMISSION_TABLE: admission } = env;
const record = recordOutcome({ ...changePorts({ order, inventory, admission }), settled: measureSettlement });

export const handler = async ({
  command,
  outcome,
}: {
  command: ProviderCommand;
  outcome: ProviderOutcome;
}) => ({
  command: await record(command, outcome),
});
