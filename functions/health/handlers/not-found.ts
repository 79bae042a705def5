import { DomainError } from '../../kernel/errors.ts';
import { httpHandler } from '../../kernel/http.ts';
import { notFound } from '../contract.ts';

export const handler = httpHandler(notFound, async () => {
  throw new DomainError('not-found', 'No route has this method and path; see /v1/openapi.json.');
});
