import { type Component, idOf } from './components.ts';

/** The components that come under no licence of the list, with what they say instead. */
export function refusedLicences(components: readonly Component[], allowed: readonly string[]): string[] {
  return components
    .filter(({ licence }) => !isAllowed(licence, allowed))
    .map((component) => `${idOf(component)}: ${component.licence || 'names no licence'}`);
}

/** Of SPDX expressions those with OR or AND alone are read; of alternatives one is enough. */
function isAllowed(expression: string, allowed: readonly string[]): boolean {
  return expression
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => allowed.includes(licence)));
}
