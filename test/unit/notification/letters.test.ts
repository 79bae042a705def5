import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { display } from '../../../functions/kernel/money.ts';
import { compose } from '../../../functions/notification/domain/letter.ts';
import * as letters from '../../../functions/notification/domain/letters.ts';
import { en } from '../../../functions/notification/domain/messages/en.ts';
import { ko } from '../../../functions/notification/domain/messages/ko.ts';
import { krw, summary } from './occasions.ts';

const timeZone = 'Asia/Seoul';
const at = '2026-11-22T15:30:00.000Z';
const occasion = (locale: 'ko' | 'en', order = summary) => ({ summary: { ...order, locale }, at, timeZone });

describe.each(['ko', 'en'] as const)('letters in %s', (locale) => {
  const amounts = [
    ...summary.lines.map((line) => line.total),
    summary.subtotal,
    krw(-summary.discount.amount),
    summary.shipping,
    summary.tax,
    summary.total,
  ].map((amount) => display(amount, locale));

  test.each([
    ['confirmation', letters.orderConfirmation(occasion(locale))],
    ['declined', letters.paymentDeclined(occasion(locale), 'declined', at)],
    ['expired', letters.orderExpired(occasion(locale))],
    ['cancelled', letters.orderCancelled(occasion(locale), 'operator')],
  ])('%s shows number, lines and every amount in both parts', (_, letter) => {
    const { text, html, subject } = compose(letter);
    expect(subject).toContain('FG-1001');
    for (const part of [text, html]) {
      for (const expected of ['FG-1001', '머그컵', 'Tee', ...amounts]) expect(part).toContain(expected);
    }
  });

  test('a refund shows what was refunded now and so far', () => {
    const { text, html } = compose(letters.refund(occasion(locale), krw(1_234), krw(4_321)));
    for (const part of [text, html]) {
      for (const amount of [krw(1_234), krw(4_321), summary.total]) {
        expect(part).toContain(display(amount, locale));
      }
    }
  });

  test('a decline tells the reason in words and until when to pay again, in the time zone of the store', () => {
    const messages = locale === 'ko' ? ko : en;
    const until = '2026-11-22T16:05:00.000Z';
    const { text } = compose(letters.paymentDeclined(occasion(locale), 'insufficient_funds', until));
    expect(text).toContain(messages.paymentDeclined.reasons['insufficient-funds']);
    expect(text).toContain(locale === 'ko' ? '2026년 11월 23일' : 'November 23, 2026');
    expect(text).toMatch(/1:05/);
    expect(text).toMatch(/GMT\+9/);
  });

  test('a decline that ends the order asks nobody to pay again', () => {
    const messages = locale === 'ko' ? ko : en;
    const { paragraphs } = letters.paymentDeclined(occasion(locale), 'declined', undefined);
    expect(paragraphs).toEqual([
      messages.paymentDeclined.reasons.declined,
      messages.paymentDeclined.notCharged,
    ]);
  });

  test.each(['something_new', 'constructor', ''])('a decline for %o is told in general words', (reason) => {
    const messages = locale === 'ko' ? ko : en;
    const { text } = compose(letters.paymentDeclined(occasion(locale), reason, at));
    expect(text).toContain(messages.paymentDeclined.reasons.unknown);
  });
});

test('tax is told apart: included in the total, or added to it', () => {
  expect(compose(letters.orderConfirmation(occasion('en'))).text).toContain('Tax included: ₩3,909');
  const added = { ...summary, taxIncluded: false };
  expect(compose(letters.orderConfirmation(occasion('en', added))).text).toContain('Tax: ₩3,909');
});

test('amounts have the digits of their currency', () => {
  const dinars = (amount: number) => ({ amount, currency: 'KWD' as const });
  const order = { ...summary, total: dinars(12_345), subtotal: dinars(10_845), shipping: dinars(1_500) };
  const { text } = compose(letters.orderConfirmation(occasion('en', order)));
  expect(text).toContain('12.345');
  expect(text).toContain('1.500');
});

test('both languages say everything, and Korean says it in Korean', () => {
  const english = new Map(textsOf(en));
  const korean = new Map(textsOf(ko));
  expect([...korean.keys()]).toEqual([...english.keys()]);
  for (const [key, text] of korean) {
    expect(text, key).not.toBe('');
    if (key === '/locale' || key === '/signature') continue;
    expect(text, key).toMatch(/[가-힣]/);
    expect(english.get(key), key).not.toMatch(/[가-힣]/);
  }
});

/** Every text of a catalogue, those with a parameter filled in. */
function textsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, value('7')]];
  return Object.entries(value as object).flatMap(([key, member]) => textsOf(member, `${path}/${key}`));
}

test('no name can add markup, a line, a header or a reversed reading', () => {
  const nasty = fc.string({ unit: 'binary', maxLength: 60 });
  const parts = [
    '\ud800',
    '<script>alert(1)</script>',
    '"><img onerror=x>',
    '\r\nBcc: a@b.test',
    '\u202e',
    '&',
    "'",
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(nasty, fc.constantFrom(...parts)), { maxLength: 6 }), (pieces) => {
      const name = pieces.join('');
      const plain = compose(letters.orderConfirmation(occasion('en')));
      const line = { ...summary.lines[0]!, name };
      const order = { ...summary, number: `FG-${name}`, lines: [line, summary.lines[1]!] };
      const email = compose(letters.orderConfirmation(occasion('en', order)));

      expect(email.subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(email.text.split('\n').length).toBe(plain.text.split('\n').length);
      expect(tags(email.html)).toEqual(tags(plain.html));
      expect(email.html.isWellFormed()).toBe(true);
    }),
    { numRuns: 300 },
  );
});

function tags(html: string): string[] {
  return html.match(/<[^>]*>/g) ?? [];
}
