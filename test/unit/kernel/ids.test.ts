import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, canonicalJson, derivedId, digest, newId } from '../../../functions/kernel/ids.ts';

describe('ids', () => {
  it('carry their prefix and 26 characters of base 32', () => {
    expect(newId('ord')).toMatch(/^ord_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(derivedId('crt', 'a')).toMatch(/^crt_[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('are not given twice, and use every bit', () => {
    const ids = Array.from({ length: 500 }, () => newId('crt').slice(4));
    expect(new Set(ids).size).toBe(500);
    for (let place = 0; place < 26; place++) {
      expect(new Set(ids.map((id) => id[place])).size).toBe(32);
    }
  });

  it('follow from their parts, and from where one part ends', () => {
    expect(derivedId('ord', 'customer', 'key')).toBe(derivedId('ord', 'customer', 'key'));
    expect(derivedId('ord', 'customerk', 'ey')).not.toBe(derivedId('ord', 'customer', 'key'));
    expect(derivedId('ord', 'a', 'b')).not.toBe(derivedId('ord', 'b', 'a'));
    // Stored ids depend on it: it must never change.
    expect(derivedId('ord', 'customer', 'key')).toBe('ord_4EHTAMFEBNEMGRAFTP9QNKBVW6');
  });
});

describe('digest', () => {
  it('is SHA-256 in hexadecimal, of text and of bytes alike', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(digest('')).toBe(empty);
    expect(digest(new Uint8Array())).toBe(empty);
    expect(digest('é')).toBe(digest(new TextEncoder().encode('é')));
  });
});

describe('bucketOf', () => {
  it('stays within the buckets, is stable and spreads', () => {
    const counts = new Array<number>(8).fill(0);
    for (let n = 0; n < 4_000; n++) {
      const bucket = bucketOf(`order-${n}`, 8);
      expect(bucket).toBe(bucketOf(`order-${n}`, 8));
      counts[bucket]! += 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(400);
    expect(counts.reduce((a, b) => a + b)).toBe(4_000);
  });
});

describe('canonicalJson', () => {
  it('sorts keys at every depth and leaves out what is undefined', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x', gone: undefined })).toBe(
      '{"a":"x","b":[{"c":null,"d":1}]}',
    );
  });

  it('is the same for the same value whatever the order of its keys, and JSON again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const shuffled = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(shuffled)).toBe(canonicalJson(value));
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('tells different values apart', () => {
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});
