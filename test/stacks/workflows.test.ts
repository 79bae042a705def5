import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { taskStates } from '../../bench/simulation/workflow.ts';
import { configOf } from '../../lib/config.ts';
import { appOf, resourcesOf } from './support/synthesis.ts';

/*
 * The proofs of the saga enumerate the states of `statemachines/checkout.asl.json`, and interpret them with each
 * placeholder standing for the function of its name. Here is the link to what is deployed: the synthesised definition has
 * the same states, and its substitutions are those functions.
 */

const app = appOf(configOf('dev'));
const resources = resourcesOf(app);
const folder = app.synth().directory;
const machines = resources.filter(({ type }) => type === 'AWS::StepFunctions::StateMachine');

it('deploys the states that are interpreted in simulations', () => {
  const definitions = machines.map(({ properties: { DefinitionS3Location } }) =>
    JSON.parse(readFileSync(join(folder, `asset.${DefinitionS3Location.Key}`), 'utf8')),
  );
  expect(definitions).toHaveLength(3);
  for (const file of ['checkout', 'finance-export', 'finance-reconcile']) {
    const source = JSON.parse(readFileSync(`statemachines/${file}.asl.json`, 'utf8'));
    const deployed = definitions.find(({ Comment }) => Comment === source.Comment);
    expect(deployed).toEqual(source);
    const tasks = Object.entries<any>(deployed.States).filter(([, { Type }]) => Type === 'Task');
    expect(taskStates(file)).toEqual(tasks.map(([name]) => name));
  }
});

it('has every placeholder stand for the function of its name', () => {
  for (const { stack, properties } of machines) {
    for (const [placeholder, { 'Fn::GetAtt': target, 'Fn::ImportValue': imported }] of Object.entries<any>(
      properties.DefinitionSubstitutions,
    )) {
      const name = placeholder.replace(/Arn$/, '');
      const id = target?.[0] ?? imported;
      expect(id, `${stack} ${placeholder}`).toMatch(new RegExp(name));
    }
  }
});
