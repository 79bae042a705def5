import { answered, promised, setCallers } from '../../test/store/support/access-matrix.ts';
import { drive } from '../../test/store/support/drive.ts';
import { publicRoutes } from '../../test/store/support/public-routes.ts';
import { setScenes } from '../../test/store/support/scene.ts';
import { openStore } from '../store.ts';

export interface RouteFigures {
  readonly route: string;
  /** Kinds of callers and of bad tokens that were tried. */
  readonly callers: number;
  /** Of those: answered otherwise than the contract says. */
  readonly wrongly: number;
  /** Valid requests that succeeded, that a rule of the domain refused, and about what is not there. */
  readonly valid: string;
  /** Spoilt requests; of those, the ones that had to be refused. */
  readonly spoilt: string;
  readonly complaints: number;
}

/** Who is let in where, and what generated requests are answered: as the store tests do, with the figures. */
export async function routes(
  count = 200,
  seed = Math.floor(Math.random() * 1e9),
  report: (line: string) => void = () => {},
): Promise<readonly RouteFigures[]> {
  const store = await openStore();
  try {
    report(`seed ${seed}`);
    const callersOf = await setCallers(store);
    const scenes = await setScenes(store, 4);
    const { body: document } = await store.request('GET', '/v1/openapi.json');
    const figures: RouteFigures[] = [];
    for (const route of publicRoutes) {
      const expected = promised(route, callersOf(route));
      const answers = await answered(route, callersOf(route));
      const driven = await drive(route, document, scenes, { count, seed });
      for (const complaint of driven.complaints) report(complaint);
      const { done, refusedByRule, notThere, spoilt, mustRefuse, complaints } = driven;
      figures.push({
        route: route.id,
        callers: Object.keys(answers).length,
        wrongly: Object.keys(answers).filter((name) => answers[name] !== expected[name]).length,
        valid: `${done} + ${refusedByRule} + ${notThere}`,
        spoilt: `${spoilt}, ${mustRefuse}`,
        complaints: complaints.length,
      });
    }
    return figures;
  } finally {
    await store.stop();
  }
}
