import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in that order: begun first, so that no worker is left alone with one at the end. */
const longest = [
  'store/roles',
  'store/faults',
  'faults/races',
  'store/oversell',
  'faults/saga-faults',
  'faults/simulation',
  'store/generated-requests',
  'store/load',
  'store/together',
  'store/canaries',
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
