import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type { newId } from '../../kernel/ids.ts';
import type { changeProduct as route } from '../contract.ts';
import {
  type Availability,
  changedTerms,
  changeTime,
  contentHash,
  etagOf,
  namesVersion,
  shown,
  type VersionedProduct,
} from '../domain/product.ts';
import { variantsOf } from '../domain/variants.ts';

/** `changed`: somebody else's change came first. `taken`: a SKU belongs to another product. */
export type Replaced = 'replaced' | 'changed' | 'taken';

type Request = HttpRequest<typeof route>;

interface Ports {
  /** Consistent. */
  readonly product: (productId: string) => Promise<VersionedProduct | undefined>;
  readonly replace: (before: VersionedProduct, after: VersionedProduct) => Promise<Replaced>;
  /** Those of the SKUs that stand still for a drop, with the drop; consistent. */
  readonly heldStill: (skus: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly availability: (skus: readonly string[]) => Promise<ReadonlyMap<string, Availability>>;
  readonly newId: typeof newId;
  readonly now: Now;
}

/**
 * Changes a product.
 *
 * 1. Read it; it must be the version that `If-Match` names.
 * 2. Merge what was sent (RFC 7396).
 * 3. Around a drop of one of its SKUs refuse what would change the SKU's name, price or being on sale: orders remember them.
 * 4. Replace that version, with its prices, in one transaction. A change that changes nothing writes nothing.
 */
export const changeProduct =
  (ports: Ports) =>
  async ({
    params,
    body,
    ifMatch,
  }: Pick<Request, 'params' | 'body' | 'ifMatch'>): Promise<HttpResponse<typeof route>> => {
    const before = await ports.product(params.productId);
    if (!before) throw new DomainError('not-found', `There is no product ${params.productId}.`);
    if (!namesVersion(ifMatch, before.version)) throw changedMeanwhile();

    const after = merged(before, body, ports);
    if (contentHash(after) !== contentHash(before)) {
      const [held] = await ports.heldStill(changedTerms(before, after));
      if (held) throw new DomainError('drop-open', heldDetail(...held), { sku: held[0], dropId: held[1] });
      const result = await ports.replace(before, after);
      if (result === 'changed') throw changedMeanwhile();
      if (result === 'taken') {
        throw new DomainError('already-exists', 'One of the SKUs belongs to another product.');
      }
      return answer(ports, after);
    }
    return answer(ports, before);
  };

function merged(before: VersionedProduct, body: Request['body'], ports: Ports): VersionedProduct {
  const { variants, image, genderAffinity, ...sent } = body;
  const { image: imageBefore, genderAffinity: affinityBefore, ...kept } = before;
  const given = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
  const imageAfter = image === undefined ? imageBefore : image;
  const affinityAfter = genderAffinity === undefined ? affinityBefore : genderAffinity;
  return {
    ...kept,
    ...given,
    ...(imageAfter != null && { image: imageAfter }),
    ...(affinityAfter != null && { genderAffinity: affinityAfter }),
    ...(variants && { variants: variantsOf(variants, ports.newId) }),
    version: before.version + 1,
    updatedAt: isoInstant(changeTime(before, ports.now())),
  };
}

async function answer(ports: Ports, product: VersionedProduct): Promise<HttpResponse<typeof route>> {
  const body = shown(product, await ports.availability(product.variants.map(({ sku }) => sku)));
  return { status: 200, body, headers: { etag: etagOf(product.version, body) } };
}

/** Why a SKU's terms cannot be changed. */
export function heldDetail(sku: string, dropId: string): string {
  return `${sku} is sold in drop ${dropId}: its name, price and being on sale stay as they are from two minutes before the drop opens until two minutes after it has closed.`;
}

function changedMeanwhile(): DomainError {
  return new DomainError(
    'precondition-failed',
    'The product has changed. Read it again, then send the change.',
  );
}
