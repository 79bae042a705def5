import { SFNClient, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import type { ProviderCommand } from '../../payment/contract.ts';

/** One run of the checkout saga, started and awaited. */
export function checkoutWorkflow(machineArn: string) {
  // A run may take its whole time limit; the answer is worth waiting for, and a second run is not.
  const client = new SFNClient({ maxAttempts: 2 });
  return async (command: ProviderCommand): Promise<{ ended: 'succeeded' | 'failed'; error: string }> => {
    const { status, error } = await client.send(
      new StartSyncExecutionCommand({
        stateMachineArn: machineArn,
        // So that the runs of an order can be found. Express runs may share a name.
        name: command.reference,
        input: JSON.stringify({ command }),
      }),
    );
    return status === 'SUCCEEDED'
      ? { ended: 'succeeded', error: '' }
      : { ended: 'failed', error: error ?? status ?? 'unknown' };
  };
}
