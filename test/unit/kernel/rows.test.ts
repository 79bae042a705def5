import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../functions/kernel/csv.ts';
import { readRows } from '../../../functions/kernel/rows.ts';

describe('a CSV text', () => {
  it('gives back whatever was written after RFC 4180', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é') });
    const record = fc.array(field, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), fc.constantFrom('\n', '\r\n'), (records, lineEnd) => {
        const text = records
          .map((fields) => fields.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
          .join(lineEnd);
        expect(readCsv(text).map(({ fields }) => fields)).toEqual(records);
      }),
    );
  });

  it('numbers records by the line where they begin', () => {
    const records = readCsv('\uFEFFid,text\r\n1,"two\nlines"\n\n2,x\n');
    expect(records).toEqual([
      { line: 1, fields: ['id', 'text'] },
      { line: 2, fields: ['1', 'two\nlines'] },
      { line: 5, fields: ['2', 'x'] },
    ]);
  });

  it('loses one record, not the rest, to a broken quotation', () => {
    const records = readCsv('1,"a"b\n2,ok\n3,"open\n4,ok');
    expect(records.map(({ line, problem }) => [line, problem === undefined])).toEqual([
      [1, false],
      [2, true],
      [3, false],
      [4, true],
    ]);
  });
});

describe('rows of CSV', () => {
  const rows = (text: string) => readRows(text, 'text/csv; charset=utf-8');

  it('come by column, without empty values', () => {
    expect(rows('id,name,note\n7,Bag,\n')).toEqual([{ line: 2, columns: { id: '7', name: 'Bag' } }]);
  });

  it('say what is wrong with a row', () => {
    expect(rows('id,name\n1\n2,b,c\n3,d').map(({ problem }) => problem)).toEqual([
      'has 1 fields, and the header has 2',
      'has 3 fields, and the header has 2',
      undefined,
    ]);
  });

  it.each([
    ['', /empty/],
    ['id,id\n1,2', /"id" twice/],
    ['id,"na\n1,2', /line 1/i],
  ])('refuse the file %j', (text, message) => {
    expect(() => rows(text)).toThrow(message);
  });
});

describe('rows of YAML', () => {
  const rows = (text: string) => readRows(text, 'application/yaml');

  it('keep a number as it is written', () => {
    const [row] = rows('- price: 129.90\n  stock: 007\n  big: 12345678901234567890.10\n  text: "1.50"\n');
    expect(row?.columns).toEqual({
      price: '129.90',
      stock: '007',
      big: '12345678901234567890.10',
      text: '1.50',
    });
  });

  it('leave out nulls, lists and mappings, and know their lines', () => {
    expect(
      rows('# a comment\n- id: a\n  link: null\n  none:\n  aliases: [x]\n  flag: true\n\n- id: b\n'),
    ).toEqual([
      { line: 2, columns: { id: 'a', flag: 'true' } },
      { line: 8, columns: { id: 'b' } },
    ]);
  });

  it('report a row that is no mapping, or names a column twice', () => {
    expect(rows('- 1\n- {id: a, id: b}\n- {id: c}').map(({ problem }) => problem)).toEqual([
      'is not a mapping',
      'names the column "id" twice',
      undefined,
    ]);
  });

  it('never follow an alias', () => {
    expect(rows('- &row {id: a}\n- *row\n- {id: &name b, name: *name}')).toEqual([
      { line: 1, columns: { id: 'a' } },
      { line: 2, columns: {}, problem: 'is not a mapping' },
      { line: 3, columns: { id: 'b' } },
    ]);
  });

  it('name the line of a syntax error', () => {
    expect(() => rows('- id: a\n- id: "b\n- id: c')).toThrow(
      expect.objectContaining({ code: 'validation-failed', members: { line: 3 } }),
    );
  });

  it('refuse what is no list, and what is nested beyond the stack', () => {
    expect(() => rows('id: a')).toThrow(/not a list/);
    expect(() => rows('['.repeat(20_000))).toThrow(/nested too deeply/);
    expect(rows('')).toEqual([]);
  });
});

describe('an imported file', () => {
  it('has a type, a size and a number of rows that can be taken', () => {
    const refusal = (code: string) => expect.objectContaining({ code });
    expect(() => readRows('[]', 'application/json')).toThrow(refusal('unsupported-media-type'));
    expect(() => readRows('[]', undefined)).toThrow(refusal('unsupported-media-type'));
    expect(() => readRows(`id\n${'é'.repeat(750_000)}`, 'text/csv')).toThrow(refusal('payload-too-large'));
    expect(() => readRows(`id\n${'1\n'.repeat(5_001)}`, 'text/csv')).toThrow(refusal('validation-failed'));
    expect(readRows(`id\n${'1\n'.repeat(5_000)}`, 'text/csv')).toHaveLength(5_000);
  });
});
