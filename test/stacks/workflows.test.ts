import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sourceOf } from '../../bench/simulation/workflow.ts';
import { configOf } from '../../lib/config.ts';
import { appOf, resourcesOf } from './support/synthesis.ts';

/*
 * Races and simulated days interpret the files in `statemachines/` with each placeholder standing for the function of its
 * name; the proof of the saga's faults reads the assembly. Here is the link between the two: the synthesised definition
 * is the file, and its substitutions are those functions.
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
    expect(Object.keys(sourceOf(file).States)).toEqual(Object.keys(deployed.States));
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
