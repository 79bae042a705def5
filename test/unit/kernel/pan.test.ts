import { describe, expect, it } from 'vitest';
import { containsCardNumber } from '../../../functions/kernel/pan.ts';

describe('a card number is seen', () => {
  it.each([
    ['alone', '4111111111111111'],
    ['in JSON as text', '{"token":"4111111111111111"}'],
    ['in JSON as a number', '{"token":4111111111111111}'],
    ['in groups', '4111 1111 1111 1111'],
    ['with hyphens', '4111-1111-1111-1111'],
    ['of 15 digits', '3782 822463 10005'],
    ['of 13 digits', '4222222222222'],
    ['of 19 digits', '6304000000000000000'],
    ['with its expiry after a space', '4111111111111111 12/28'],
    ['with its verification value', '4111 1111 1111 1111 123'],
    ['after another number', 'order 77 4111111111111111'],
    ['after groups that look like one', '1234 5678 9012 4111 1111 1111 1111'],
    ['after a CSV comma', 'a,4111111111111111,b'],
  ])('%s', (_, text) => {
    expect(containsCardNumber(text)).toBe(true);
  });
});

describe('no card number is', () => {
  it.each([
    ['one whose check digit is wrong', '4111111111111112'],
    ['one that is too short', '424242424242'],
    ['one that is too long', '41111111111111111111'],
    ['an id', 'ord_4111111111111111'],
    ['a part of a word', 'x4111111111111111'],
    ['a UUID', 'f2bb5a9c-4111-1111-1111-111111111111'],
    ['one with other signs between', '4111.1111.1111.1111'],
    ['an instant', '2026-11-22T10:00:00.000Z'],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(containsCardNumber(text)).toBe(false);
  });

  it('does not take long over a long text', () => {
    expect(containsCardNumber(`${'1 '.repeat(100_000)}x`)).toBe(false);
    expect(containsCardNumber(`${'7'.repeat(500_000)}x`)).toBe(false);
    expect(containsCardNumber(`${'7-'.repeat(200_000)}x`)).toBe(false);
  });
});
