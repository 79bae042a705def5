import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll } from 'vitest';
import cdk from '../../../cdk.json' with { type: 'json' };
import type { Config } from '../../../lib/config.ts';
import { bundleOf } from '../../../lib/constructs/bundle.ts';
import { floodgate } from '../../../lib/stacks/floodgate.ts';
import { functions, tables } from '../../../lib/stacks/specs.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder away from the project, gone when the test file has run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-stacks-'));
  folders.push(folder);
  return folder;
}

/** A resource of a synthesised template. */
export interface Resource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Record<string, any>;
  /** Logical ids that it waits for beside those that it names. */
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: string | undefined;
  readonly updateReplacePolicy: string | undefined;
}

/**
 * The app of a stage, unsynthesised; the code of its functions is a stub, which is all that templates need.
 * @param validated whether CloudFormation's own rules are applied too, which takes seconds
 */
export function appOf(config: Config, validated = false): App {
  const bundles = temporaryFolder();
  for (const spec of functions) {
    const folder = bundleOf(spec, bundles);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'index.mjs'), `// ${spec.name}`);
  }
  const app = new App({
    outdir: temporaryFolder(),
    context: cdk.context,
    analyticsReporting: false,
    stackTraces: false,
    builtinCloudFormationValidation: validated,
  });
  floodgate(app, config, { tables, functions, bundles });
  return app;
}

/** Every resource of every stack. */
export function resourcesOf(app: App): Resource[] {
  return stacksOf(app).flatMap((stack) =>
    Object.entries<any>(Template.fromStack(stack).toJSON().Resources ?? {}).map(([id, resource]) => ({
      stack: stack.stackName,
      id,
      type: resource.Type,
      properties: resource.Properties ?? {},
      dependsOn: resource.DependsOn ?? [],
      deletionPolicy: resource.DeletionPolicy,
      updateReplacePolicy: resource.UpdateReplacePolicy,
    })),
  );
}

export function stacksOf(app: App): Stack[] {
  return app.node.children.filter((child): child is Stack => 'stackName' in child);
}
