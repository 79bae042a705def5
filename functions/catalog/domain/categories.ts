import type { Channel } from '../contract.ts';
import type { CatalogProduct } from './product.ts';

export interface Category {
  name: string;
  /** On sale now. */
  products: number;
  children: { name: string; products: number }[];
}

/** The tree of categories and, below each, its styles; in the order of their names. */
export function categoriesOf(products: Iterable<CatalogProduct>, channel: Channel): Category[] {
  const tree = new Map<string, Map<string, number>>();
  for (const { category, style, status, channels } of products) {
    if (status !== 'active' || !channels.includes(channel)) continue;
    const styles = tree.get(category) ?? new Map<string, number>();
    tree.set(category, styles.set(style, (styles.get(style) ?? 0) + 1));
  }
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return [...tree]
    .map(([name, styles]) => {
      const children = [...styles].map(([style, products]) => ({ name: style, products })).sort(byName);
      return { name, products: children.reduce((sum, { products }) => sum + products, 0), children };
    })
    .sort(byName);
}
