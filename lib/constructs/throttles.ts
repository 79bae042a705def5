import type { Priority } from '../../functions/kernel/contract.ts';
import type { Config } from '../config.ts';
import { functionId } from './bundle.ts';
import type { FunctionSpec } from './function-spec.ts';
import { routeKeyOf } from './http-route.ts';

/** Seconds that a request occupies an environment under load; at least twice what `bench/assumptions.json` takes at rest. */
const secondsRead = 0.03;
const secondsWritten: Readonly<Record<Priority, number>> = {
  browse: 0.03,
  cart: 0.04,
  order: 0.1,
  pay: 0.05,
  operate: 0.1,
};

/** Of what the reservation can serve: the gateway must refuse before Lambda does, which answers 503 for it. */
const usable = 0.8;

/** A route's throttle, as `RouteSettings` of a stage spells it. */
interface RouteThrottle {
  readonly ThrottlingRateLimit: number;
  readonly ThrottlingBurstLimit: number;
  readonly DetailedMetricsEnabled: true;
}

/**
 * The gateway's throttles of the routes whose function has reserved concurrency, by route key: no more at once than
 * environments are reserved, and no more a second than four fifths of what they serve.
 */
export function throttlesOf(
  config: Config,
  functions: readonly FunctionSpec[],
): Readonly<Record<string, RouteThrottle>> {
  const throttles: Record<string, RouteThrottle> = {};
  for (const spec of functions) {
    const reserved = config.reservedConcurrency[functionId(spec)];
    if (!('http' in spec.trigger) || reserved === undefined) continue;
    const { http: route } = spec.trigger;
    const seconds = route.method === 'GET' ? secondsRead : secondsWritten[route.priority];
    throttles[routeKeyOf(route)] = {
      ThrottlingRateLimit: Math.floor((usable * reserved) / seconds),
      ThrottlingBurstLimit: reserved,
      // Settings of a route stand in place of the stage's own.
      DetailedMetricsEnabled: true,
    };
  }
  return throttles;
}
