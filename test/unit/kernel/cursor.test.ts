import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../functions/kernel/cursor.ts';

const binding = { route: 'listOrders', customerId: 'c1', limit: 20 };

describe('a cursor', () => {
  it('finds its position again, whatever the order of the binding', () => {
    const cursor = encodeCursor({ pk: 'a', sk: 'ü' }, binding);
    expect(decodeCursor(cursor, { limit: 20, customerId: 'c1', route: 'listOrders' })).toEqual({
      pk: 'a',
      sk: 'ü',
    });
    expect(cursor).toMatch(/^[\w-]+$/);
  });

  it.each([
    { ...binding, customerId: 'c2' },
    { ...binding, route: 'listProducts' },
    { ...binding, status: 'paid' },
  ])('is refused by another list: %o', (other) => {
    expect(() => decodeCursor(encodeCursor('x', binding), other)).toThrow(
      expect.objectContaining({ code: 'invalid-cursor' }),
    );
  });

  it.each([
    '',
    'garbage',
    '%%%',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('null').toString('base64url'),
  ])('is not "%s"', (text) => {
    expect(() => decodeCursor(text, binding)).toThrow(expect.objectContaining({ code: 'invalid-cursor' }));
  });
});
