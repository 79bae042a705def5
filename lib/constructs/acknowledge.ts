import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Says why a finding of cdk-nag is right as it is, for this construct and everything below it.
 * @param rules rule id (with its finding in brackets, where it has several) → reason
 */
export function acknowledge(construct: IConstruct, rules: Readonly<Record<string, string>>): void {
  Validations.of(construct).acknowledge(...Object.entries(rules).map(([id, reason]) => ({ id, reason })));
}
