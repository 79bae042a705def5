// A Medusa server with its own defaults: modules in memory where it wants Redis, manual fulfilment, the system payment
// provider, which approves everything. No admin pages.
const { defineConfig } = require('@medusajs/framework/utils');

const { DATABASE_URL, PASSWORD } = process.env;
module.exports = defineConfig({
  projectConfig: {
    databaseUrl: DATABASE_URL,
    databaseDriverOptions: { connection: { ssl: false } },
    http: { storeCors: '*', adminCors: '*', authCors: '*', jwtSecret: PASSWORD, cookieSecret: PASSWORD },
  },
  admin: { disable: true },
});
