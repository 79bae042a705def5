/** The store that `npm run load` starts: a process of its own, so that shoppers do not wait for themselves. */
import { openStore } from '../store.ts';

/** What the parent is told. */
export type StoreMessage =
  | { readonly kind: 'ready'; readonly apiUrl: string }
  | { readonly kind: 'failed'; readonly reason: string };

// Ctrl-C reaches the whole group; the parent says when it is time.
process.on('SIGINT', () => {});
process.env.TZ = 'UTC';

const tell = (message: StoreMessage) => process.send?.(message);
try {
  const limits = process.argv.includes('--limits');
  const home = process.env.FLOODGATE_HOME;
  const store = await openStore({
    ...(home && { home }),
    edge: true,
    quiet: true,
    ...(limits && { limits: {} }),
  });
  process.once('disconnect', () => void store.stop().then(() => process.exit(0)));
  tell({ kind: 'ready', apiUrl: store.apiUrl });
} catch (error) {
  tell({ kind: 'failed', reason: (error as Error).stack ?? String(error) });
  process.disconnect?.();
}
