import { measure } from '../../kernel/log.ts';
import { lateAfterSeconds, objectiveMetrics } from '../../kernel/metrics.ts';

/** Reports how long a payment attempt was open. */
export function measureSettlement(seconds: number): void {
  const { settlementSeconds, settledLate } = objectiveMetrics;
  measure({
    [settlementSeconds]: [Math.max(0, seconds)],
    [settledLate]: [seconds > lateAfterSeconds ? 1 : 0],
  });
}
