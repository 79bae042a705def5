/**
 * Every metric of our own by name: what functions measure and what alarms and dashboards watch are the same constant.
 * All are in one namespace of the stage. What functions measure has one dimension with one value, `metricService`, so
 * that each costs one custom metric.
 */

/** The dimension `service` of every metric that functions report: Powertools gives each report one. */
export const metricService = 'floodgate';

/** After so many seconds a delivered event or a settled payment counts as late. */
export const lateAfterSeconds = 60;

/** Counted for the service level objectives. `…Late` and `…Missed` are 0 or 1 for each occasion: the mean is the share. */
export const objectiveMetrics = {
  /** `POST /v1/orders` and its answers with 5xx: from the gateway's access log, in which its own 5xx are, too. */
  orderRequests: 'OrderRequests',
  orderRequestsFailed: 'OrderRequestsFailed',
  /** Of a payment attempt, from the event that opened it to the one that closed it. */
  settlementSeconds: 'SettlementSeconds',
  settledLate: 'SettledLate',
  /** Of an event, from its append to its first receipt by a consumer. */
  deliverySeconds: 'DeliverySeconds',
  deliveredLate: 'DeliveredLate',
  /** Once a business day, at 06:00: whether the export of the day before has no manifest. */
  exportMissed: 'ExportMissed',
} as const;

/** What must be zero. Whoever checks reports every time, zero included: the alarm holds until it hears of a zero. */
export const businessMetrics = {
  /** Charges that the provider has settled and the journal does not know: their order is missing, or not paid. */
  paidWithoutOrder: 'PaidWithoutOrder',
  /** Charges of paid orders that the provider has not settled. */
  chargeWithoutCapture: 'ChargeWithoutCapture',
  /** Orders whose events contradict themselves about stock, and shards that differ from what all orders say. */
  stockDrift: 'StockDrift',
  /** Payment attempts of which nobody has known the outcome for more than an hour. */
  unknownAttempts: 'UnknownAttempts',
  /** Currencies in which debits and credits of the journal differ. */
  ledgerUnbalanced: 'LedgerUnbalanced',
  /** Differences between the journal and the provider's settlement file. */
  reconciliationDifferences: 'ReconciliationDifferences',
} as const;

/** Defects that stop nobody, so that no function fails by them. */
export const defectMetrics = {
  /** An answer that its own schema does not allow. */
  contractViolation: 'ContractViolation',
  internalError: 'InternalError',
  eventFailed: 'EventFailed',
  /** A shopper in a waiting room was served at the fallback rate. */
  dropNotConducted: 'DropNotConducted',
} as const;

/** Of the outbox's auditor and what waits for it. */
export const auditMetrics = {
  /** Events that were sent again because a consumer had not taken them in. */
  reemitted: 'Reemitted',
  /** Events that the bus would not take. */
  reemissionRefused: 'ReemissionRefused',
  /** Orders of which a consumer has not taken everything in, or that cannot be read. */
  auditIncomplete: 'AuditIncomplete',
  /** Runs of the finance export that found its day not yet complete. */
  exportWaiting: 'ExportWaiting',
  /** Age of the oldest difference from the provider's settlements, in days. */
  oldestDifferenceDays: 'OldestDifferenceDays',
} as const;

/** Of what is refused so that the rest can be served. */
export const overloadMetrics = {
  /** The level of shedding: 0 refuses nothing, 3 everything but paying and operating. */
  shedLevel: 'ShedLevel',
  /** Requests refused by priority, and callers refused by quota. */
  shed: 'ShedRequests',
  quotaRefused: 'QuotaRefusedRequests',
} as const;

type ValueOf<T> = T[keyof T];
export type MetricName =
  | ValueOf<typeof objectiveMetrics>
  | ValueOf<typeof auditMetrics>
  | ValueOf<typeof businessMetrics>
  | ValueOf<typeof defectMetrics>
  | ValueOf<typeof overloadMetrics>;

/** Two stages may share an account: each has metrics of its own. */
export function metricNamespace(stage: string): string {
  return `Floodgate/${stage}`;
}
