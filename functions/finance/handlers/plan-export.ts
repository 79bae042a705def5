import { environment } from '../../kernel/env.ts';
import { planExport } from '../app/plan-export.ts';

const env = environment('BUSINESS_TIME_ZONE');

export const handler = planExport({ timeZone: env.BUSINESS_TIME_ZONE });
