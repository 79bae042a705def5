import { DomainError } from '../../kernel/errors.ts';
import type { newId } from '../../kernel/ids.ts';
import type { Variant } from './product.ts';

/**
 * The variants of a product as an operator sent them, each with a SKU.
 * @throws DomainError `validation-failed` when a SKU is there twice
 */
export function variantsOf(
  sent: readonly (Omit<Variant, 'sku'> & { readonly sku?: string | undefined })[],
  idOf: typeof newId,
): Variant[] {
  const variants = sent.map(({ sku, attributes, price }) => ({ sku: sku ?? idOf('sku'), attributes, price }));
  const twice = variants.findIndex(({ sku }, index) => variants.some((v, i) => i < index && v.sku === sku));
  if (twice === -1) return variants;
  throw new DomainError('validation-failed', `The SKU ${variants[twice]!.sku} is there twice.`, {
    errors: [{ pointer: `#/variants/${twice}/sku`, message: 'is there twice' }],
  });
}
