import { log } from '../../functions/kernel/log.ts';

// What happens in a simulation is counted, not logged, and nobody collects metrics: in Powertools' development mode none
// are written.
log.setLogLevel('SILENT');
process.env.POWERTOOLS_DEV = 'true';
