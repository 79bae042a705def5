// A Vendure server with nothing but what a checkout needs: the shop's and the operators' API, PostgreSQL, a dummy
// payment that is captured at once. Its jobs run in this process.
import { bootstrap, DefaultLogger, dummyPaymentHandler, JobQueueService, LogLevel } from '@vendure/core';

const { PORT, DATABASE_URL, PASSWORD } = process.env;
const app = await bootstrap({
  apiOptions: {
    port: Number(PORT),
    hostname: '127.0.0.1',
    adminApiPath: 'admin-api',
    shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: 'bearer',
    superadminCredentials: { identifier: 'operator', password: PASSWORD },
    requireVerification: false,
  },
  dbConnectionOptions: { type: 'postgres', url: DATABASE_URL, synchronize: true, logging: false },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new DefaultLogger({ level: LogLevel.Error }),
  plugins: [],
});
await app.get(JobQueueService).start();
