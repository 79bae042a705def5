import { parseArgs } from 'node:util';
import { type Lever, UsageError } from './lever.ts';

/** Stops a drop's queue where it is, or lets it go on. */
export const pauseDrop: Lever = {
  summary: 'stops admitting to a drop (tickets keep their place), or goes on with --resume',
  usage: '<drp_…> [--resume]',
  async plan(deployment, args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { resume: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [dropId] = positionals;
    if (!dropId) throw new UsageError('which drop?');
    const path = `/v1/admin/drops/${encodeURIComponent(dropId)}`;
    const found = await deployment.api('GET', path);
    if (found.status !== 200) throw new Error(`${dropId}: ${found.body?.title ?? found.status}`);
    const { name, state } = found.body;
    const says = [`${dropId} (${name}) is ${state}`];
    const paused = state === 'paused';
    if (paused !== values.resume) return { says };
    return {
      says: [...says, values.resume ? 'would go on' : 'would be paused'],
      go: async () => {
        const { status, body } = await deployment.api('PATCH', path, {
          headers: { 'if-match': found.headers.get('etag') ?? '*' },
          json: { state: values.resume ? 'open' : 'paused' },
        });
        if (status !== 200) throw new Error(`${dropId}: ${body?.title ?? status} ${body?.detail ?? ''}`);
        return [`${dropId} is ${body.state}.`];
      },
    };
  },
};
