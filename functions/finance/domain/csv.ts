import { stringify } from 'csv-stringify/sync';

/**
 * A CSV file after RFC 4180: a header, CRLF after every record, quotes where a cell needs them. UTF-8 without a
 * byte order mark, which the RFC does not know and most readers take for a part of the first column's name; what
 * we write is ASCII anyway, so that Excel reads it right without one.
 *
 * A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return) gets a
 * leading apostrophe. Amounts are not touched: they are never negative, since debits and credits have columns of
 * their own.
 */
export function csv(columns: readonly string[], rows: readonly (readonly string[])[]): Buffer {
  return Buffer.from(
    stringify([columns, ...rows] as string[][], {
      record_delimiter: '\r\n',
      // The RFC wants quotes around either line break, not only around the pair.
      quoted_match: /[\r\n]/,
      escape_formulas: true,
    }),
  );
}
