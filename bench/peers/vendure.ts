import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { address, callJson, program } from './calls.ts';
import { installPackages } from './install.ts';
import type { Peer, Shop } from './peer.ts';
import type { Postgres } from './postgres.ts';
import { freePort, serve } from './processes.ts';

const packages = { '@vendure/core': '3.7.3', pg: '8.23.1' };

/** https://www.vendure.io: GraphQL, one server; a guest's checkout as its storefronts do it. */
export function vendure(postgres: Postgres): Peer {
  return {
    name: 'Vendure',
    version: `@vendure/core ${packages['@vendure/core']}`,
    install: async (folder) => {
      await installPackages(folder, packages);
      await copyFile(program('vendure.mjs'), join(folder, 'server.mjs'));
    },
    start: async (folder) => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const DATABASE_URL = await postgres.database('vendure');
      const PASSWORD = randomUUID();
      const env = { ...process.env, NODE_ENV: 'production', PORT: String(port), DATABASE_URL, PASSWORD };
      const server = await serve(process.execPath, ['server.mjs'], { cwd: folder, env }, async () => {
        return (await fetch(`${url}/health`)).ok;
      });
      return shopOf(url, PASSWORD, server);
    },
  };
}

async function shopOf(
  url: string,
  password: string,
  server: { pid: number; stop(): Promise<void> },
): Promise<Shop> {
  const operator = await signIn(url, password);
  const settings = await setUp(operator);
  return {
    processes: [server.pid],
    seed: (units) => putOnSale(operator, settings, units),
    customer: async (goods) => ({
      // A session of its own each time: an active order belongs to a session.
      checkout: () => checkout(new Session(`${url}/shop-api`), goods, settings),
    }),
    stock: async ({ variantId }) => {
      const { productVariant } = await operator.ask(
        `query($id: ID!) { productVariant(id: $id) { stockLevels { stockOnHand stockAllocated } } }`,
        { id: variantId },
      );
      return productVariant.stockLevels.reduce(
        (sum: number, level: any) => sum + level.stockOnHand - level.stockAllocated,
        0,
      );
    },
    rest: async () => {},
    stop: server.stop,
  };
}

/** One bearer token; Vendure gives it with the first answer. */
class Session {
  readonly #url: string;
  #token: string | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error on an error of GraphQL; an error result is an answer */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<any> {
    const { body, headers } = await callJson('POST', this.#url, {
      json: { query, variables },
      headers: this.#token ? { authorization: `Bearer ${this.#token}` } : {},
    });
    this.#token = headers.get('vendure-auth-token') ?? this.#token;
    if (body.errors) throw new Error(`${query.slice(0, 80)}: ${JSON.stringify(body.errors).slice(0, 500)}`);
    return body.data;
  }
}

async function signIn(url: string, password: string): Promise<Session> {
  const session = new Session(`${url}/admin-api`);
  await session.ask(
    `mutation($password: String!) { login(username: "operator", password: $password) { __typename } }`,
    { password },
  );
  return session;
}

/** A country, its zone and tax, a way to ship and one to pay. */
async function setUp(operator: Session): Promise<{ taxCategoryId: string }> {
  const named = (name: string) => [
    { languageCode: 'en', name, description: '', slug: name, customFields: {} },
  ];
  const { createCountry } = await operator.ask(
    `mutation($input: CreateCountryInput!) { createCountry(input: $input) { id } }`,
    {
      input: { code: address.country, enabled: true, translations: [{ languageCode: 'en', name: 'Korea' }] },
    },
  );
  const { createZone } = await operator.ask(
    `mutation($input: CreateZoneInput!) { createZone(input: $input) { id } }`,
    { input: { name: 'Korea', memberIds: [createCountry.id] } },
  );
  const { activeChannel } = await operator.ask(`{ activeChannel { id } }`);
  const { updateChannel } = await operator.ask(
    `mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { __typename } }`,
    {
      input: { id: activeChannel.id, defaultTaxZoneId: createZone.id, defaultShippingZoneId: createZone.id },
    },
  );
  if (updateChannel.__typename !== 'Channel') throw new Error('Vendure did not take the zones');
  const { createTaxCategory } = await operator.ask(
    `mutation { createTaxCategory(input: { name: "standard", isDefault: true }) { id } }`,
  );
  await operator.ask(`mutation($input: CreateTaxRateInput!) { createTaxRate(input: $input) { id } }`, {
    input: { name: 'VAT', enabled: true, value: 10, categoryId: createTaxCategory.id, zoneId: createZone.id },
  });
  await operator.ask(
    `mutation($input: CreateShippingMethodInput!) { createShippingMethod(input: $input) { id } }`,
    {
      input: {
        code: 'standard',
        fulfillmentHandler: 'manual-fulfillment',
        checker: {
          code: 'default-shipping-eligibility-checker',
          arguments: [{ name: 'orderMinimum', value: '0' }],
        },
        calculator: {
          code: 'default-shipping-calculator',
          arguments: [
            { name: 'rate', value: '500' },
            { name: 'includesTax', value: 'auto' },
            { name: 'taxRate', value: '10' },
          ],
        },
        translations: named('standard').map(({ languageCode, name, description }) => ({
          languageCode,
          name,
          description,
        })),
      },
    },
  );
  await operator.ask(
    `mutation($input: CreatePaymentMethodInput!) { createPaymentMethod(input: $input) { id } }`,
    {
      input: {
        code: 'dummy',
        enabled: true,
        handler: {
          code: 'dummy-payment-handler',
          arguments: [{ name: 'automaticSettle', value: 'true' }],
        },
        translations: [{ languageCode: 'en', name: 'dummy', description: '' }],
      },
    },
  );
  return { taxCategoryId: createTaxCategory.id };
}

async function putOnSale(operator: Session, { taxCategoryId }: { taxCategoryId: string }, units: number) {
  const name = randomUUID();
  const { createProduct } = await operator.ask(
    `mutation($input: CreateProductInput!) { createProduct(input: $input) { id } }`,
    { input: { enabled: true, translations: [{ languageCode: 'en', name, slug: name, description: '' }] } },
  );
  const { createProductVariants } = await operator.ask(
    `mutation($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id } }`,
    {
      input: [
        {
          productId: createProduct.id,
          sku: name,
          price: 1_999,
          taxCategoryId,
          stockOnHand: units,
          trackInventory: 'TRUE',
          translations: [{ languageCode: 'en', name }],
        },
      ],
    },
  );
  return { variantId: createProductVariants[0].id };
}

/** Add, customer, address, shipping, to payment, pay: six requests and the look at the shipping methods. */
async function checkout(
  shop: Session,
  goods: { variantId: string },
  _settings: object,
): Promise<'sold' | 'refused'> {
  const { addItemToOrder } = await shop.ask(
    `mutation($id: ID!) { addItemToOrder(productVariantId: $id, quantity: 1) {
      __typename ... on Order { id totalWithTax } ... on ErrorResult { errorCode message } } }`,
    { id: goods.variantId },
  );
  if (addItemToOrder.__typename !== 'Order') return refusal(addItemToOrder);
  await shop.ask(
    `mutation($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) { __typename } }`,
    { input: { firstName: 'Minji', lastName: 'Kim', emailAddress: `${randomUUID()}@example.com` } },
  );
  await shop.ask(
    `mutation($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) { __typename } }`,
    {
      input: {
        fullName: address.name,
        streetLine1: address.line1,
        city: address.city,
        postalCode: address.postalCode,
        countryCode: address.country,
        phoneNumber: address.phone,
      },
    },
  );
  const { eligibleShippingMethods } = await shop.ask(`{ eligibleShippingMethods { id priceWithTax } }`);
  await shop.ask(`mutation($id: [ID!]!) { setOrderShippingMethod(shippingMethodId: $id) { __typename } }`, {
    id: [eligibleShippingMethods[0].id],
  });
  const { transitionOrderToState } = await shop.ask(
    `mutation { transitionOrderToState(state: "ArrangingPayment") {
      __typename ... on Order { state } ... on OrderStateTransitionError { errorCode message transitionError } } }`,
  );
  if (transitionOrderToState.__typename !== 'Order') return refusal(transitionOrderToState);
  const { addPaymentToOrder } = await shop.ask(
    `mutation { addPaymentToOrder(input: { method: "dummy", metadata: {} }) {
      __typename ... on Order { state } ... on ErrorResult { errorCode message } } }`,
  );
  if (addPaymentToOrder.state === 'PaymentSettled') return 'sold';
  return refusal(addPaymentToOrder);
}

/** For want of stock; anything else is a mistake here. */
function refusal(result: { errorCode?: string; message?: string; transitionError?: string }): 'refused' {
  const told = `${result.errorCode} ${result.message} ${result.transitionError}`;
  if (/STOCK|stock|ORDER_STATE_TRANSITION|ORDER_PAYMENT_STATE/i.test(told)) return 'refused';
  throw new Error(`Vendure: ${told}`);
}
