/**
 * The operations table: the log of the operators' levers. Its items are never changed or deleted.
 *
 * | access pattern | key |
 * |---|---|
 * | what was done in a month, newest first | pk = LEVERS#<YYYY-MM>, sk = <instant>#<run>#<phase> descending |
 */
export function leverKey(at: string, run: string, phase: string): { pk: string; sk: string } {
  return { pk: leverPartition(at.slice(0, 7)), sk: `${at}#${run}#${phase}` };
}

/** @param month `YYYY-MM` */
export function leverPartition(month: string): string {
  return `LEVERS#${month}`;
}
