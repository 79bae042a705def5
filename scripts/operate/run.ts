import { leverLog } from './audit.ts';
import type { Deployment } from './deployment.ts';
import type { Lever } from './lever.ts';

/**
 * Runs a lever: looks, and with `go` acts. Both leave their records.
 * @param print where each line goes
 * @throws what the lever throws, after its record
 */
export async function runLever(
  deployment: Deployment,
  [name, lever]: readonly [name: string, lever: Lever],
  asked: { readonly args: readonly string[]; readonly go: boolean; readonly reason?: string | undefined },
  print: (line: string) => void,
): Promise<void> {
  const { args, go, reason } = asked;
  const plan = await lever.plan(deployment, args);
  for (const line of plan.says) print(line);
  const record = leverLog(deployment, { lever: name, args, ...(reason !== undefined && { reason }) });
  if (!plan.go || !go) {
    await record('looked', plan.says);
    if (plan.go) print('Nothing was changed; --go does it.');
    return;
  }
  await record('begun', plan.says);
  try {
    const outcome = await plan.go();
    await record('done', outcome);
    for (const line of outcome) print(line);
  } catch (error) {
    await record('failed', [error instanceof Error ? error.message : String(error)]);
    throw error;
  }
}
