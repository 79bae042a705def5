import * as z from 'zod/mini';

const stages = ['local', 'dev', 'prod'] as const;
/** `local` is what the embedded cloud runs; `dev` and `prod` are deployed. */
type Stage = (typeof stages)[number];

const timeZone = z.string().check(
  z.refine((zone) => Intl.supportedValuesOf('timeZone').includes(zone), {
    error: 'not an IANA time zone',
  }),
);
const days = z.int().check(z.minimum(1));
const host = z.string().check(z.regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/));
const certificate = z.string().check(z.regex(/^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/));

/** Plain HTTP for apps on the developer's machine alone, as Cognito has it; a native app has a scheme of its own. */
const appAddress = z.string().check(
  z.refine(
    (text) =>
      URL.canParse(text) &&
      !text.includes('#') &&
      !/^(?:http:(?!\/\/localhost[:/])|javascript:|data:)/.test(text),
    {
      error: 'not an https address, http://localhost or an app’s own scheme',
    },
  ),
);

const schema = z.strictObject({
  stage: z.enum(stages),
  /** Left out: whatever account and region the credentials of a deployment belong to. */
  account: z.optional(z.string().check(z.regex(/^\d{12}$/))),
  region: z.optional(z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d$/))),
  /** The public address behind CloudFront and WAF. Left out: the HTTP API's own address is the public one. */
  domain: z.optional(
    z.strictObject({
      name: host,
      /** Of `name`, in us-east-1 as CloudFront demands. */
      certificateArn: certificate,
      /** The address of the HTTP API that only CloudFront knows; DNS must point it at the API's domain. */
      originName: host,
      /** Of `originName`, in the API's region. */
      originCertificateArn: certificate,
      /** Raised after the origin key got a new value: CloudFormation reads a secret again only for a change. */
      originKeyTurn: z.optional(z.int()),
    }),
  ),
  /** Who gets an e-mail from every alarm. */
  alarmEmail: z.optional(z.email()),
  /** From whom shoppers get e-mail. SES must have verified its domain (DNS records of the identity). */
  emailSender: z.email(),
  logLevel: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']),
  logRetentionDays: z.literal([7, 30, 90, 180, 365]),
  /** How long the archive of the event bus can replay. */
  eventArchiveDays: days,
  /** The part of all traces that X-Ray keeps (0–1), beside one a second that it keeps at any rate. */
  tracesSampled: z.number().check(z.minimum(0), z.maximum(1)),
  /** After which old exports move to an infrequent-access storage class. They are never deleted. */
  exportColdAfterDays: z.int().check(z.minimum(30)),
  accessLogDays: days,
  /** Requests per second, and the burst above it, that the HTTP API lets through. */
  api: z.strictObject({
    requestsPerSecond: z.int().check(z.minimum(1)),
    burst: z.int().check(z.minimum(1)),
    /** Origins of browsers that may call; tokens travel in a header, never in a cookie. */
    browserOrigins: z.array(z.string()).check(z.minLength(1)),
  }),
  signIn: z.strictObject({
    /** Of the sign-in pages: `https://<prefix>.auth.<region>.amazoncognito.com`. Unique in the region. */
    domainPrefix: z.string().check(
      z.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/),
      z.refine((prefix) => !/aws|amazon|cognito/.test(prefix), { error: 'a word that Cognito reserves' }),
    ),
    /** Where the pages may send a signed-in shopper's code: compared letter by letter. */
    callbackUrls: z.array(appAddress).check(z.minLength(1)),
    /** Where they may send a shopper who has signed out. */
    logoutUrls: z.array(appAddress).check(z.minLength(1)),
    /**
     * Cognito's Plus plan: no password that is known from breaches, risky sign-ins held back, all of them logged. It
     * costs more for every account that is active in a month (docs/adr/0037-threat-protection.md).
     */
    threatProtection: z.boolean(),
    /** Systems that read the finance exports with a token of their own; each gets a client. */
    financeSystems: z.array(z.string().check(z.regex(/^[a-z][a-z0-9-]{0,30}$/))),
  }),
  /** Concurrent environments kept for a function, by `<context>-<name>`, so that a crowd cannot starve it. */
  reservedConcurrency: z.record(z.string(), z.int().check(z.minimum(1))).check(
    z.refine((all) => Object.values(all).reduce((sum, one) => sum + one, 0) <= 900, {
      error: 'at least 100 of the account’s 1,000 must stay unreserved (AWS Lambda quotas)',
    }),
  ),
  /** Every quota of a caller (`quota` of a route) times this. */
  quotaFactor: z.number().check(z.positive()),
  checkout: z.strictObject({
    /** Saga runs at the same time: the payment provider's pace (2–1000, as Lambda event source mappings take). */
    concurrency: z.int().check(z.minimum(2), z.maximum(1000)),
    /** How often a payment that cannot reach the provider comes back before it needs a person. */
    attempts: z.int().check(z.minimum(5), z.maximum(1000)),
  }),
  /**
   * Batches of ten letters that are sent at a time (2–1000, as Lambda event source mappings take). Letters beyond SES's
   * rate wait their turn in the function for 15 seconds: ten times this must stay well below that rate times 15. One batch
   * takes some 0.2 s, so that three send 150 letters a second.
   */
  mailConcurrency: z.int().check(z.minimum(2), z.maximum(1000)),
  /** Receives of an event by any other consumer before it goes to the dead-letter queue. */
  eventAttempts: z.int().check(z.minimum(1), z.maximum(1000)),
  /**
   * How long any other consumer collects events into a batch (0–300 s, as Lambda event source mappings take). A batch
   * costs one invocation and one deletion for all of its events; a quiet queue waits that long for the first.
   */
  batchWindowSeconds: z.int().check(z.minimum(0), z.maximum(300)),
  /** From the outbox (a table's stream) to the bus. */
  pipe: z.strictObject({
    /** No more than PutEvents takes: Pipes refuses a batch that is larger than its target's. */
    batchSize: z.int().check(z.minimum(1), z.maximum(10)),
    /** Readers per stream shard; events of one order keep their sequence. */
    parallelization: z.int().check(z.minimum(1), z.maximum(10)),
    attempts: z.int().check(z.minimum(1), z.maximum(10_000)),
    /** Streams keep records for 24 hours. */
    maxRecordAgeSeconds: z.int().check(z.minimum(60), z.maximum(86_400)),
  }),
  /** How long an order's address is kept; then only its country is (docs/security/handbook.md). */
  addressDays: days,
  /** Of times in e-mails. */
  storeTimeZone: timeZone,
  /** Whose midnight ends a business date, in the ledger and the exports. */
  businessTimeZone: timeZone,
  /** How long nobody without a special right can delete or overwrite an export (S3 Object Lock, governance). */
  exportLockDays: days,
  /**
   * When the finance export runs, in the business time zone (EventBridge Scheduler's cron): each hour until six, as
   * it waits for the auditor.
   */
  exportSchedule: z.string(),
});
export type Config = z.infer<typeof schema>;

/**
 * Split by what is given up last (docs/adr/0026-limits-and-shedding.md). Browsing and carts are capped, so that they
 * cannot take what orders and payments need; those have theirs for themselves. What is not named shares the rest:
 * reading orders, operators, consumers, schedules. The gateway's throttle of a route follows from its reservation.
 */
const reservedConcurrency = {
  browse: {
    'catalog-list-products': 60,
    'catalog-get-product': 60,
    'catalog-list-categories': 10,
    'health-get-open-api': 10,
    'health-not-found': 50,
  },
  cart: {
    'cart-get-cart': 40,
    'cart-create-cart': 30,
    'cart-put-cart-line': 40,
    'cart-delete-cart-line': 10,
    'cart-claim-cart': 10,
    'admission-take-ticket': 80,
    'admission-get-ticket': 50,
    'admission-show-drop': 10,
  },
  order: { 'order-place-order': 250 },
  // The saga runs one task at a time: as many tasks as runs at most, and a record is a matter of milliseconds.
  pay: {
    'order-pay-order': 40,
    'order-run-checkout': 20,
    'payment-call-provider': 20,
    'order-record-outcome': 20,
  },
};

/** Of an account that takes 200 payments at the same time; what shoppers look at comes from the edge's cache. */
const reservedInProduction = {
  browse: {
    'catalog-list-products': 40,
    'catalog-get-product': 40,
    'catalog-list-categories': 5,
    'health-get-open-api': 5,
    'health-not-found': 5,
  },
  cart: {
    'cart-get-cart': 20,
    'cart-create-cart': 20,
    'cart-put-cart-line': 30,
    'cart-delete-cart-line': 5,
    'cart-claim-cart': 5,
    'admission-take-ticket': 60,
    'admission-get-ticket': 40,
    'admission-show-drop': 5,
  },
  order: { 'order-place-order': 150 },
  pay: {
    'order-pay-order': 30,
    'order-run-checkout': 200,
    'payment-call-provider': 200,
    'order-record-outcome': 40,
  },
};

const shared = {
  logLevel: 'INFO',
  logRetentionDays: 30,
  tracesSampled: 0.05,
  eventArchiveDays: 30,
  exportColdAfterDays: 90,
  accessLogDays: 90,
  api: { requestsPerSecond: 2_000, burst: 4_000, browserOrigins: ['*'] },
  signIn: {
    domainPrefix: 'floodgate-local',
    callbackUrls: [
      'http://localhost:3000/_local/signed-in',
      'http://localhost:5173/signed-in',
      'floodgate://signed-in',
    ],
    logoutUrls: [
      'http://localhost:3000/_local/signed-out',
      'http://localhost:5173/',
      'floodgate://signed-out',
    ],
    threatProtection: true,
    financeSystems: ['ledger'],
  },
  reservedConcurrency: merged(reservedConcurrency),
  quotaFactor: 1,
  checkout: { concurrency: 20, attempts: 100 },
  // A new account's rate is 14 letters a second.
  mailConcurrency: 3,
  eventAttempts: 5,
  batchWindowSeconds: 0,
  pipe: { batchSize: 10, parallelization: 10, attempts: 10, maxRecordAgeSeconds: 21_600 },
  // Five years: as long as Korea's Electronic Commerce Act has records of contracts kept.
  addressDays: 1_827,
  storeTimeZone: 'Asia/Seoul',
  businessTimeZone: 'Asia/Seoul',
  exportSchedule: 'cron(0 2-6 * * ? *)',
  exportLockDays: 1,
} satisfies Partial<Config>;

const configs: Readonly<Record<Stage, Omit<Config, 'stage'>>> = {
  // Everybody comes from one address there, and a proof lets one account do what a thousand would.
  local: { ...shared, emailSender: 'orders@local.floodgate.dev', quotaFactor: 1_000 },
  dev: {
    ...shared,
    emailSender: 'orders@dev.floodgate.dev',
    signIn: { ...shared.signIn, domainPrefix: 'floodgate-dev' },
  },
  prod: {
    ...shared,
    emailSender: 'orders@floodgate.dev',
    signIn: {
      ...shared.signIn,
      domainPrefix: 'floodgate',
      callbackUrls: ['https://shop.floodgate.dev/signed-in', 'floodgate://signed-in'],
      logoutUrls: ['https://shop.floodgate.dev/', 'floodgate://signed-out'],
    },
    logRetentionDays: 365,
    tracesSampled: 0.01,
    eventArchiveDays: 365,
    // Ten years: the longest that the countries we sell to ask for books to be kept.
    exportLockDays: 3_653,
    accessLogDays: 365,
    api: { ...shared.api, requestsPerSecond: 8_000, burst: 5_000 },
    reservedConcurrency: merged(reservedInProduction),
    checkout: { ...shared.checkout, concurrency: 200 },
    batchWindowSeconds: 5,
  },
};

function merged(
  byPriority: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Record<string, number> {
  return Object.assign({}, ...Object.values(byPriority));
}

/**
 * The settings of a stage. `defaults` count where the stage says nothing: the command line's account and region.
 * @throws Error naming every setting that is not valid
 */
export function configOf(stage: string, defaults: Pick<Partial<Config>, 'account' | 'region'> = {}): Config {
  const known = stages.find((one) => one === stage);
  if (!known) throw new Error(`unknown stage "${stage}": choose ${stages.join(', ')} with -c stage=<stage>`);
  const result = z.safeParse(schema, { ...defaults, ...configs[known], stage: known });
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new Error(`the settings of stage ${stage} are not valid: ${wrong}`);
}
