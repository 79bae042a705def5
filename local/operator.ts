import { AwsError, type Caller } from './types.ts';

/** Guards operations that AWS does not have. @throws AwsError `AccessDeniedException` (403) */
export function requireOperator(caller: Caller): void {
  if (caller.kind !== 'operator') throw new AwsError('AccessDeniedException', 'For the operator only.', 403);
}
