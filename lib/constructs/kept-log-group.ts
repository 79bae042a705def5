import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';

/**
 * What is logged is kept for its time, also when what wrote it is replaced, and cannot be deleted before: nothing can
 * change a line in CloudWatch, and no role of these stacks may read or delete one.
 */
export class KeptLogGroup extends LogGroup {
  /** @param name left out: CloudFormation's own */
  constructor(scope: Construct, id: string, { logRetentionDays }: Config, name?: string) {
    super(scope, id, {
      ...(name && { logGroupName: name }),
      retention: logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
      deletionProtectionEnabled: true,
    });
  }
}
