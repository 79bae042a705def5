import { type Component, idOf } from './components.ts';

/**
 * A software bill of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). It bears no time and no
 * serial number, so that the same dependencies give the same text.
 */
export function cycloneDx(product: { name: string; version: string }, components: readonly Component[]) {
  const purl = ({ name, version }: Component) => `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const references = new Map(components.map((component) => [idOf(component), purl(component)]));
  const root = `${product.name}@${product.version}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': root, ...product } },
    components: components.map((component) => ({
      type: 'library',
      'bom-ref': purl(component),
      name: component.name,
      version: component.version,
      purl: purl(component),
      licenses: [
        / (OR|AND) /.test(component.licence)
          ? { expression: component.licence }
          : { license: { id: component.licence } },
      ],
      ...(component.bundled !== undefined && {
        properties: [{ name: 'floodgate:bundled', value: String(component.bundled) }],
      }),
    })),
    dependencies: [
      { ref: root, dependsOn: [...references.values()] },
      ...components.map((component) => ({
        ref: purl(component),
        dependsOn: component.needs.map((id) => references.get(id)!),
      })),
    ],
  };
}
