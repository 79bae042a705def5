import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { address, callJson, program } from './calls.ts';
import { installPackages } from './install.ts';
import type { Peer, Shop } from './peer.ts';
import type { Postgres } from './postgres.ts';
import { freePort, run, type Server, serve } from './processes.ts';

const version = '2.21.2';
const packages = { '@medusajs/medusa': version, '@medusajs/framework': version, '@medusajs/cli': version };
const email = 'operator@example.com';

/** https://medusajs.com: REST, one server; a guest's checkout as its storefronts do it. */
export function medusa(postgres: Postgres): Peer {
  return {
    name: 'Medusa',
    version: `@medusajs/medusa ${version}`,
    install: async (folder) => {
      await installPackages(folder, packages);
      await copyFile(program('medusa-config.cjs'), join(folder, 'medusa-config.js'));
    },
    start: async (folder) => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const DATABASE_URL = await postgres.database('medusa');
      const PASSWORD = randomUUID();
      const env = {
        ...process.env,
        NODE_ENV: 'production',
        MEDUSA_DISABLE_TELEMETRY: 'true',
        DATABASE_URL,
        PASSWORD,
      };
      const options = { cwd: folder, env };
      const command = join(folder, 'node_modules/.bin/medusa');
      await run(command, ['db:migrate', '--all-or-nothing'], options);
      await run(command, ['user', '-e', email, '-p', PASSWORD], options);
      const args = ['start', '--host', '127.0.0.1', '--port', String(port)];
      const server = await serve(command, args, options, async () => (await fetch(`${url}/health`)).ok);
      try {
        return await shopOf(url, PASSWORD, server);
      } catch (error) {
        await server.stop();
        throw error;
      }
    },
  };
}

interface Settings {
  readonly salesChannel: string;
  readonly region: string;
  readonly location: string;
  readonly shippingProfile: string;
  /** Names the sales channel in a shopper's requests. */
  readonly publishableKey: string;
}

type Admin = (method: 'GET' | 'POST', path: string, json?: unknown) => Promise<any>;

async function shopOf(url: string, password: string, server: Server): Promise<Shop> {
  const { body } = await callJson('POST', `${url}/auth/user/emailpass`, { json: { email, password } });
  const headers = { authorization: `Bearer ${body.token}` };
  const admin: Admin = async (method, path, json) =>
    (await callJson(method, `${url}/admin/${path}`, { headers, ...(json !== undefined && { json }) })).body;
  const settings = await setUp(admin);
  return {
    processes: [server.pid],
    seed: (units) => putOnSale(admin, settings, units),
    customer: async (goods) => ({ checkout: () => checkout(url, settings, goods.variant) }),
    stock: async ({ item }) => {
      const { inventory_levels: levels } = await admin('GET', `inventory-items/${item}/location-levels`);
      return levels.reduce(
        (sum: number, level: any) => sum + level.stocked_quantity - level.reserved_quantity,
        0,
      );
    },
    rest: async () => {},
    stop: server.stop,
  };
}

const country = address.country.toLowerCase();

/** A sales channel, a region with its tax, a warehouse that ships there, a way to ship. */
async function setUp(admin: Admin): Promise<Settings> {
  const salesChannel = (await admin('POST', 'sales-channels', { name: 'web' })).sales_channel.id;
  const { api_key: key } = await admin('POST', 'api-keys', { title: 'web', type: 'publishable' });
  await admin('POST', `api-keys/${key.id}/sales-channels`, { add: [salesChannel] });
  const region = await admin('POST', 'regions', {
    name: 'Korea',
    currency_code: 'usd',
    countries: [country],
    payment_providers: ['pp_system_default'],
  });
  await admin('POST', 'tax-regions', {
    country_code: country,
    provider_id: 'tp_system',
    default_tax_rate: { name: 'VAT', code: 'VAT', rate: 10 },
  });
  const { stock_location: location } = await admin('POST', 'stock-locations', {
    name: 'warehouse',
    address: { address_1: address.line1, city: address.city, country_code: country },
  });
  const ofLocation = `stock-locations/${location.id}`;
  await admin('POST', `${ofLocation}/fulfillment-providers`, { add: ['manual_manual'] });
  await admin('POST', `${ofLocation}/sales-channels`, { add: [salesChannel] });
  await admin('POST', `${ofLocation}/fulfillment-sets`, { name: 'shipping', type: 'shipping' });
  const { stock_location: full } = await admin('GET', `${ofLocation}?fields=*fulfillment_sets`);
  const { fulfillment_set: set } = await admin(
    'POST',
    `fulfillment-sets/${full.fulfillment_sets[0].id}/service-zones`,
    { name: 'Korea', geo_zones: [{ type: 'country', country_code: country }] },
  );
  const { shipping_profile: profile } = await admin('POST', 'shipping-profiles', {
    name: 'parcels',
    type: 'parcels',
  });
  await admin('POST', 'shipping-options', {
    name: 'standard',
    price_type: 'flat',
    provider_id: 'manual_manual',
    service_zone_id: set.service_zones[0].id,
    shipping_profile_id: profile.id,
    type: { label: 'standard', description: 'standard', code: 'standard' },
    prices: [{ currency_code: 'usd', amount: 5 }],
    rules: [
      { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
      { attribute: 'is_return', value: 'false', operator: 'eq' },
    ],
  });
  return {
    salesChannel,
    region: region.region.id,
    location: location.id,
    shippingProfile: profile.id,
    publishableKey: key.token,
  };
}

async function putOnSale(admin: Admin, settings: Settings, units: number) {
  const sku = randomUUID();
  const { product } = await admin('POST', 'products', {
    title: sku,
    status: 'published',
    shipping_profile_id: settings.shippingProfile,
    sales_channels: [{ id: settings.salesChannel }],
    options: [{ title: 'size', values: ['one'] }],
    variants: [
      {
        title: sku,
        sku,
        manage_inventory: true,
        allow_backorder: false,
        options: { size: 'one' },
        prices: [{ currency_code: 'usd', amount: 19.99 }],
      },
    ],
  });
  const { product: full } = await admin('GET', `products/${product.id}?fields=*variants.inventory_items`);
  const [variant] = full.variants;
  const item = variant.inventory_items[0].inventory_item_id;
  await admin('POST', `inventory-items/${item}/location-levels`, {
    location_id: settings.location,
    stocked_quantity: units,
  });
  return { variant: variant.id as string, item: item as string };
}

/** Cart, line, addresses, shipping options and method, payment collection and session, complete: eight requests. */
async function checkout(url: string, settings: Settings, variant: string): Promise<'sold' | 'refused'> {
  const shop = (method: string, path: string, json?: unknown) =>
    callJson(method, `${url}/store/${path}`, {
      headers: { 'x-publishable-api-key': settings.publishableKey },
      ...(json !== undefined && { json }),
      expect: [200, 400, 409],
    });
  const started = await shop('POST', 'carts', { region_id: settings.region });
  const cart = `carts/${started.body.cart.id}`;
  const added = await shop('POST', `${cart}/line-items`, { variant_id: variant, quantity: 1 });
  if (added.status !== 200) return refusal(added.body);
  const whereTo = {
    first_name: 'Minji',
    last_name: 'Kim',
    address_1: address.line1,
    city: address.city,
    postal_code: address.postalCode,
    country_code: country,
    phone: address.phone,
  };
  await shop('POST', cart, {
    email: `${randomUUID()}@example.com`,
    shipping_address: whereTo,
    billing_address: whereTo,
  });
  const { body: shipping } = await shop('GET', `shipping-options?cart_id=${started.body.cart.id}`);
  await shop('POST', `${cart}/shipping-methods`, { option_id: shipping.shipping_options[0].id });
  const { body: paying } = await shop('POST', 'payment-collections', { cart_id: started.body.cart.id });
  await shop('POST', `payment-collections/${paying.payment_collection.id}/payment-sessions`, {
    provider_id: 'pp_system_default',
  });
  const { body: completed } = await shop('POST', `${cart}/complete`, {});
  return completed.type === 'order' ? 'sold' : refusal(completed.error ?? completed);
}

/** For want of stock, or because another was being served; anything else is a mistake here. */
function refusal({ message = '' }: { message?: string }): 'refused' {
  if (/inventory|stock|conflict|lock/i.test(message)) return 'refused';
  throw new Error(`Medusa: ${message}`);
}
