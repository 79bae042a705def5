import { describe, expect, it } from 'vitest';
import { DomainError, isDomainError, problems, problemType } from '../../../functions/kernel/errors.ts';

describe('a domain error', () => {
  const error = new DomainError('out-of-stock', 'Only one left.', { skus: [{ sku: 'sku_a' }] });

  it('is named by its code, for the state machine', () => {
    expect(error.name).toBe('out-of-stock');
    expect(error.message).toBe('Only one left.');
    expect(error.members).toEqual({ skus: [{ sku: 'sku_a' }] });
  });

  it('is told from others', () => {
    expect(isDomainError(error)).toBe(true);
    expect(isDomainError(error, 'out-of-stock')).toBe(true);
    expect(isDomainError(error, 'not-found')).toBe(false);
    expect(isDomainError(Object.assign(new Error('no'), { code: 'out-of-stock' }))).toBe(false);
    expect(isDomainError(undefined)).toBe(false);
  });
});

describe('problem types', () => {
  it.each(Object.entries(problems))('%s has an error status and a title', (code, [status, title]) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title.length).toBeGreaterThan(5);
  });

  it('have an address', () => {
    expect(problemType('not-found')).toBe('https://floodgate.dev/problems/not-found');
  });
});
