import { readFileSync } from 'node:fs';
import { functions } from '../../lib/stacks/specs.ts';
import { readAssembly } from '../../local/assembly.ts';
import { synthesise } from '../../local/synth.ts';
import { type Definition, definitionOf } from '../simulation/workflow.ts';

/**
 * The checkout workflow as it is synthesised: the definition that its state machine has as an asset, with each placeholder
 * standing for the function that the template substitutes for it.
 * @param assembly the folder of the cloud assembly, which is brought up to date first
 */
export async function deployedSaga(assembly: string): Promise<Definition> {
  await synthesise({ assembly });
  const { stacks, assets } = readAssembly(assembly);
  const machines = stacks.flatMap(({ template: { Resources = {} } }) =>
    Object.values<any>(Resources)
      .filter(({ Type, Properties }) => Type === machineType && Properties.StateMachineType === 'EXPRESS')
      .map(({ Properties }) => ({ ...Properties, Resources })),
  );
  const [machine] = machines;
  if (!machine || machines.length > 1) throw new Error(`there are ${machines.length} Express workflows`);
  const { DefinitionS3Location, DefinitionSubstitutions, Resources } = machine;
  return definitionOf(readFileSync(assets.get(DefinitionS3Location.Key)!, 'utf8'), (placeholder) => {
    const [logicalId = ''] = DefinitionSubstitutions[placeholder]?.['Fn::GetAtt'] ?? [];
    const description = Resources[logicalId]?.Properties.Description;
    const found = functions.filter((spec) => spec.description === description);
    if (found.length !== 1) throw new Error(`${placeholder} stands for ${found.length} functions`);
    return found[0]!.name;
  });
}

const machineType = 'AWS::StepFunctions::StateMachine';
