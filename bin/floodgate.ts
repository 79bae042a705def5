import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import cdk from '../cdk.json' with { type: 'json' };
import { configOf } from '../lib/config.ts';
import { bundleHandlers } from '../lib/constructs/bundle.ts';
import { floodgate } from '../lib/stacks/floodgate.ts';
import { functions, tables } from '../lib/stacks/specs.ts';

// Run by the CDK command, or alone: then the assembly goes to cdk.out and the feature flags come from here.
const { CDK_OUTDIR, CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION } = process.env;
const app = new App({
  outdir: CDK_OUTDIR ?? cdk.output,
  context: cdk.context,
  analyticsReporting: cdk.versionReporting,
  stackTraces: false,
  treeMetadata: false,
});
const config = configOf(app.node.tryGetContext('stage') ?? 'local', {
  ...(CDK_DEFAULT_ACCOUNT && { account: CDK_DEFAULT_ACCOUNT }),
  ...(CDK_DEFAULT_REGION && { region: CDK_DEFAULT_REGION }),
});

const bundles = join(import.meta.dirname, '../.build');
await bundleHandlers(functions, bundles);
floodgate(app, config, { tables, functions, bundles });
app.synth();
