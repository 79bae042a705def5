/**
 * `npm run trace -- <orderId>`: what followed from placing an order, as a tree, in the store that runs at `PORT` (3000).
 * `docs/tracing.md` says how the same is found on AWS.
 */
import { clientOf } from '../bench/store.ts';
import { localStory } from './trace/local-story.ts';
import { render, treeOf } from './trace/story.ts';

const [orderId] = process.argv.slice(2);
if (!orderId) {
  console.error('Which order? npm run trace -- ord_…');
  process.exit(2);
}
const client = clientOf(`http://127.0.0.1:${process.env.PORT || '3000'}`);
try {
  const story = await localStory(client, orderId);
  console.log(render(treeOf(story), story.events[0]?.at ?? 0));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
