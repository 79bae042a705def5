import * as z from 'zod/mini';
import { instant, route } from '../kernel/contract.ts';

export const getHealth = route({
  id: 'getHealth',
  method: 'GET',
  path: '/v1/health',
  audience: 'all',
  priority: 'operate',
  summary: 'Whether the API answers; says nothing of what stands behind it',
  responses: { 200: z.object({ status: z.literal('ok'), time: instant }) },
});

export const getOpenApi = route({
  id: 'getOpenApi',
  method: 'GET',
  path: '/v1/openapi.json',
  audience: 'all',
  priority: 'browse',
  summary: 'This document',
  responses: { 200: z.looseObject({ openapi: z.literal('3.1.0') }) },
  cacheSeconds: 300,
});

/** Whatever no other route takes, under any method. No part of the OpenAPI document. */
export const notFound = route({
  id: 'notFound',
  method: 'GET',
  path: '$default',
  audience: 'all',
  priority: 'browse',
  summary: 'There is nothing here',
  responses: {},
});
