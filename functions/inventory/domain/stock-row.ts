/** What a row of an imported file says of a SKU's stock. */
export interface StockRow {
  readonly sku: string;
  readonly units: number;
}

/** Reads a row, or says why it cannot be taken. Columns that are not known are passed over. */
export function stockOfRow(columns: Readonly<Record<string, string>>): StockRow | { reason: string } {
  const sku = columns.sku ?? (columns.id === undefined ? undefined : `sku_${columns.id}`);
  if (sku === undefined) return { reason: 'id: is missing' };
  if (!/^sku_[0-9A-Za-z-]{1,64}$/.test(sku))
    return { reason: 'id: takes 1 to 64 letters, digits and hyphens' };
  const units = columns.current_stock ?? columns.available;
  if (units === undefined) return { reason: 'current_stock: is missing' };
  if (!/^\d{1,9}$/.test(units)) return { reason: 'current_stock: is not a whole number from 0 to 999999999' };
  return { sku, units: Number(units) };
}
