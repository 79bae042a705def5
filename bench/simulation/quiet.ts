import { log } from '../../functions/kernel/log.ts';

// What happens in a simulation is counted, not logged; and nobody collects the metrics that functions write to
// standard output, one line of JSON each.
log.setLogLevel('SILENT');
const write = process.stdout.write.bind(process.stdout) as (...given: unknown[]) => boolean;
process.stdout.write = ((...given: unknown[]) =>
  typeof given[0] === 'string' && given[0].startsWith('{') && given[0].includes('"_aws"')
    ? true
    : write(...given)) as typeof process.stdout.write;
