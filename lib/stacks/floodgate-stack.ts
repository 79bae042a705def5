import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';

/** A stack of the app: `Floodgate-<stage>-<Name>`, tagged, and guarded against deletion in production. */
export class FloodgateStack extends Stack {
  /** @param region another region than the app's; the edge has one */
  constructor(scope: Construct, name: string, config: Config, description: string, region = config.region) {
    super(scope, `Floodgate-${config.stage}-${name}`, {
      description: `Floodgate (${config.stage}): ${description}`,
      env: { ...(config.account && { account: config.account }), ...(region && { region }) },
      terminationProtection: config.stage === 'prod',
      tags: { project: 'floodgate', stage: config.stage, part: name.toLowerCase() },
    });
  }
}
