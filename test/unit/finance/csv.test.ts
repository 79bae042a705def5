import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csv } from '../../../functions/finance/domain/csv.ts';

const cell = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed()),
  fc
    .array(fc.constantFrom('"', ',', '\r', '\n', '=', '+', '-', '@', '\t', "'", 'a', '가', ' '), {
      maxLength: 6,
    })
    .map((characters) => characters.join('')),
);
// The file begins with the header, so that a reader never meets a byte order mark of ours.
const columns = ['one', 'two', 'three'];

test('any cells come back from an RFC 4180 reader as they were, but for the apostrophe before a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), (rows) => {
      const [header, ...read] = parse(csv(columns, rows), { relax_column_count: false }) as string[][];
      expect(header).toEqual(columns);
      expect(read).toEqual(
        rows.map((row) => row.map((text) => (/^[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text))),
      );
    }),
    { numRuns: 500 },
  );
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('%o is no formula any more', (formula) => {
  const [, row] = parse(csv(['a'], [[formula]])) as string[][];
  expect(row).toEqual([`'${formula}`]);
});

test('every record ends in CRLF, cells with line breaks or quotes are quoted, and there is no byte order mark', () => {
  const file = csv(
    ['a', 'b'],
    [
      ['x\ny', 'say "hi"'],
      ['x\ry', '12.50'],
    ],
  );
  expect(file.toString()).toBe('a,b\r\n"x\ny","say ""hi"""\r\n"x\ry",12.50\r\n');
});
